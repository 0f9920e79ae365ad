//! A real nginx for each test: started in a directory of its own, on ports that the kernel picked,
//! asked over real sockets, and searched for signs of trouble when it stops.
//!
//! ```no_run
//! use harness::{Nginx, Request};
//!
//! let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; }");
//! let response = nginx.send(&Request::get("/hello.txt").origin("https://app.example.com"));
//! assert_eq!(response.only("Access-Control-Allow-Origin"), "https://app.example.com");
//! ```
//!
//! What goes wrong in here fails the test: the functions panic, and say what they saw.

mod binaries;
mod check;
mod config;
mod connection;
mod document;
mod gateway;
mod http2;
mod http3;
mod nginx;
mod ports;
mod prefix;
mod request;
mod response;
mod script;
mod signal;
mod tls;
mod upstream;
mod wait;
mod wrapper;

pub use binaries::{module, nginx, tool, workspace_root};
pub use check::Check;
pub use config::server;
pub use connection::Connection;
pub use document::{Cause, Page};
pub use nginx::{Builder, Nginx};
pub use ports::free_port;
pub use request::Request;
pub use response::Response;
pub use script::{Browser, Script};
pub use signal::{continue_process, running_as_root, stop_process, terminate_process};
pub use upstream::{Received, Upstream};
pub use wait::poll;
pub use wrapper::is_set as is_watched;

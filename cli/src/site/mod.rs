//! What nginx makes of a configuration: blocks and what they inherit, variables, and the response that a request gets.
//!
//! Nothing is looked at that only a running nginx knows. Where a condition depends on such a thing, it is taken for false,
//! and a value that depends on it is [`Value::Unknown`].

pub mod block;
pub mod header;
mod paths;
pub mod policy;
mod regex;
mod request;
pub mod response;
mod rewrite;
mod text;
mod variables;
mod whole;

pub use block::{Block, BlockId, Content, Kind};
pub use header::{AddedHeader, By};
pub use paths::example_path;
pub use policy::{Policies, PolicyOf};
pub use request::Request;
pub use response::Response;
pub use rewrite::{Answer, Conditions};
pub use text::Text;
pub use variables::{Map, Pattern, Value};
pub use whole::Site;

//! The demo, in a real browser: what its scripts could read, what the browser asked beforehand, and
//! what nginx answered. And what no browser would send, over plain sockets.

#[path = "../causes.rs"]
mod all_causes;
mod axe;
mod causes;
mod chromium;
mod cookies;
mod demo_page;
mod demo_script;
mod marks;
mod mod_perl;
mod page;
mod preflighted;
mod simple;
mod status;
mod status_crowded;
mod strangers;
mod visit;

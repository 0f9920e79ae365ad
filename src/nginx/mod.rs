//! nginx's own structures behind safe wrappers. Nothing here knows what CORS is.

pub(crate) mod clock;
pub(crate) mod conf;
pub(crate) mod list;
pub(crate) mod module;
pub(crate) mod panic;
pub(crate) mod pool;
pub(crate) mod process;
pub(crate) mod return_code;
pub(crate) mod shared_memory;
pub(crate) mod shim;
pub(crate) mod string;
pub(crate) mod timer;

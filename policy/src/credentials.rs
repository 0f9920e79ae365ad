//! `Access-Control-Allow-Credentials`.

use std::rc::Rc;

use crate::live_list::LiveList;
use crate::origin::OriginSet;

/// The value of `cors_allow_credentials`.
#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant)] // as that of origins
pub(crate) enum AllowCredentials {
    #[default]
    Off,
    /// Every origin that is allowed may use credentials.
    On,
    /// Only these origins may.
    For {
        /// Those that are known when the configuration is read.
        set: OriginSet,
        /// Lists that change while the server runs.
        lists: Vec<Rc<LiveList>>,
    },
}

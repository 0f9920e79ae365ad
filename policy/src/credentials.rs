//! `Access-Control-Allow-Credentials`.

use crate::origin::OriginSet;

/// What `cors_allow_credentials` says.
#[derive(Debug, Default)]
pub(crate) enum AllowCredentials {
    #[default]
    Off,
    /// For every origin that is allowed.
    On,
    /// For these alone.
    For(OriginSet),
}

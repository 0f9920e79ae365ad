//! `Access-Control-Allow-Credentials`.

use crate::origin::OriginSet;

/// What `cors_allow_credentials` says.
#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant)] // as that of origins
pub(crate) enum AllowCredentials {
    #[default]
    Off,
    /// For every origin that is allowed.
    On,
    /// For these alone.
    For(OriginSet),
}

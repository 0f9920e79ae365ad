//! Counting requests in shared memory (`cors_zone`).

mod directive;
mod zone;

pub(crate) use directive::parse_zone;
pub(crate) use zone::{open_zone, ConfiguredZone, CounterHandle, LocationCounters, NO_LOCATION};

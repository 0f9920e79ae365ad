//! `cors_test_panic`: makes the module fail where it is told to, so that the tests can see what nginx makes of that.

use core::ffi::{c_char, c_void};

use nginx_sys::{ngx_command_t, ngx_conf_t};
use ngx::core::{NGX_CONF_ERROR, NGX_CONF_OK};

use crate::conf::{Configuration, LocationConf};
use crate::guard::guard;
use crate::request::Request;
use crate::state;

/// Where to fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    Directive,
    Access,
    Filter,
}

impl Fault {
    pub(crate) fn inherit(&mut self, outer: Self) {
        if *self == Self::None {
            *self = outer;
        }
    }

    #[allow(clippy::panic)] // what this is for
    pub(crate) fn strike(self, here: Self) {
        if self == here {
            panic!("forced in {here:?}");
        }
    }
}

/// Fails if the location that governs the request says so.
pub(crate) fn strike_filter(request: Request<'_>) {
    state::governing(request).0.fault.strike(Fault::Filter);
}

pub(crate) unsafe extern "C" fn read_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_CONF_ERROR, || {
        // SAFETY: nginx hands over what `create_location` made for this level.
        let location = unsafe { conf.cast::<LocationConf>().as_mut() };
        let (Some(location), Some((_, values))) = (location, configuration.words()) else {
            return NGX_CONF_ERROR;
        };
        location.fault = match values.as_slice() {
            [b"directive"] => Fault::Directive,
            [b"access"] => Fault::Access,
            [b"filter"] => Fault::Filter,
            _ => return NGX_CONF_ERROR,
        };
        location.fault.strike(Fault::Directive);
        NGX_CONF_OK
    })
}

//! What nginx calls when it takes up a configuration: the handlers are registered, and the counters handed out.

use nginx_sys::{
    ngx_conf_t, ngx_cycle_t, ngx_http_phases_NGX_HTTP_ACCESS_PHASE, ngx_http_phases_NGX_HTTP_LOG_PHASE,
    ngx_http_phases_NGX_HTTP_REWRITE_PHASE, ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE, ngx_int_t,
};

use super::access::on_access_phase;
use super::log::on_log_phase;
use super::rewrite::{on_rewrite_phase, on_server_rewrite_phase};
use super::variables;
use crate::config::{self, main_conf_of, with_configuration, RequestHandler};
use crate::nginx::panic::guard;
use crate::nginx::process::{self, Role};
use crate::nginx::return_code;

/// Registers the handlers, once all of the configuration has been read; refuses it if anything in it was wrong.
pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_configuration(cf, return_code::ERROR, |configuration, main| {
            if !config::finish(configuration, main) {
                return None;
            }
            variables::install(configuration, main).ok()?;
            if !main.has_policy.get() {
                return Some(return_code::OK);
            }
            let handlers: [(u32, RequestHandler, bool); 4] = [
                (
                    ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE,
                    on_server_rewrite_phase,
                    main.has_early_server.get(),
                ),
                (ngx_http_phases_NGX_HTTP_REWRITE_PHASE, on_rewrite_phase, true),
                (ngx_http_phases_NGX_HTTP_ACCESS_PHASE, on_access_phase, true),
                (
                    ngx_http_phases_NGX_HTTP_LOG_PHASE,
                    on_log_phase,
                    main.zone().is_some() || main.has_candidate.get(),
                ),
            ];
            for (phase, handler, _) in handlers.into_iter().filter(|(_, _, is_wanted)| *is_wanted) {
                configuration.add_phase_handler(phase, handler).ok()?;
            }
            Some(return_code::OK)
        })
    }
}

/// Whether the cycle takes the place of one that has been in force.
///
/// # Safety
///
/// nginx is taking up the configuration of `cycle`.
unsafe fn is_reload(cycle: *const ngx_cycle_t) -> bool {
    // SAFETY: nginx keeps the former cycle until the new one is complete; before the first one there is one without a
    // configuration.
    unsafe {
        let former = (*cycle).old_cycle;
        !former.is_null() && !(*former).conf_ctx.is_null()
    }
}

/// Begins what a process does beside answering requests. nginx calls this hook in each process that it has started, and in
/// the only one when that starts.
pub(crate) unsafe extern "C" fn start_process(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook with the cycle of the process, which has a log.
    let log = unsafe { (*cycle).log };
    guard(log, return_code::OK, || {
        if process::role() == Role::Other {
            return return_code::OK;
        }
        // SAFETY: the configuration of the cycle is complete, and this process serves it from now on.
        let begun = unsafe { main_conf_of(cycle).map_or(Ok(()), |main| main.follow_lists(cycle)) };
        begun.map_or(return_code::ERROR, |()| return_code::OK)
    })
}

/// Ends that. nginx calls this hook in each process that it has called the other one in.
pub(crate) unsafe extern "C" fn end_process(cycle: *mut ngx_cycle_t) {
    // SAFETY: as above.
    let log = unsafe { (*cycle).log };
    guard(log, (), || {
        // SAFETY: the configuration of the cycle is complete, and lives until this returns.
        if let Some(main) = unsafe { main_conf_of(cycle) } {
            main.end_following();
        }
    });
}

/// Hands out the counters. nginx calls this hook when nothing else can fail any more, just before the configuration is in
/// force: one that was refused has changed nothing that is counted.
pub(crate) unsafe extern "C" fn start(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook with the new cycle, which has a log.
    let log = unsafe { (*cycle).log };
    guard(log, return_code::OK, || {
        // SAFETY: the configuration of the cycle is complete, and nginx waits for this hook.
        unsafe {
            if let Some(zone) = main_conf_of(cycle).and_then(|main| main.zone()) {
                zone.assign_counters();
            }
            // Where one process serves (`master_process off`), nginx tells it in no other way of a new configuration.
            if is_reload(cycle) && process::role() == Role::Single {
                return start_process(cycle);
            }
        }
        return_code::OK
    })
}

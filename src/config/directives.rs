//! What nginx calls for the directives.
//!
//! A directive with a wrong value is reported and passes: the configuration is refused at the end, so that one run shows
//! all that is wrong.

use core::ffi::{c_char, c_void};
use core::ptr;
use std::rc::Rc;

use cors_policy::{Directive, Problem};
use cors_zone::Format;
use nginx_sys::{ngx_command_t, ngx_conf_t};
use ngx::core::{NGX_CONF_ERROR, NGX_CONF_OK};

use super::location::{LocationConf, StatusFormat};
use super::main_conf::MainConf;
use super::origin_list_directive;
use super::reader::{with_configuration, Configuration, RequestHandler};
use crate::metrics::{self, ConfiguredZone};

/// Runs `run` with the configuration for which nginx calls a directive of this module, and the part of the block in which
/// that stands.
///
/// # Safety
///
/// nginx has called a directive of this module with `cf` and `conf`, and `conf` is that of a block.
unsafe fn with_block(
    cf: *mut ngx_conf_t,
    conf: *mut c_void,
    run: impl for<'c> FnOnce(Configuration<'c>, &'c MainConf, &'c LocationConf) -> Option<*mut c_char>,
) -> *mut c_char {
    // SAFETY: the caller vouches for both; the block's part is what `create_location` made, which is never borrowed mutably
    // (invariant 3).
    unsafe {
        let location = conf.cast::<LocationConf>().as_ref();
        with_configuration(cf, NGX_CONF_ERROR, |configuration, main| {
            run(configuration, main, location?)
        })
    }
}

/// Reads any of the directives that make up a policy.
pub(crate) unsafe extern "C" fn read_policy_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_block(cf, conf, |configuration, main, location| {
            let (name, values) = configuration.words()?;
            let directive = Directive::from_name(name)?;
            let at = configuration.position(main);
            let mut level = location.level.borrow_mut();
            let problems = level.read(directive, &values, &at, &mut configuration.syntax(main));
            configuration.report(main, problems);
            Some(NGX_CONF_OK)
        })
    }
}

/// Reads `cors_candidate`.
pub(crate) unsafe extern "C" fn read_candidate_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_block(cf, conf, |configuration, main, location| {
            let at = configuration.position(main);
            let (_, values) = configuration.words()?;
            let wrong = if !values.is_empty() {
                Some("takes no value; remove what stands before \"{\"".to_owned())
            } else {
                let first = location.candidate_at.get();
                first.map(|first| format!("directive is duplicate: it stands at {first} already; write one block"))
            };
            if let Some(wrong) = wrong {
                let problem = Problem::error(&at, format!("\"cors_candidate\" {wrong}"));
                configuration.report(main, vec![problem]);
            }
            location.candidate_at.get_or_init(|| at);
            configuration
                .read_block(read_candidate_line, ptr::from_ref(location).cast_mut().cast())
                .then_some(NGX_CONF_OK)
        })
    }
}

/// Reads a line of `cors_candidate`.
unsafe extern "C" fn read_candidate_line(cf: *mut ngx_conf_t, _: *mut ngx_command_t, conf: *mut c_void) -> *mut c_char {
    // SAFETY: nginx calls this within `cors_candidate`, with what that was given for its block.
    unsafe {
        with_block(cf, conf, |configuration, main, location| {
            let (name, values) = configuration.words()?;
            let at = configuration.position(main);
            let problems = match Directive::from_name(name) {
                Some(Directive::Cors) => vec![Problem::error(
                    &at,
                    "\"cors_candidate\" has \"cors\" in it, but is judged where a policy is in force; move it out of the block".to_owned(),
                )],
                Some(directive) => {
                    let mut level = location.candidate_level.borrow_mut();
                    level.read(directive, &values, &at, &mut configuration.syntax(main))
                }
                None => vec![Problem::error(
                    &at,
                    format!(
                        "\"cors_candidate\" has \"{}\" in it, which is no directive of a policy; move it out of the block",
                        cors_policy::shown(name)
                    ),
                )],
            };
            configuration.report(main, problems);
            Some(NGX_CONF_OK)
        })
    }
}

/// Reads `cors_zone`.
pub(crate) unsafe extern "C" fn read_zone_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    _: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_configuration(cf, NGX_CONF_ERROR, |configuration, main| {
            let (_, values) = configuration.words()?;
            let at = configuration.position(main);
            let earlier = main.zone.get().map(|zone| zone.at());
            let (name, size) = match metrics::parse_zone(&values, earlier) {
                Ok(zone) => zone,
                Err(text) => {
                    configuration.report(main, vec![Problem::error(&at, text)]);
                    return Some(NGX_CONF_OK);
                }
            };
            let zone = main.zone.get_or_init(|| {
                let former_size = configuration.zone_size_in_force(name);
                Rc::new(ConfiguredZone::new(
                    name,
                    size,
                    at,
                    former_size,
                    configuration.shared_memory(),
                ))
            });
            configuration.request_zone(name, size, metrics::open_zone, &**zone)?;
            Some(NGX_CONF_OK)
        })
    }
}

/// Reads `cors_origin_list`.
pub(crate) unsafe extern "C" fn read_origin_list_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    _: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_configuration(cf, NGX_CONF_ERROR, |configuration, main| {
            origin_list_directive::read(configuration, main).map(|()| NGX_CONF_OK)
        })
    }
}

/// Reads `cors_status`. The command brings the content handler of such a location (`post`).
pub(crate) unsafe extern "C" fn read_status_directive(
    cf: *mut ngx_conf_t,
    command: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx hands over the command, in which `module.rs` has put a content handler.
    let handler = unsafe { core::mem::transmute::<*mut c_void, Option<RequestHandler>>((*command).post) };
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_block(cf, conf, |configuration, main, location| {
            let (_, values) = configuration.words()?;
            let at = configuration.position(main);
            match parse_status(&values, location.status().is_some()) {
                Ok(format) => {
                    location.status.get_or_init(|| format);
                    configuration.set_content_handler(handler?);
                    main.status_at.get_or_init(|| at);
                }
                Err(text) => configuration.report(main, vec![Problem::error(&at, text)]),
            }
            Some(NGX_CONF_OK)
        })
    }
}

fn parse_status(values: &[&[u8]], is_second: bool) -> Result<StatusFormat, String> {
    const DIRECTIVE: &str = "cors_status";
    let refused = |value: &[u8], why: &str| {
        Err(format!(
            "\"{DIRECTIVE}\" has the value \"{}\": {why}; write \"json\", \"prometheus\" or \"html\", or nothing to go by the header Accept",
            cors_policy::shown(value)
        ))
    };
    match values {
        _ if is_second => Err(format!("\"{DIRECTIVE}\" directive is duplicate; remove one")),
        [] => Ok(StatusFormat::Negotiated),
        [name] => match Format::from_name(name) {
            Some(format) => Ok(StatusFormat::Always(format)),
            None => refused(name, "there is no such format"),
        },
        _ => refused(&values.join(&b' '), "it takes one value"),
    }
}

/// Reports what shows only when the whole configuration has been read. Whether it can be taken up is returned.
pub(crate) fn finish(configuration: Configuration<'_>, main: &MainConf) -> bool {
    let mut problems = main.unused.borrow_mut().finish();
    problems.extend(
        main.candidates
            .borrow()
            .iter()
            .filter_map(|candidate| candidate.check()),
    );
    let governed = main.governed_names.borrow();
    for (server, name, at) in main.named_policies.borrow().iter() {
        if governed.contains(&(*server, name.clone())) {
            let text = format!(
                "\"cors\" of location \"{name}\" says nothing about requests that \"error_page\" leads there from a location with a policy: the first policy governs a request to its end; write \"cors off\" here for responses without CORS headers, or remove the policy"
            );
            problems.push(Problem::warning(at, text));
        }
    }
    drop(governed);
    let problem = match (main.zone.get(), main.status_at.get()) {
        (Some(zone), _) => zone.check(),
        (None, Some(at)) if !main.has_errors() => {
            let text =
                "\"cors_status\" has nothing to show: \"cors_zone\" is missing; write \"cors_zone cors:256k;\" in http";
            Some(Problem::error(at, text.to_owned()))
        }
        (None, _) => None,
    };
    problems.extend(problem);
    let (of_lists, of_nobody) = main.origin_lists.finish();
    problems.extend(of_lists);
    configuration.report(main, problems);
    for text in of_nobody {
        configuration.notice(&text);
    }
    configuration.report_numbers(main);
    !main.has_errors()
}

/// Reads `cors_test_panic`.
#[cfg(feature = "fault-injection")]
pub(crate) unsafe extern "C" fn read_fault_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    use crate::fault::Fault;

    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe {
        with_block(cf, conf, |configuration, _, location| {
            let fault = match configuration.words()?.1.as_slice() {
                [b"directive"] => Fault::Directive,
                [b"access"] => Fault::Access,
                [b"filter"] => Fault::Filter,
                _ => return None,
            };
            location.fault.set(fault);
            fault.strike(Fault::Directive);
            Some(NGX_CONF_OK)
        })
    }
}

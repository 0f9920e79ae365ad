//! A request that nobody has sent, for the question what a policy would make of it.
//!
//! Variables are evaluated on a request of its own, made of the one that asks as nginx makes subrequests: it shares what
//! does not differ, and has a header and values of variables of its own. The request that asks is not changed.

use core::cell::RefCell;
use core::ptr::{addr_of_mut, NonNull};
use std::collections::BTreeMap;

use cors_policy::{Context, IgnoredValue, ListRisks};
use nginx_sys::{ngx_http_request_t, ngx_str_t};

use super::live::Request;
use super::policy_context::{evaluate, list_admits, warn_once};
use crate::nginx::list::{HeaderLine, HeaderList};
use crate::nginx::pool::OutOfMemory;
use crate::nginx::shim;

/// What a policy may want to know of such a request.
pub(crate) struct SimulatedContext<'r> {
    asking: Request<'r>,
    simulated: NonNull<ngx_http_request_t>,
    /// The variables that have been asked for, with their values; none where only a real request gives them one.
    variables: RefCell<BTreeMap<String, Option<String>>>,
}

impl<'r> SimulatedContext<'r> {
    /// The same request as `asking`, but of this origin.
    pub(crate) fn new(asking: Request<'r>, origin: &[u8]) -> Result<Self, OutOfMemory> {
        let origin = asking.join(core::iter::once(origin))?;
        // SAFETY: the request is alive; the function allocates in its pool, and returns null or a request that lives as
        // long, with an empty list of headers.
        let simulated = unsafe { shim::ngx_http_cors_simulated_request(asking.as_ptr()) };
        let simulated = NonNull::new(simulated).ok_or(OutOfMemory)?;
        // SAFETY: as above; the strings of the headers are those of the request that asks, and live as long.
        let headers = unsafe {
            HeaderList::from_raw(NonNull::new_unchecked(addr_of_mut!(
                (*simulated.as_ptr()).headers_in.headers
            )))
        };
        for header in asking
            .header_list()
            .iter()
            .filter(|header| !is_simulated(header.name()))
        {
            headers.push(HeaderLine {
                name: header.name(),
                lower_name: asking.join(core::iter::once(&*header.name().to_ascii_lowercase()))?,
                value: header.value(),
            })?;
        }
        headers.push(HeaderLine {
            name: b"Origin",
            lower_name: b"origin",
            value: origin,
        })?;
        Ok(Self {
            asking,
            simulated,
            variables: RefCell::default(),
        })
    }

    /// The variables on whose values the decision depends, with these values; none where it is not known.
    pub(crate) fn variables(&self) -> BTreeMap<String, Option<String>> {
        self.variables.borrow().clone()
    }

    /// Notes the variables that have been asked for.
    fn note_variables(&self) {
        let (mut number, mut is_known) = (0, 0);
        loop {
            let (mut name, mut value) = (ngx_str_t::empty(), ngx_str_t::empty());
            // SAFETY: the simulated request lives as long as the one that asks; the function reads the values of its
            // variables, and gives the name of one, which lives as long as the configuration, and its value, which lives
            // as long as the request.
            let (name, value) = unsafe {
                number = shim::ngx_http_cors_next_evaluated_variable(
                    self.simulated.as_ptr(),
                    number,
                    &mut name,
                    &mut value,
                    &mut is_known,
                );
                (name.as_bytes(), value.as_bytes())
            };
            if number == 0 {
                return;
            }
            let is_known = is_known != 0 && !is_of_response(name);
            self.variables.borrow_mut().insert(
                format!("${}", String::from_utf8_lossy(name)),
                is_known.then(|| String::from_utf8_lossy(value).into_owned()),
            );
        }
    }
}

/// Whether a variable has a value once there is a response.
fn is_of_response(name: &[u8]) -> bool {
    name.starts_with(b"upstream_") || name.starts_with(b"sent_")
}

impl<'r> Context<'r> for SimulatedContext<'r> {
    fn authority(&self) -> &'r [u8] {
        self.asking.authority()
    }

    fn is_secure(&self) -> bool {
        self.asking.is_secure()
    }

    fn variable(&self, number: usize) -> &'r [u8] {
        // SAFETY: the simulated request lives for `'r`, has the pool of the one that asks, and no reference into it is
        // held.
        let value = unsafe { evaluate(self.simulated.as_ptr(), self.asking.main_conf(), number) };
        self.note_variables();
        value
    }

    fn list_admits(&self, number: usize, origin: &[u8], ignored: ListRisks) -> bool {
        // SAFETY: as above.
        let is_listed = unsafe {
            list_admits(
                self.simulated.as_ptr(),
                self.asking.main_conf(),
                number,
                origin,
                ignored,
            )
        };
        self.note_variables();
        is_listed
    }

    fn ignored_value(&self, number: usize, ignored: IgnoredValue<'_>) {
        warn_once(self.asking.log(), self.asking.main_conf(), number, ignored);
    }
}

/// Whether what the request that asks says here is about itself alone.
fn is_simulated(name: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 3] = [b"origin", b"sec-fetch-", b"access-control-"];
    PREFIXES.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

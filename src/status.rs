//! `cors_status`: a location that answers with the zone's figures.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};

use cors_policy::{Position, Problem, SimulatedRequest};
use cors_zone::{page, CountedLocation, Format, Query, Report, TryRequest};
use nginx_sys::{
    ngx_command_t, ngx_conf_t, ngx_create_temp_buf, ngx_http_request_t, ngx_int_t, ngx_uint_t, NGX_HTTP_BAD_REQUEST,
    NGX_HTTP_GET, NGX_HTTP_HEAD, NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_HTTP_NOT_ALLOWED, NGX_HTTP_OK,
};
use ngx::core::{NGX_CONF_ERROR, NGX_CONF_OK};

use crate::conf::{Configuration, LocationConf};
use crate::guard::guard;
use crate::list::{str, Entry};
use crate::pool::OutOfMemory;
use crate::request::Request;
use crate::shim;
use crate::zone::{self, Place, Zone};

const DIRECTIVE: &str = "cors_status";

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// What a location with `cors_status` answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// What the client likes best.
    Accepted,
    Always(Format),
}

pub(crate) unsafe extern "C" fn read_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_CONF_ERROR, || {
        // SAFETY: nginx hands over what `create_location` made for this level, and keeps no other reference to it.
        let location = unsafe { conf.cast::<LocationConf>().as_mut() };
        let (Some(location), Some((_, values))) = (location, configuration.words()) else {
            return NGX_CONF_ERROR;
        };
        let at = configuration.position();
        let shows = match values.as_slice() {
            _ if location.status.is_some() => Err(format!("\"{DIRECTIVE}\" directive is duplicate; remove one")),
            [] => Ok(Shows::Accepted),
            [name] => Format::from_name(name)
                .map(Shows::Always)
                .ok_or_else(|| refused(name, "there is no such format")),
            _ => Err(refused(&values.join(&b' '), "it takes one value")),
        };
        match shows {
            Ok(shows) => {
                location.status = Some(shows);
                configuration.set_handler(handle);
                configuration.with_main(|main| main.status_at.get_or_insert(at).clone());
            }
            Err(text) => configuration.report(&[Problem::error(&at, text)]),
        }
        NGX_CONF_OK
    })
}

fn refused(value: &[u8], why: &str) -> String {
    format!(
        "\"{DIRECTIVE}\" has the value \"{}\": {why}; write \"json\", \"prometheus\" or \"html\", or nothing to answer by \"Accept\"",
        cors_policy::shown(value)
    )
}

/// What is wrong where there are no figures to show.
pub(crate) fn without_zone(at: &Position) -> Problem {
    let text = format!(
        "\"{DIRECTIVE}\" has nothing to show: \"cors_zone\" is missing; write \"cors_zone cors:256k;\" in http"
    );
    Problem::error(at, text)
}

unsafe extern "C" fn handle(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its handlers with live requests.
    let Some(request) = NonNull::new(raw).map(|raw| unsafe { Request::from_raw(raw) }) else {
        return FAILED;
    };
    guard(request.log(), FAILED, || answer(request).unwrap_or(FAILED))
}

fn answer(request: Request<'_>) -> Result<ngx_int_t, OutOfMemory> {
    if !request.is_read() {
        request.add_header("Allow", "allow", "GET, HEAD")?;
        return Ok(NGX_HTTP_NOT_ALLOWED as ngx_int_t);
    }
    if let Err(status) = request.discard_body() {
        return Ok(status);
    }
    let (Some(shows), Some(zone)) = (request.location().status, request.zone()) else {
        return Ok(FAILED);
    };
    let query = Query::parse(request.query());
    let mut status = NGX_HTTP_OK;
    let (format, body) = if let Some(try_request) = &query.try_request {
        let tried = try_it(request, zone, try_request)?;
        if tried.is_none() {
            status = NGX_HTTP_BAD_REQUEST;
        }
        let missing = || b"{\"error\":\"there is no such server and location with a policy\"}\n".to_vec();
        (Format::Json, tried.unwrap_or_else(missing))
    } else {
        let format = match (shows, query.format) {
            (Shows::Accepted, Some(format)) => format,
            (Shows::Accepted, None) => {
                request.add_header("Vary", "vary", "Accept")?;
                Format::accepted(request.accepts())
            }
            // The page asks for its figures where it is itself.
            (Shows::Always(Format::Html), Some(Format::Json)) => Format::Json,
            (Shows::Always(format), _) => format,
        };
        (format, render(zone, format).ok_or(OutOfMemory)?)
    };
    request.add_header("Cache-Control", "cache-control", "no-store")?;
    request.add_header("X-Content-Type-Options", "x-content-type-options", "nosniff")?;
    if format == Format::Html {
        request.add_header("Content-Security-Policy", "content-security-policy", page::POLICY)?;
        request.add_header("Referrer-Policy", "referrer-policy", "no-referrer")?;
    }
    request.send(status, format.content_type(), &body)
}

fn named(place: &Place) -> Option<CountedLocation<'_>> {
    Some(CountedLocation {
        server: &place.server,
        location: &place.location,
        dry_run: place.prepared.policy().is_dry_run(),
        counter: *place.counter()?,
    })
}

fn render(zone: &Zone, format: Format) -> Option<Vec<u8>> {
    if format == Format::Html {
        return Some(page::HTML.as_bytes().to_vec());
    }
    let places: Vec<_> = zone.places().filter_map(named).collect();
    let report = Report::new(zone.name(), zone.size(), zone.memory()?, &places, zone::now());
    Some(match format {
        Format::Prometheus => report.to_prometheus(),
        Format::Json | Format::Html => report.to_json(),
    })
}

/// What the policy of a place would say; nothing if there is no such place.
fn try_it(request: Request<'_>, zone: &Zone, try_request: &TryRequest) -> Result<Option<Vec<u8>>, OutOfMemory> {
    let is = |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|asked| asked == name);
    let mut places = zone.places();
    let found =
        places.find(|place| is(&try_request.server, &place.server) && is(&try_request.location, &place.location));
    let Some((place, named)) = found.and_then(|place| Some((place, named(place)?))) else {
        return Ok(None);
    };
    let in_its_place = crate::disguise::Disguise::new(request, try_request.origin.as_bytes())?;
    let trial = SimulatedRequest {
        origin: try_request.origin.as_bytes(),
        method: try_request.method.as_bytes(),
        headers: try_request
            .headers
            .split([',', ' '])
            .filter(|name| !name.is_empty())
            .map(str::as_bytes)
            .collect(),
        credentials: try_request.credentials,
    };
    let tried = place.prepared.policy().simulate(&trial, in_its_place.request());
    Ok(Some(cors_zone::explanation_to_json(&named, &tried)))
}

impl<'r> Request<'r> {
    /// Whether the method is `GET` or `HEAD`.
    fn is_read(self) -> bool {
        self.get().method & (NGX_HTTP_GET | NGX_HTTP_HEAD) as ngx_uint_t != 0
    }

    /// What stands behind the `?`.
    fn query(self) -> &'r [u8] {
        self.get().args.as_bytes()
    }

    /// The lines of `Accept`.
    fn accepts(self) -> impl Iterator<Item = &'r [u8]> {
        self.header()
            .filter(|header| header.name().eq_ignore_ascii_case(b"Accept"))
            .map(|header| header.value())
    }

    /// Gives the response a header.
    fn add_header(mut self, name: &'static str, lower: &'static str, value: &'static str) -> Result<(), OutOfMemory> {
        let header = Entry::from_parts(name, lower, value.as_bytes());
        // SAFETY: the strings are static.
        unsafe { self.add_headers(&[header], 0, &[]) }
    }

    /// Sends a response with this body.
    fn send(self, status: u32, content_type: &'static str, body: &[u8]) -> Result<ngx_int_t, OutOfMemory> {
        let raw = self.as_ptr();
        // SAFETY: the request is alive and in its content handler; nginx allocates as many bytes as are written, and
        // takes the buffer, which lies in the request's pool, for the last of the response.
        unsafe {
            (*raw).headers_out.status = status as ngx_uint_t;
            (*raw).headers_out.content_length_n = body.len() as _;
            (*raw).headers_out.content_type = str(content_type.as_bytes());
            (*raw).headers_out.content_type_len = content_type.len();
            let buffer = ngx_create_temp_buf((*raw).pool, body.len());
            let Some(filled) = buffer.as_mut() else {
                return Err(OutOfMemory);
            };
            ptr::copy_nonoverlapping(body.as_ptr(), filled.pos, body.len());
            filled.last = filled.pos.add(body.len());
            Ok(shim::ngx_http_cors_send_all(raw, buffer))
        }
    }
}

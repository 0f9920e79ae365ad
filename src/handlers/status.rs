//! `cors_status`: a location that answers with the zone's figures, and with what a policy would make of a request.

use cors_policy::SimulatedRequest;
use cors_zone::{page, FailedRead, Format, List, Query, Report, TriedRequest, TryRequest};
use nginx_sys::{ngx_http_request_t, ngx_int_t, NGX_HTTP_BAD_REQUEST, NGX_HTTP_NOT_ALLOWED, NGX_HTTP_OK};

use crate::config::StatusFormat;
use crate::metrics::{ConfiguredZone, LocationCounters, NO_LOCATION};
use crate::nginx::clock::now;
use crate::nginx::pool::OutOfMemory;
use crate::nginx::return_code;
use crate::request::{with_request, Request, SimulatedContext};

pub(crate) unsafe extern "C" fn answer_status(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its content handlers with live requests.
    unsafe {
        with_request(raw, return_code::INTERNAL_SERVER_ERROR, |request| {
            answer(request).unwrap_or(return_code::INTERNAL_SERVER_ERROR)
        })
    }
}

fn answer(request: Request<'_>) -> Result<ngx_int_t, OutOfMemory> {
    if !request.is_get_or_head() {
        request.add_header("Allow", "allow", "GET, HEAD")?;
        return Ok(NGX_HTTP_NOT_ALLOWED as ngx_int_t);
    }
    if let Err(failed) = request.discard_body() {
        return Ok(failed);
    }
    let (Some(configured), Some(zone)) = (request.location().status(), request.main_conf().zone()) else {
        return Ok(return_code::INTERNAL_SERVER_ERROR);
    };
    let query = Query::parse(request.query());
    let mut http_status = NGX_HTTP_OK;
    let (format, body) = if let Some(question) = &query.try_request {
        let explanation = explain(request, zone, question)?;
        if explanation.is_none() {
            http_status = NGX_HTTP_BAD_REQUEST;
        }
        let unknown = || b"{\"error\":\"there is no such server and location with a policy\"}\n".to_vec();
        (Format::Json, explanation.unwrap_or_else(unknown))
    } else {
        let format = match (configured, query.format) {
            (StatusFormat::Negotiated, Some(format)) => format,
            (StatusFormat::Negotiated, None) => {
                request.add_header("Vary", "vary", "Accept")?;
                Format::accepted(request.accepts())
            }
            // The page links to its figures where it is itself, and asks there what a policy would make of a request.
            (StatusFormat::Always(Format::Html), Some(Format::Json)) => Format::Json,
            (StatusFormat::Always(format), _) => format,
        };
        (format, render(zone, lists(request), format).ok_or(OutOfMemory)?)
    };
    request.add_header("Cache-Control", "cache-control", "no-store")?;
    request.add_header("X-Content-Type-Options", "x-content-type-options", "nosniff")?;
    if format == Format::Html {
        request.add_header("Content-Security-Policy", "content-security-policy", page::POLICY)?;
        request.add_header("Referrer-Policy", "referrer-policy", "no-referrer")?;
    }
    request.send(http_status, format.content_type(), &body)
}

/// The lists that change while nginx runs.
fn lists(request: Request<'_>) -> Vec<List<'_>> {
    let lists = request.main_conf().origin_lists.all().iter();
    let shown = lists.filter_map(|list| {
        let status = list.status()?;
        let served = status.served?;
        Some(List {
            name: &list.said().name,
            file: &list.said().file,
            entries: served.entries,
            generation: served.generation,
            read: served.read_at,
            digest: served.digest.to_string(),
            failed: status.failure.map(|failure| FailedRead {
                at: failure.at,
                reason: failure.text,
            }),
        })
    });
    shown.collect()
}

fn render(zone: &ConfiguredZone, lists: Vec<List<'_>>, format: Format) -> Option<Vec<u8>> {
    zone.look(|memory, locations| {
        let counted: Vec<_> = locations.iter().map(LocationCounters::counted).collect();
        let report = Report::new(zone.name(), zone.size(), memory, &counted, now()).with_lists(lists);
        match format {
            Format::Prometheus => report.to_prometheus(),
            Format::Html => report.to_html(),
            Format::Json => report.to_json(),
        }
    })
}

/// What the policy of a location would make of a request; nothing if there is no such location.
fn explain(request: Request<'_>, zone: &ConfiguredZone, question: &TryRequest) -> Result<Option<Vec<u8>>, OutOfMemory> {
    let is = |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|asked| asked == name);
    let origin = question.origin.as_bytes();
    let context = SimulatedContext::new(request, origin)?;
    // A server that answers early does so before anything has given variables their values: they are known to have none.
    let early_context = SimulatedContext::new(request, origin)?;
    let simulated = SimulatedRequest {
        origin,
        method: question.method.as_bytes(),
        headers: question.header_names().map(str::as_bytes).collect(),
        credentials: question.credentials,
    };
    let explanation = zone.look(|_, locations| {
        let location = locations
            .iter()
            .find(|location| is(&question.server, location.server()) && is(&question.location, location.location()))?;
        let server = locations
            .iter()
            .find(|other| other.server() == location.server() && other.location() == NO_LOCATION);
        let server = server.map(|server| (server.policy(), &early_context));
        let explanation = location.policy().simulate(&simulated, &context, server);
        let tried = TriedRequest {
            question,
            location: location.counted(),
            server_location: NO_LOCATION,
            listener: location.listener(),
            explanation: &explanation,
            variables: &context.variables(),
        };
        Some(tried.to_json())
    });
    Ok(explanation.flatten())
}

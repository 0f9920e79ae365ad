//! An axum application with tower-http's `CorsLayer`, on one thread.
//!
//! `tower-http-peer <port> <port of the application> <document> cors <origins>`: the layer; the file holds
//! exact origins and, with a `*.` in them, patterns.
//! `... none`: the same without. `... return-204 <headers>`: preflights get these lines, whatever they ask.

use std::collections::HashSet;
use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{any, get, options};
use axum::Router;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower_http::cors::{AllowOrigin, CorsLayer};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A set for the exact origins; each pattern is tried in turn.
fn layer(origins: &str) -> CorsLayer {
    let (patterns, exact): (Vec<&str>, Vec<&str>) = origins.lines().partition(|origin| origin.contains("*."));
    let exact: HashSet<Vec<u8>> = exact.into_iter().map(|origin| origin.as_bytes().to_vec()).collect();
    let suffixes: Vec<Vec<u8>> = patterns
        .into_iter()
        .map(|pattern| pattern.replacen("https://*", "", 1).into_bytes())
        .collect();
    let is_allowed = move |origin: &HeaderValue| {
        let origin = origin.as_bytes();
        exact.contains(origin)
            || suffixes.iter().any(|suffix| {
                let host = origin.strip_prefix(b"https://");
                let labels = host.and_then(|host| host.strip_suffix(suffix.as_slice()));
                labels.is_some_and(are_labels)
            })
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_allowed(origin)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
        .max_age(Duration::from_secs(7200))
}

fn are_labels(text: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        let may_stand = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        !label.is_empty() && label.iter().all(may_stand)
    };
    text.split(|byte| *byte == b'.').all(is_label)
}

fn proxy(application: u16) -> Router {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let forward = move |mut request: Request| async move {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let target = format!("http://127.0.0.1:{application}{target}").parse::<Uri>();
        let Ok(target) = target else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        *request.uri_mut() = target;
        match client.request(request).await {
            Ok(response) => response.into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    };
    Router::new().route("/api/{*rest}", any(forward))
}

fn files(document: String) -> Router {
    let document = Bytes::from(document);
    let serve = move || async move { ([(header::CONTENT_TYPE, "application/json")], document) };
    Router::new().route("/document.json", get(serve))
}

fn return_204(lines: &str) -> Result<Router> {
    let mut headers = HeaderMap::new();
    for line in lines.lines() {
        let (name, value) = line.split_once(": ").ok_or("a header without a value")?;
        headers.append(name.parse::<HeaderName>()?, value.parse()?);
    }
    let answer = move || async move { (StatusCode::NO_CONTENT, headers).into_response() };
    Ok(Router::new().route("/{*rest}", options(answer)))
}

async fn serve(port: u16, router: Router) -> Result<Infallible> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            // A client that goes away is no failure.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, application, document, kind, rest @ ..] = words.as_slice() else {
        return Err("usage: <port> <application> <document> cors|none|return-204 [<file>]".into());
    };
    let port: u16 = port.parse()?;
    let routes = || -> Result<Router> { Ok(files(fs::read_to_string(document)?).merge(proxy(application.parse()?))) };
    let router = match (kind.as_str(), rest) {
        ("cors", [origins]) => routes()?.layer(layer(&fs::read_to_string(origins)?)),
        ("none", []) => routes()?,
        ("return-204", [headers]) => return_204(&fs::read_to_string(headers)?)?,
        _ => return Err(format!("no such kind: {kind}").into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(serve(port, router))? {}
}

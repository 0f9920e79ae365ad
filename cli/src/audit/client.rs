//! The one that asks: over HTTP/1.1 or HTTP/2, one request after the other.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue, ACCEPT, USER_AGENT};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as HyperClient, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{timeout_at, Instant as TokioInstant};

use super::exchange::{Failure, Request, Response, Version};
use crate::any_certificate;

/// A response has at most so many bytes of headers, and so many lines.
const LARGEST_HEAD: usize = 64 << 10;
const MOST_HEADERS: usize = 256;

/// So many bytes of content are read, and the rest left.
const LARGEST_BODY: usize = 64 << 10;

/// Which certificates are taken for the server's.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that the system's authorities vouch for.
    System,
    /// Those that the authorities in this file vouch for.
    File(PathBuf),
    /// Any.
    Anyone,
}

/// How a client asks.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Scheme, host and port.
    pub own_origin: String,
    /// Sent with all requests but preflights.
    pub given_headers: Vec<(String, String)>,
    pub trust: Trust,
    /// From the start of a request to the end of its answer.
    pub timeout: Duration,
    /// So many requests are asked in a second.
    pub rate: u32,
}

type Hyper = HyperClient<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// A client of one server. It follows no redirect.
pub struct Client {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    http1: Hyper,
    http2: Hyper,
    options: ClientOptions,
    given_headers: Vec<(HeaderName, HeaderValue)>,
    /// When the next request may be asked.
    next: Instant,
}

impl Client {
    pub fn new(options: ClientOptions) -> Result<Self> {
        let tls = tls_config(&options.trust)?;
        let mut given_headers = Vec::new();
        for (name, value) in &options.given_headers {
            let header = HeaderName::try_from(name.as_str())
                .ok()
                .zip(HeaderValue::try_from(value.as_str()).ok());
            given_headers.push(header.with_context(|| format!("--header: \"{name}\" is no header that can be sent"))?);
        }
        Ok(Self {
            // A connection that is flooded keeps one thread busy; the other one sees that time is up.
            runtime: Some(Builder::new_multi_thread().worker_threads(2).enable_all().build()?),
            http1: hyper(&tls, Version::Http1, options.timeout),
            http2: hyper(&tls, Version::Http2, options.timeout),
            options,
            given_headers,
            next: Instant::now(),
        })
    }

    /// Asks, when it is time to, and waits for the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Response, Failure> {
        self.wait();
        let outcome = self.exchange_in_time(request);
        // A server may close a connection that it kept while a request is on its way, and browsers then ask once more.
        let may_repeat = !matches!(request.method.as_str(), "POST" | "PATCH");
        if outcome == Err(Failure::Closed) && may_repeat {
            self.wait();
            return self.exchange_in_time(request);
        }
        outcome
    }

    fn exchange_in_time(&self, request: &Request) -> Result<Response, Failure> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(self.exchange(request)),
            None => Err(Failure::Closed),
        }
    }

    /// Waits until the next request may be asked.
    fn wait(&mut self) {
        thread::sleep(self.next.saturating_duration_since(Instant::now()));
        self.next = Instant::now() + Duration::from_secs(1) / self.options.rate.max(1);
    }

    async fn exchange(&self, request: &Request) -> Result<Response, Failure> {
        let client = match request.version {
            Version::Http1 => &self.http1,
            Version::Http2 => &self.http2,
        };
        let message = self.message(request)?;
        let deadline = TokioInstant::now() + self.options.timeout;
        let timed_out = |_| Failure::TimedOut(self.options.timeout);
        let answered = timeout_at(deadline, client.request(message)).await.map_err(timed_out)?;
        let (head, mut body) = answered.map_err(|error| failure(&error))?.into_parts();
        let mut length = 0;
        // The headers are what counts: content that does not end, or ends badly, is no failure.
        while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > LARGEST_BODY {
                break;
            }
        }
        let lines = head.headers.iter();
        let lines = lines.map(|(name, value)| (name.as_str().to_owned(), printable(value.as_bytes())));
        Ok(Response {
            version: match head.version {
                hyper::Version::HTTP_2 => Version::Http2,
                _ => Version::Http1,
            },
            status: head.status.as_u16(),
            headers: lines.collect(),
            body: length,
        })
    }

    fn message(&self, request: &Request) -> Result<hyper::Request<Empty<Bytes>>, Failure> {
        let mut message = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}{}", self.options.own_origin, request.target))
            .header(ACCEPT, "*/*")
            .header(
                USER_AGENT,
                concat!("nginx-cors/", env!("CARGO_PKG_VERSION"), " (audit)"),
            );
        for (name, value) in &request.headers {
            message = message.header(*name, value.as_str());
        }
        if request.has_given_headers {
            for (name, value) in &self.given_headers {
                message = message.header(name, value);
            }
        }
        let message = message.body(Empty::new());
        message.map_err(|error| Failure::Broken(format!("the request cannot be sent: {error}")))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A server that floods a connection is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn hyper(tls: &ClientConfig, version: Version, timeout: Duration) -> Hyper {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(timeout));
    let secured = HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http();
    let connector = match version {
        Version::Http1 => secured.enable_http1().wrap_connector(connector),
        Version::Http2 => secured.enable_http2().wrap_connector(connector),
    };
    HyperClient::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_max_idle_per_host(1)
        .http1_max_buf_size(LARGEST_HEAD)
        .http1_max_headers(MOST_HEADERS)
        .http2_max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX))
        .http2_only(version == Version::Http2)
        .build(connector)
}

/// What a server has sent, so that a terminal can show it: bytes above ASCII may hold controls that terminals obey.
fn printable(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.replace(|char: char| char.is_control() && char != '\t', "\u{fffd}")
}

fn failure(error: &ClientError) -> Failure {
    // What is above the last cause says which part of the client met it.
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let is_incomplete = cause
        .downcast_ref::<hyper::Error>()
        .is_some_and(hyper::Error::is_incomplete_message);
    let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    let is_closed = is_incomplete || matches!(kind, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe));
    match (error.is_connect(), is_closed) {
        (true, _) => Failure::Connect(cause.to_string()),
        (false, true) => Failure::Closed,
        (false, false) => Failure::Broken(cause.to_string()),
    }
}

fn tls_config(trust: &Trust) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::System => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Trust::File(path) => {
            let explain = || format!("--cacert: {}", path.display());
            for certificate in CertificateDer::pem_file_iter(path).with_context(explain)? {
                roots.add(certificate.with_context(explain)?).with_context(explain)?;
            }
            ensure!(!roots.is_empty(), "--cacert: {} holds no certificate", path.display());
        }
        Trust::Anyone => return any_certificate::tls_config(),
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

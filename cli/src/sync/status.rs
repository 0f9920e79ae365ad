//! What is known of the list, shown over HTTP: `/health` and `/metrics`.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::TcpListener;

/// What can keep the file from being equal to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The source does not answer.
    Source,
    /// Something in the source is wrong.
    Content,
    /// The source has no entry.
    Empty,
    /// The file cannot be written.
    File,
}

impl Obstacle {
    const ALL: [Self; 4] = [Self::Source, Self::Content, Self::Empty, Self::File];

    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Content => "content",
            Self::Empty => "empty",
            Self::File => "file",
        }
    }
}

/// What is known, shared with those who show it.
#[derive(Clone)]
pub struct Status {
    known: Arc<Mutex<Known>>,
}

struct Known {
    file: String,
    source: String,
    is_connected: bool,
    /// The list in the file, if it is one.
    list: Option<List>,
    /// Why the file is not equal to the source; none before the source was read.
    obstacle: Option<(Obstacle, String)>,
    /// When the file was last known to be equal to the source.
    confirmed: Option<u64>,
    /// When the file was replaced by this process.
    replaced: Option<u64>,
    replacements: u64,
    failures: [u64; Obstacle::ALL.len()],
}

#[derive(Clone)]
struct List {
    entries: usize,
    digest: String,
}

/// What `/health` answers.
#[derive(Serialize)]
struct Health<'k> {
    status: &'static str,
    file: &'k str,
    source: &'k str,
    entries: Option<usize>,
    digest: Option<&'k str>,
    obstacle: Option<&'static str>,
    reason: Option<&'k str>,
    confirmed_at: Option<u64>,
    replaced_at: Option<u64>,
}

impl Status {
    /// Nothing is known yet.
    pub fn new(file: String, source: String) -> Self {
        Self {
            known: Arc::new(Mutex::new(Known {
                file,
                source,
                is_connected: false,
                list: None,
                obstacle: None,
                confirmed: None,
                replaced: None,
                replacements: 0,
                failures: [0; Obstacle::ALL.len()],
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // No one who held it can have left it half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file holds this list.
    pub fn has_list(&self, entries: usize, digest: String) {
        self.lock().list = Some(List { entries, digest });
    }

    /// The source answers. Returns whether it had not for a while.
    pub fn is_connected(&self) -> bool {
        let mut known = self.lock();
        known.is_connected = true;
        let was_away = matches!(known.obstacle, Some((Obstacle::Source, _)));
        if was_away {
            known.obstacle = None;
        }
        was_away
    }

    /// The file has been replaced.
    pub fn was_replaced(&self) {
        let mut known = self.lock();
        known.replaced = Some(now());
        known.replacements += 1;
    }

    /// The file is equal to the source.
    pub fn is_equal(&self) {
        let mut known = self.lock();
        known.confirmed = Some(now());
        known.obstacle = None;
    }

    /// The file is not known to be equal to the source. Returns whether that, or the reason for it, is new.
    pub fn is_behind(&self, obstacle: Obstacle, reason: &str) -> bool {
        let mut known = self.lock();
        if obstacle == Obstacle::Source {
            known.is_connected = false;
        }
        if let Some((_, count)) = Obstacle::ALL
            .into_iter()
            .zip(&mut known.failures)
            .find(|(kind, _)| *kind == obstacle)
        {
            *count += 1;
        }
        let now = (obstacle, reason.to_owned());
        known.obstacle.replace(now.clone()) != Some(now)
    }

    /// What is in the way of equality.
    pub fn obstacle(&self) -> Option<Obstacle> {
        let known = self.lock();
        known.obstacle.as_ref().map(|(obstacle, _)| *obstacle)
    }

    /// Serves what is known at this address, for as long as the process lives. Returns the address, whose port may have
    /// been picked by the kernel.
    pub async fn serve(&self, address: SocketAddr) -> Result<SocketAddr> {
        let explain = || format!("the status cannot be served at {address}; name another address with --status");
        let listener = TcpListener::bind(address).await.with_context(explain)?;
        let bound = listener.local_addr().with_context(explain)?;
        let status = self.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let status = status.clone();
                        let service = service_fn(move |request: Request<Incoming>| {
                            let response = status.answer(request.method(), request.uri().path());
                            async { Ok::<_, Infallible>(response) }
                        });
                        tokio::spawn(async move {
                            let connection = http1::Builder::new()
                                .timer(TokioTimer::new())
                                .header_read_timeout(Duration::from_secs(5))
                                .keep_alive(false)
                                .serve_connection(TokioIo::new(stream), service);
                            // Whoever has asked is gone.
                            let _ = connection.await;
                        });
                    }
                    // No file descriptor is left, for example.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        Ok(bound)
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let known = self.lock();
        let (status, content_type, body) = match (method, path) {
            (&Method::GET | &Method::HEAD, "/health") => {
                let status = match known.list {
                    Some(_) => StatusCode::OK,
                    None => StatusCode::SERVICE_UNAVAILABLE,
                };
                (status, "application/json", known.health())
            }
            (&Method::GET | &Method::HEAD, "/metrics") => {
                (StatusCode::OK, "text/plain; version=0.0.4", known.metrics())
            }
            (&Method::GET | &Method::HEAD, _) => (
                StatusCode::NOT_FOUND,
                "text/plain",
                "/health and /metrics are served here\n".to_owned(),
            ),
            _ => (
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain",
                "GET is served here\n".to_owned(),
            ),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
        response
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl Known {
    fn is_up_to_date(&self) -> bool {
        self.is_connected && self.obstacle.is_none() && self.confirmed.is_some()
    }

    /// A list that is behind is still served, and whoever watches processes must not end them for it: a source that is
    /// away would take all of its readers down.
    fn health(&self) -> String {
        let obstacle = self.obstacle.as_ref();
        let list = self.list.as_ref();
        let health = Health {
            status: match list {
                None => "no_list",
                Some(_) if self.is_up_to_date() => "up_to_date",
                Some(_) => "behind",
            },
            file: &self.file,
            source: &self.source,
            entries: list.map(|list| list.entries),
            digest: list.map(|list| &*list.digest),
            obstacle: obstacle.map(|(obstacle, _)| obstacle.name()),
            reason: obstacle.map(|(_, reason)| &**reason),
            confirmed_at: self.confirmed,
            replaced_at: self.replaced,
        };
        let mut text = serde_json::to_string(&health).unwrap_or_default();
        text.push('\n');
        text
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "# HELP nginx_cors_sync_{name} {help}");
            let _ = writeln!(text, "# TYPE nginx_cors_sync_{name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "nginx_cors_sync_{name}{labels} {value}");
            }
        };
        let plain = |value: u64| [(String::new(), value)];
        metric(
            "up_to_date",
            "gauge",
            "Whether the file is known to be equal to the source.",
            &plain(u64::from(self.is_up_to_date())),
        );
        metric(
            "source_up",
            "gauge",
            "Whether the source answers.",
            &plain(u64::from(self.is_connected)),
        );
        if let Some(list) = &self.list {
            metric(
                "entries",
                "gauge",
                "The entries in the file.",
                &plain(list.entries as u64),
            );
            metric(
                "info",
                "gauge",
                "The file, and the digest of the list in it.",
                &[(
                    format!("{{file=\"{}\",digest=\"{}\"}}", escaped(&self.file), list.digest),
                    1,
                )],
            );
        }
        metric(
            "replacements_total",
            "counter",
            "How often the file was replaced.",
            &plain(self.replacements),
        );
        let failures = Obstacle::ALL.iter().zip(self.failures);
        let failures: Vec<_> = failures
            .map(|(obstacle, count)| (format!("{{obstacle=\"{}\"}}", obstacle.name()), count))
            .collect();
        metric(
            "failures_total",
            "counter",
            "How often the file could not be made equal to the source, by what was in the way.",
            &failures,
        );
        if let Some(confirmed) = self.confirmed {
            metric(
                "confirmed_timestamp_seconds",
                "gauge",
                "When the file was found or made equal to the source.",
                &plain(confirmed),
            );
        }
        if let Some(replaced) = self.replaced {
            metric(
                "replaced_timestamp_seconds",
                "gauge",
                "When the file was replaced.",
                &plain(replaced),
            );
        }
        text
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status::new("/run/list.txt".to_owned(), "redis://a/0/b".to_owned())
    }

    fn health(status: &Status) -> (u16, String) {
        let code = status.answer(&Method::GET, "/health").status().as_u16();
        let text = status.lock().health();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        (code, value["status"].as_str().unwrap().to_owned())
    }

    #[test]
    fn without_a_list_nothing_is_healthy() {
        let status = status();
        assert_eq!(health(&status), (503, "no_list".to_owned()));
        status.is_connected();
        status.is_behind(Obstacle::Empty, "no entry");
        assert_eq!(health(&status), (503, "no_list".to_owned()));
    }

    #[test]
    fn a_list_that_is_behind_is_healthy_and_said_to_be_behind() {
        let status = status();
        status.has_list(1, "0123".to_owned());
        assert_eq!(health(&status), (200, "behind".to_owned()));
        status.is_connected();
        status.is_equal();
        assert_eq!(health(&status), (200, "up_to_date".to_owned()));
        status.is_behind(Obstacle::Source, "connection refused");
        assert_eq!(health(&status), (200, "behind".to_owned()));
    }

    #[test]
    fn the_same_obstacle_is_new_once() {
        let status = status();
        assert!(status.is_behind(Obstacle::File, "no space"));
        assert!(!status.is_behind(Obstacle::File, "no space"));
        assert!(status.is_behind(Obstacle::File, "read-only"));
        status.is_equal();
        assert!(status.is_behind(Obstacle::File, "read-only"));
        assert!(status
            .lock()
            .metrics()
            .contains("failures_total{obstacle=\"file\"} 4\n"));
    }

    #[test]
    fn other_paths_and_methods_are_told_what_there_is() {
        let status = status();
        assert_eq!(status.answer(&Method::GET, "/").status(), 404);
        assert_eq!(status.answer(&Method::POST, "/health").status(), 405);
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}

//! An application for nginx to pass requests to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::gateway;
use crate::wait::patience;

/// A request as the application got it.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(present, _)| present.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A server on a port of its own that answers one request per connection.
pub struct Upstream {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How nginx talks to the application.
#[derive(Clone, Copy)]
enum Protocol {
    Http,
    FastCgi,
    Uwsgi,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Received>>,
    stopping: AtomicBool,
}

impl Upstream {
    /// Sends what `handler` returns, byte for byte. Nothing at all makes nginx answer 502.
    pub fn start(handler: impl Fn(&Received) -> Vec<u8> + Send + 'static) -> Self {
        Self::speak(Protocol::Http, handler)
    }

    /// Speaks FastCGI. `handler` returns a response as CGI has it, with its status in a header.
    pub fn fastcgi(handler: impl Fn(&Received) -> Vec<u8> + Send + 'static) -> Self {
        Self::speak(Protocol::FastCgi, handler)
    }

    /// Speaks uwsgi. `handler` returns a response as HTTP has it.
    pub fn uwsgi(handler: impl Fn(&Received) -> Vec<u8> + Send + 'static) -> Self {
        Self::speak(Protocol::Uwsgi, handler)
    }

    fn speak(protocol: Protocol, handler: impl Fn(&Received) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let shared = Arc::new(Shared::default());
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming() {
                    if shared.stopping.load(Ordering::SeqCst) {
                        return;
                    }
                    // A client that goes away is nginx's affair.
                    let _ = stream.and_then(|stream| serve(stream, protocol, &shared, &handler));
                }
            }
        });
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }

    /// Answers every request with 200, the given header lines, and `hello` as its body.
    pub fn with_headers(headers: &[&str]) -> Self {
        let head: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{head}\r\nhello");
        Self::start(move |_| response.clone().into_bytes())
    }

    /// Closes each connection without an answer.
    pub fn dead() -> Self {
        Self::start(|_| Vec::new())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread up.
        let woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let outcome = thread.join();
            assert!(outcome.is_ok() || thread::panicking(), "the handler failed");
        }
    }
}

fn serve(
    mut stream: TcpStream,
    protocol: Protocol,
    shared: &Shared,
    handler: &impl Fn(&Received) -> Vec<u8>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(patience()))?;
    let mut reader = BufReader::new(&stream);
    let request = match protocol {
        Protocol::Http => receive(&mut reader),
        Protocol::FastCgi => gateway::receive_fastcgi(&mut reader),
        Protocol::Uwsgi => gateway::receive_uwsgi(&mut reader),
    }?;
    shared
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    let response = handler(&request);
    match protocol {
        Protocol::Http | Protocol::Uwsgi => stream.write_all(&response),
        Protocol::FastCgi => stream.write_all(&gateway::wrap_fastcgi(&response)),
    }
}

fn receive(stream: &mut impl BufRead) -> io::Result<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut request_line = lines.first().ok_or(io::ErrorKind::UnexpectedEof)?.split(' ');
    let method = request_line.next().unwrap_or_default().to_owned();
    let target = request_line.next().unwrap_or_default().to_owned();
    let mut received = Received {
        method,
        target,
        headers: lines
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: Vec::new(),
    };
    let length = received.get("Content-Length").map(str::parse);
    if let Some(Ok(length)) = length {
        stream.take(length).read_to_end(&mut received.body)?;
    }
    Ok(received)
}

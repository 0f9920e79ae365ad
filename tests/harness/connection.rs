//! A plain HTTP/1 client that neither corrects what it sends nor tidies what it reads.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::request::Request;
use crate::response::Response;
use crate::wait::patience;

/// A connection that can carry several requests.
pub struct Connection {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// What bytes are written to and read from: TCP, or TLS over it.
pub(crate) trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Connection {
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a listening port");
        Self::over(stream, |stream| Box::new(stream))
    }

    /// One that sends and reads through what `wrap` makes of the stream.
    pub(crate) fn over(stream: TcpStream, wrap: impl FnOnce(TcpStream) -> Box<dyn Stream>) -> Self {
        stream.set_read_timeout(Some(patience())).expect("a read timeout");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream: wrap(stream),
            unread: Vec::new(),
        }
    }

    /// Sends `bytes` as they are. A server may answer, and close, before it has read them all.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        match self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush()) {
            Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                panic!("cannot write: {error}")
            }
            _ => (),
        }
    }

    /// Sends a request and reads the response; the connection stays open.
    pub fn send(&mut self, request: &Request) -> Response {
        self.write(request.to_bytes());
        self.read_response_to(request)
    }

    /// Does the same, unless the server closes the connection first.
    pub fn try_send(&mut self, request: &Request) -> Option<Response> {
        self.write(request.to_bytes());
        while self.unread.is_empty() {
            if !self.fill() {
                return None;
            }
        }
        Some(self.read_response_to(request))
    }

    /// Reads the response to a request that was written before.
    pub fn read_response_to(&mut self, request: &Request) -> Response {
        self.read(request.is_head())
    }

    /// Reads the response to whatever was written, as long as that was no `HEAD`.
    pub fn read_response(&mut self) -> Response {
        self.read(false)
    }

    /// Fails the test unless the server has closed the connection without another byte.
    pub fn assert_closed(&mut self) {
        while self.fill() {}
        assert!(
            self.unread.is_empty(),
            "bytes after the response: {}",
            self.unread.escape_ascii()
        );
    }

    fn read(&mut self, is_head: bool) -> Response {
        let head = self.read_until(b"\r\n\r\n");
        let mut response = parse_head(&head);
        let bodiless = is_head || matches!(response.status, 100..=199 | 204 | 304);
        response.body = if bodiless {
            Vec::new()
        } else if response.get("Transfer-Encoding") == Some("chunked") {
            self.read_chunks()
        } else if let Some(length) = response.get("Content-Length") {
            let length = length.parse().expect("a length");
            self.read_exactly(length)
        } else {
            while self.fill() {}
            std::mem::take(&mut self.unread)
        };
        response
    }

    fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = String::from_utf8(self.read_until(b"\r\n")).expect("a chunk size");
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk size");
            let mut chunk = self.read_exactly(size + 2);
            assert!(chunk.ends_with(b"\r\n"), "a chunk without an end");
            if size == 0 {
                return body;
            }
            chunk.truncate(size);
            body.append(&mut chunk);
        }
    }

    fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            self.fill_or_fail();
        }
        self.take(length)
    }

    fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            let found = self.unread.windows(end.len()).position(|at| at == end);
            if let Some(start) = found {
                return self.take(start + end.len());
            }
            self.fill_or_fail();
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.unread.split_off(length);
        std::mem::replace(&mut self.unread, rest)
    }

    fn fill_or_fail(&mut self) {
        assert!(
            self.fill(),
            "closed in the middle of a response, after {:?}",
            self.unread.escape_ascii().to_string()
        );
    }

    /// Reads what there is; false at the end of the stream.
    fn fill(&mut self) -> bool {
        let mut bytes = [0; 8192];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(read) => {
                self.unread.extend_from_slice(&bytes[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("cannot read: {error}"),
        }
    }
}

fn parse_head(head: &[u8]) -> Response {
    let malformed = || -> ! { panic!("malformed response: {}", head.escape_ascii()) };
    let mut lines = head
        .strip_suffix(b"\r\n\r\n")
        .unwrap_or(head)
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix(b"HTTP/1.1 "))
        .and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok())
        .unwrap_or_else(|| malformed());
    let headers = lines
        .map(|line| {
            let colon = line
                .windows(2)
                .position(|at| at == b": ")
                .unwrap_or_else(|| malformed());
            let name = std::str::from_utf8(&line[..colon]).unwrap_or_else(|_| malformed());
            (name.to_owned(), line[colon + 2..].to_vec())
        })
        .collect();
    Response {
        status,
        headers,
        body: Vec::new(),
    }
}

/// Sends one request on a connection of its own, and makes sure that nothing follows the response.
pub(crate) fn send_once(mut connection: Connection, request: &Request) -> Response {
    let request = if request.has("Connection") {
        request.clone()
    } else {
        request.clone().header("Connection", "close")
    };
    let response = connection.send(&request);
    if response.status != 101 {
        connection.assert_closed();
    }
    response
}

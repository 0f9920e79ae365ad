//! A connection that is asked whether origins are allowed, and that survives what goes wrong.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use harness::Request;

/// So long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The bytes of a request for a file.
pub fn request(origin: &str) -> Vec<u8> {
    Request::get("/document.json")
        .header("Host", "api.example.com")
        .header("Connection", "keep-alive")
        .header("Sec-Fetch-Site", "cross-site")
        .origin(origin)
        .to_bytes()
}

pub struct Answer {
    pub status: u16,
    /// The process id of the worker.
    pub worker: u32,
    pub is_allowed: bool,
    /// Whether nginx closes the connection after it.
    pub closes: bool,
}

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let buffer = Vec::new();
        Ok(Self { stream, buffer })
    }

    /// Nothing if the connection was closed before an answer began, as nginx may close one that waits for a request.
    pub fn ask(&mut self, request: &[u8]) -> Result<Option<Answer>> {
        self.buffer.clear();
        let is_closed = |kind| {
            matches!(
                kind,
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
            )
        };
        match self.stream.write_all(request) {
            Err(error) if is_closed(error.kind()) => return Ok(None),
            other => other?,
        }
        let mut piece = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Err(error) if self.buffer.is_empty() && is_closed(error.kind()) => return Ok(None),
                Ok(0) => bail!("the answer ends in its middle"),
                other => self.buffer.extend_from_slice(piece.get(..other?).unwrap_or_default()),
            }
            if let Some(answer) = answer(&self.buffer)? {
                return Ok(Some(answer));
            }
        }
    }
}

/// Nothing if there is more to come.
fn answer(bytes: &[u8]) -> Result<Option<Answer>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let value = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    };
    let length: usize = value("Content-Length").map_or(Ok(0), str::parse)?;
    if bytes.len() < end + 4 + length {
        return Ok(None);
    }
    ensure!(bytes.len() == end + 4 + length, "more than one answer");
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Some(Answer {
        status,
        worker: value("X-Worker").map_or(Ok(0), str::parse)?,
        is_allowed: value("Access-Control-Allow-Origin").is_some(),
        closes: value("Connection") == Some("close"),
    }))
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let text = b"HTTP/1.1 200 OK\r\nX-Worker: 12\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab";
        for length in 0..text.len() {
            assert!(answer(&text[..length]).expect("a beginning").is_none(), "{length}");
        }
        let found = answer(text).expect("an answer").expect("all of it");
        assert_eq!((found.status, found.worker), (200, 12));
        assert!(found.closes && !found.is_allowed);
        assert!(answer(&[text.as_slice(), b"H"].concat()).is_err());
    }
}

//! One request, and its answer.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::any_certificate;
use crate::browser::Answer;

/// So large the header of an answer may be.
const MOST: usize = 256 << 10;
/// So many headers it may have.
const MOST_HEADERS: usize = 200;

/// A request.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub path: String,
    pub host: String,
    pub headers: Vec<(String, String)>,
}

/// Sends a request to the nginx that listens on `socket`.
pub fn ask(socket: &Path, tls: bool, sent: &Sent, patience: Duration) -> Result<Answer> {
    let stream = UnixStream::connect(socket).with_context(|| socket.display().to_string())?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let deadline = Instant::now() + patience;
    match tls {
        false => exchange(stream, sent, deadline),
        true => {
            let name =
                ServerName::try_from(sent.host.clone()).or_else(|_| ServerName::try_from("localhost".to_owned()))?;
            // The certificate is one of the trial's own.
            let connection = ClientConnection::new(Arc::new(any_certificate::tls_config()?), name)?;
            exchange(StreamOwned::new(connection, stream), sent, deadline)
        }
    }
}

fn exchange(mut stream: impl Read + Write, sent: &Sent, deadline: Instant) -> Result<Answer> {
    let Sent {
        method,
        path,
        host,
        headers,
    } = sent;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if matches!(&**method, "POST" | "PUT" | "PATCH") {
        text += "Content-Length: 0\r\n";
    }
    text += "\r\n";
    stream.write_all(text.as_bytes())?;
    stream.flush()?;
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    loop {
        if let Some(answer) = parse(&bytes)? {
            return Ok(answer);
        }
        if bytes.len() > MOST {
            bail!("the header of its answer does not end within {} KiB", MOST >> 10);
        }
        if Instant::now() > deadline {
            bail!("it does not end its answer in time");
        }
        let length = match stream.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                bail!("it does not answer in time")
            }
            // 444 closes the connection.
            Err(error) if bytes.is_empty() && error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) if bytes.is_empty() && error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        if length == 0 {
            return match bytes.is_empty() {
                true => Ok(Answer {
                    status: 444,
                    headers: Vec::new(),
                }),
                false => bail!("it ends in the middle of a header"),
            };
        }
        bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
}

/// The answer, once its header is complete.
fn parse(bytes: &[u8]) -> Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let end = match response.parse(bytes).context("its answer is no HTTP")? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(end) => end,
    };
    let status = response.code.unwrap_or_default();
    // More follows on a 100 or a 103.
    if (100..200).contains(&status) && status != 101 {
        return parse(bytes.get(end..).unwrap_or_default());
    }
    let headers = response.headers.iter();
    let headers = headers.map(|header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_ascii_lowercase(), value)
    });
    Ok(Some(Answer {
        status,
        headers: headers.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_behind_early_hints() {
        let bytes = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\nVary: Origin\r\n\r\n";
        let answer = parse(bytes).unwrap().unwrap();
        assert_eq!(answer.status, 204);
        assert_eq!(answer.headers, [("vary".to_owned(), "Origin".to_owned())]);
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n").unwrap(), None);
    }
}

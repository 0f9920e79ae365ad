//! The stand-in for applications: it answers every request, and asks nobody.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// A request says with this header which status its answer is to have.
pub const STATUS: &str = "X-Nginx-Cors-Status";

/// So long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// So large the header of a request may be.
const MOST: usize = 256 << 10;

/// Answers on a socket until this process ends. `authentication` are paths that `auth_request` asks: they let in who has
/// credentials.
pub fn serve(socket: &Path, authentication: BTreeSet<String>) -> Result<()> {
    let listener = UnixListener::bind(socket).with_context(|| socket.display().to_string())?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            // nginx is told what went wrong by the end of the connection.
            let _ = answer(stream, &authentication);
        }
    });
    Ok(())
}

fn answer(mut stream: UnixStream, authentication: &BTreeSet<String>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") && bytes.len() < MOST {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&bytes);
    let status = status_for(&text, authentication);
    let body = "stand-in\n";
    let is_head = text.starts_with("HEAD ");
    let reason = if status < 400 { "OK" } else { "Refused" };
    let answer = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        body.len(),
        if is_head { "" } else { body }
    );
    stream.write_all(answer.as_bytes())
}

/// The status of the answer to a request.
fn status_for(request: &str, authentication: &BTreeSet<String>) -> u16 {
    let mut lines = request.lines();
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let value = |name: &str| {
        let mut headers = request.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    };
    if authentication.contains(path) {
        return if value("Authorization").is_some() { 204 } else { 401 };
    }
    value(STATUS).and_then(|status| status.parse().ok()).unwrap_or(200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_which_status_it_wants() {
        let wants = |request| status_for(request, &BTreeSet::new());
        assert_eq!(wants("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), 200);
        assert_eq!(wants("GET / HTTP/1.0\r\nx-nginx-cors-status: 500\r\n\r\n"), 500);
    }

    #[test]
    fn who_is_asked_for_leave_gives_it_for_credentials() {
        let paths = BTreeSet::from(["/auth".to_owned()]);
        assert_eq!(status_for("GET /auth HTTP/1.0\r\n\r\n", &paths), 401);
        assert_eq!(
            status_for("GET /auth HTTP/1.0\r\nAuthorization: x\r\n\r\n", &paths),
            204
        );
    }
}

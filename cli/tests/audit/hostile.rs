//! Servers that mean no good: the tool ends within its limits, and says what it saw.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::server::{listen, read, right, serve, APP};
use crate::{audit, err, ids, is_app};

/// Audits with a second for each answer, and is done long before a minute is over.
fn audit_in_time(port: u16) -> Output {
    let start = Instant::now();
    let output = audit(port, &["--timeout", "1", "--format", "json"]);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    output
}

/// The tool ends with 2, and says why.
#[track_caller]
fn assert_refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", err(output));
    assert!(err(output).starts_with("error: http://127.0.0.1:"), "{}", err(output));
    assert!(err(output).contains(why), "{why}: {}", err(output));
    assert!(!err(output).contains("panicked"), "{}", err(output));
}

/// Reads the request, and sends this once.
fn answering(bytes: &'static [u8]) -> u16 {
    listen(move |mut stream| {
        read(&mut BufReader::new(stream.try_clone()?))?;
        stream.write_all(bytes)
    })
}

/// Reads the request, and sends the first, and then the second until the client has had enough.
fn flooding(first: &'static [u8], then: &'static [u8]) -> u16 {
    listen(move |mut stream| {
        read(&mut BufReader::new(stream.try_clone()?))?;
        stream.write_all(first)?;
        loop {
            stream.write_all(then)?;
        }
    })
}

#[test]
fn one_that_never_answers() {
    let port = listen(|mut stream| {
        // Until the client goes away.
        io::copy(&mut stream, &mut io::sink()).map(drop)
    });
    assert_refused(&audit_in_time(port), "no answer within 1 s");
}

#[test]
fn one_that_is_not_there() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    assert_refused(&audit_in_time(port), "cannot be reached: ");
}

#[test]
fn one_that_sends_headers_for_ever() {
    let port = flooding(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n");
    assert_refused(&audit_in_time(port), "no answer that HTTP knows");
}

#[test]
fn one_that_sends_a_header_without_an_end() {
    let port = flooding(b"HTTP/1.1 200 OK\r\nX-Long: ", &[b'a'; 4096]);
    assert_refused(&audit_in_time(port), "no answer that HTTP knows");
}

#[test]
fn one_that_promises_an_answer_for_ever() {
    let port = flooding(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n");
    assert_refused(&audit_in_time(port), "no answer within 1 s");
}

#[test]
fn one_that_sends_garbage() {
    assert_refused(
        &audit_in_time(answering(b"\x00\xff\x13\x37 SSH-2.0 \r\n\r\n")),
        "no answer that HTTP knows",
    );
}

#[test]
fn one_that_closes_each_connection() {
    assert_refused(&audit_in_time(answering(b"")), "the connection was closed");
}

#[test]
fn one_that_closes_in_the_middle_of_its_headers() {
    assert_refused(
        &audit_in_time(answering(b"HTTP/1.1 200 OK\r\nAccess-Cont")),
        "the connection was closed",
    );
}

#[test]
fn one_that_sends_content_for_ever_is_audited_all_the_same() {
    let port = listen(|mut stream: TcpStream| {
        let Some(asked) = read(&mut BufReader::new(stream.try_clone()?))? else {
            return Ok(());
        };
        let answer = right(&asked, is_app);
        stream.write_all(format!("{}Connection: close\r\n\r\n", answer.head()).as_bytes())?;
        if matches!(answer.status, 204 | 304) || asked.method == "HEAD" {
            return Ok(());
        }
        loop {
            stream.write_all(&[b'a'; 4096])?;
        }
    });
    let output = audit_in_time(port);
    assert_eq!(ids(&output), [""; 0], "{}", err(&output));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn one_that_redirects_elsewhere_is_not_followed() {
    let asked_elsewhere = Arc::new(AtomicUsize::new(0));
    let elsewhere = listen({
        let asked_elsewhere = Arc::clone(&asked_elsewhere);
        move |mut stream| {
            asked_elsewhere.fetch_add(1, Ordering::SeqCst);
            stream.read(&mut [0]).map(drop)
        }
    });
    let location = format!("http://127.0.0.1:{elsewhere}/");
    let port = serve(move |asked| {
        let mut answer = right(asked, is_app);
        if asked.method == "GET" && asked.origin() == Some(APP) {
            answer.status = 302;
            answer = answer.with("Location", &location);
        }
        answer
    });
    assert_eq!(ids(&audit_in_time(port)), ["redirected-elsewhere"]);
    assert_eq!(asked_elsewhere.load(Ordering::SeqCst), 0);
}

#[test]
fn one_that_stops_answering_is_left_alone_after_three_requests() {
    let asked = Arc::new(AtomicUsize::new(0));
    let port = listen({
        let asked = Arc::clone(&asked);
        move |mut stream| {
            read(&mut BufReader::new(stream.try_clone()?))?;
            match asked.fetch_add(1, Ordering::SeqCst) {
                0..=4 => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
                _ => Ok(()),
            }
        }
    });
    assert_refused(&audit_in_time(port), "the last 3 of 8 requests have had no answer");
    // Each of the three was asked twice.
    assert_eq!(asked.load(Ordering::SeqCst), 11);
}

#[test]
fn one_that_sends_controls_for_terminals_is_shown_without_them() {
    let port = serve(|asked| {
        let answer = right(asked, is_app).without("Access-Control-Allow-Origin");
        // U+009B begins what colours a terminal, or worse.
        answer.with("Access-Control-Allow-Origin", "https://\u{9b}31mred.example")
    });
    let output = audit(port, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("https://\u{fffd}31mred.example"), "{text}");
    assert!(!text.contains('\u{9b}'), "{text}");
}

#[test]
fn one_that_fails_at_an_odd_request_is_told_of() {
    let port = listen(|mut stream| {
        let Some(asked) = read(&mut BufReader::new(stream.try_clone()?))? else {
            return Ok(());
        };
        if asked.origin() == Some("://") {
            return Ok(());
        }
        let answer = right(&asked, is_app);
        stream.write_all(format!("{}Connection: close\r\n\r\n", answer.head()).as_bytes())
    });
    let output = audit_in_time(port);
    assert_eq!(ids(&output), ["no-answer"]);
    assert_eq!(output.status.code(), Some(1));
}

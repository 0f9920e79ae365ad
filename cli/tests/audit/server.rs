//! Servers on loopback, one connection a thread.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// The page that each server is to allow.
pub const APP: &str = "https://app.example.com";

/// A request as a server gets it.
pub struct Asked {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of a header that is sent once.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value.as_str())
    }

    pub fn origin(&self) -> Option<&str> {
        self.only("Origin")
    }

    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS" && self.origin().is_some() && self.only("Access-Control-Request-Method").is_some()
    }
}

/// What it answers.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(sent, _)| !sent.eq_ignore_ascii_case(name));
        self
    }

    /// Its first lines, before the empty one.
    pub fn head(&self) -> String {
        let mut text = format!("HTTP/1.1 {} Status\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text
    }

    /// The same without any header of CORS.
    pub fn bare(mut self) -> Self {
        self.headers.retain(|(name, _)| !name.starts_with("Access-Control-"));
        self
    }
}

/// What a server without a fault answers: whatever `is_allowed` says may be read, and changed with PUT.
pub fn right(asked: &Asked, is_allowed: fn(&str) -> bool) -> Answer {
    let origin = asked.origin().filter(|origin| is_allowed(origin));
    let status = match asked.method.as_str() {
        "OPTIONS" if asked.is_preflight() => match origin {
            Some(_) => 204,
            None => 403,
        },
        _ if asked.target.contains("no-such-file") => 404,
        "GET" if asked.only("If-None-Match").is_some() => 304,
        "GET" if asked.only("Range").is_some() => 206,
        "GET" | "HEAD" => 200,
        _ => 405,
    };
    let mut answer = Answer::new(status).with("Vary", "Origin").with("ETag", "\"1\"");
    if let Some(origin) = origin {
        answer = answer.with("Access-Control-Allow-Origin", origin);
        if asked.is_preflight() {
            answer = answer
                .with("Access-Control-Allow-Methods", "GET, PUT")
                .with("Access-Control-Allow-Headers", "Content-Type")
                .with("Access-Control-Max-Age", "600");
        }
    }
    answer
}

/// A server that does with each connection what it is told.
pub fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the tests.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            // A client that goes away is no failure.
            thread::spawn(move || drop(serve(stream)));
        }
    });
    port
}

/// A server that answers each request of a connection.
pub fn serve(answer: impl Fn(&Asked) -> Answer + Clone + Send + 'static) -> u16 {
    listen(move |stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(asked) = read(&mut reader)? {
            let answer = answer(&asked);
            let mut text = answer.head();
            match answer.status {
                101 => text += "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
                204 | 304 => text += "\r\n",
                _ if asked.method == "HEAD" => text += "Content-Length: 5\r\n\r\n",
                _ => text += "Content-Length: 5\r\n\r\nhello",
            }
            (&stream).write_all(text.as_bytes())?;
            if answer.status == 101 {
                break;
            }
        }
        Ok(())
    })
}

/// The next request of a connection, if there is one more.
pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Ok(Some(Asked {
        method,
        target,
        headers,
    }))
}

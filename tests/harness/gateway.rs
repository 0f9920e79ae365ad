//! FastCGI and uwsgi, as far as an application needs them.

use std::io::{self, BufRead, Read};

use crate::upstream::Received;

/// Reads a request as FastCGI records.
pub(crate) fn receive_fastcgi(stream: &mut impl BufRead) -> io::Result<Received> {
    const PARAMS: u8 = 4;
    const STDIN: u8 = 5;
    let (mut params, mut body) = (Vec::new(), Vec::new());
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header)?;
        let [_, kind, _, _, high, low, padding, _] = header;
        let mut content = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        stream.read_exact(&mut content)?;
        stream.read_exact(&mut vec![0; padding.into()])?;
        match kind {
            PARAMS => params.append(&mut content),
            // An empty record ends the stream.
            STDIN if content.is_empty() => break,
            STDIN => body.append(&mut content),
            _ => (),
        }
    }
    let mut rest = &params[..];
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let name = fastcgi_length(&mut rest)?;
        let value = fastcgi_length(&mut rest)?;
        variables.push((text(&mut rest, name)?, text(&mut rest, value)?));
    }
    Ok(received(variables, body))
}

fn fastcgi_length(bytes: &mut &[u8]) -> io::Result<usize> {
    let mut first = [0];
    bytes.read_exact(&mut first)?;
    let [first] = first;
    if first < 0x80 {
        return Ok(first.into());
    }
    let mut others = [0; 3];
    bytes.read_exact(&mut others)?;
    let [second, third, fourth] = others;
    Ok(u32::from_be_bytes([first & 0x7f, second, third, fourth]) as usize)
}

/// Puts a CGI response into FastCGI records.
pub(crate) fn wrap_fastcgi(response: &[u8]) -> Vec<u8> {
    const END_REQUEST: u8 = 3;
    const STDOUT: u8 = 6;
    let record = |kind, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("a short response").to_be_bytes();
        let mut record = vec![1, kind, 0, 1, length[0], length[1], 0, 0];
        record.extend_from_slice(content);
        record
    };
    [
        record(STDOUT, response),
        record(STDOUT, &[]),
        record(END_REQUEST, &[0; 8]),
    ]
    .concat()
}

/// Reads a request as a uwsgi packet, with its body after it.
pub(crate) fn receive_uwsgi(stream: &mut impl BufRead) -> io::Result<Received> {
    let mut header = [0; 4];
    stream.read_exact(&mut header)?;
    let [_, low, high, _] = header;
    let mut packet = vec![0; usize::from(u16::from_le_bytes([low, high]))];
    stream.read_exact(&mut packet)?;
    let mut rest = &packet[..];
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let mut string = || {
            let mut length = [0; 2];
            rest.read_exact(&mut length)?;
            text(&mut rest, u16::from_le_bytes(length).into())
        };
        variables.push((string()?, string()?));
    }
    let mut received = received(variables, Vec::new());
    if let Some(Ok(length)) = received.get("Content-Length").map(str::parse) {
        stream.take(length).read_to_end(&mut received.body)?;
    }
    Ok(received)
}

fn text(bytes: &mut &[u8], length: usize) -> io::Result<String> {
    let mut text = vec![0; length];
    bytes.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The request behind the variables of CGI.
fn received(variables: Vec<(String, String)>, body: Vec<u8>) -> Received {
    let variable = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let header = |name: &str| match name {
        "CONTENT_LENGTH" | "CONTENT_TYPE" => Some(name.replace('_', "-")),
        _ => Some(name.strip_prefix("HTTP_")?.replace('_', "-")),
    };
    Received {
        method: variable("REQUEST_METHOD"),
        target: variable("REQUEST_URI"),
        headers: variables
            .iter()
            .filter_map(|(name, value)| Some((header(name)?, value.clone())))
            .collect(),
        body,
    }
}

//! Words as nginx takes them (`ngx_conf_read_token`).

/// The value of a word as it is written, with its quotes.
pub fn value(written: &str) -> String {
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(written);
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner.chars().peekable();
    while let Some(sign) = rest.next() {
        let meant = match (sign, rest.peek()) {
            ('\\', Some('"')) => '"',
            ('\\', Some('\'')) => '\'',
            ('\\', Some('\\')) => '\\',
            ('\\', Some('t')) => '\t',
            ('\\', Some('r')) => '\r',
            ('\\', Some('n')) => '\n',
            _ => {
                value.push(sign);
                continue;
            }
        };
        value.push(meant);
        rest.next();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn quotes_are_taken_away() {
        assert_eq!(value("\"a b\""), "a b");
        assert_eq!(value("'a b'"), "a b");
        assert_eq!(value("''"), "");
        assert_eq!(value("\""), "\"");
    }

    #[test]
    fn a_backslash_stays_before_what_needs_none() {
        assert_eq!(value(r"~^https://a\.example$"), r"~^https://a\.example$");
        assert_eq!(value(r#""a\"b""#), "a\"b");
        assert_eq!(value(r"\\."), r"\.");
    }
}

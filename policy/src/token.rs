//! Tokens and lists of RFC 9110.

use std::iter::once;

use memchr::memchr_iter;

/// `tchar` of RFC 9110, section 5.6.2.
const TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        #[allow(clippy::indexing_slicing)] // evaluated by the compiler
        {
            table[byte] = c.is_ascii_alphanumeric()
                || matches!(
                    c,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                );
        }
        byte += 1;
    }
    table
};

/// Whether `bytes` are a `token` of RFC 9110, section 5.6.2.
pub fn is_token(bytes: &[u8]) -> bool {
    bytes.iter().copied().all(is_tchar) && !bytes.is_empty()
}

#[inline]
pub(crate) fn is_tchar(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing)] // a u8 is always inside a table of 256
    TCHAR[usize::from(byte)]
}

/// The elements of a list as RFC 9110, section 5.6.1.2 has recipients read it: empty elements do not count.
pub(crate) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut start = 0;
    // A line may be as long as nginx takes it, and most of it is names.
    memchr_iter(b',', line)
        .chain(once(line.len()))
        .map(move |end| {
            let element = line.get(start..end).unwrap_or_default();
            start = end + 1;
            trim_optional_whitespace(element)
        })
        .filter(|element| !element.is_empty())
}

/// `OWS` of RFC 9110, section 5.6.3, cut off at both ends.
fn trim_optional_whitespace(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Whether `name`, a token, is `lower` in any case. All letters of a token have the bit in lower case, and so have all
/// signs that occur here. Eight bytes are compared at once; the last eight come first, as the ends of names differ most.
#[inline]
pub fn is_named<const N: usize>(name: &[u8], lower: &[u8; N]) -> bool {
    const { assert!(N >= 4) };
    const FOLD: u64 = 0x2020_2020_2020_2020;
    let Ok(name) = <&[u8; N]>::try_from(name) else {
        return false;
    };
    let long = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes) | FOLD);
    let short = |bytes: &[u8]| {
        bytes
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes) | FOLD as u32)
    };
    let (Some(name_end), Some(lower_end)) = (name.get(N.saturating_sub(8)..), lower.get(N.saturating_sub(8)..)) else {
        return false;
    };
    if N < 8 {
        let (Some(name_rest), Some(lower_rest)) = (name.get(N - 4..), lower.get(N - 4..)) else {
            return false;
        };
        return short(name_rest) == short(lower_rest) && short(name) == short(lower);
    }
    let mut chunks = name.chunks_exact(8).zip(lower.chunks_exact(8));
    long(name_end) == long(lower_end) && chunks.all(|(name, lower)| long(name) == long(lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_no_separator_control_or_eight_bit_byte() {
        for token in ["GET", "x-foo", "!#$%&'*+-.^_`|~", "0"] {
            assert!(is_token(token.as_bytes()), "{token}");
        }
        for other in [
            &b""[..],
            b"a b",
            b"a,b",
            b"a:b",
            b"\"a\"",
            b"a\x7f",
            b"\xe9",
            b"a\0",
            b"a/b",
            b"(a)",
        ] {
            assert!(!is_token(other), "{other:?}");
        }
    }

    #[test]
    fn a_list_may_hold_spaces_tabs_and_empty_elements() {
        let read: Vec<_> = elements(b", a,\tb ,,c d , ").collect();
        assert_eq!(read, [&b"a"[..], b"b", b"c d"]);
    }

    #[test]
    fn a_name_is_known_in_any_case() {
        assert!(is_named(b"ORIGIN", b"origin"));
        assert!(is_named(
            b"Access-Control-Request-Method",
            b"access-control-request-method"
        ));
        assert!(is_named(b"sec-fetch-site", b"sec-fetch-site"));
        for other in ["Origins", "Orange", "Orig1n", "0rigin", ""] {
            assert!(!is_named(other.as_bytes(), b"origin"), "{other}");
        }
        for other in ["Sec-Fetch-Mode", "Sec_Fetch-Site", "Sac-Fetch-Site"] {
            assert!(!is_named(other.as_bytes(), b"sec-fetch-site"), "{other}");
        }
    }
}

//! The value of `cors_zone`: a name and a size.

use cors_policy::{shown, Position};

use super::zone::bytes_for;
use crate::nginx::string::parse_size;

const DIRECTIVE: &str = "cors_zone";

/// The name and the size in bytes, or what is wrong with them. There can be one zone; `earlier` is where that stands.
pub(crate) fn parse_zone<'v>(values: &[&'v [u8]], earlier: Option<&Position>) -> Result<(&'v str, usize), String> {
    const WRITE: &str = "write a name and a size, such as \"cors:256k\"";
    let refused = |value: &[u8], why: &str| format!("\"{DIRECTIVE}\" has the value \"{}\": {why}", shown(value));
    let [value] = values else {
        return Err(refused(&values.join(&b' '), &format!("it takes one value; {WRITE}")));
    };
    let text = std::str::from_utf8(value).ok().and_then(|value| value.rsplit_once(':'));
    let Some((name, size)) = text.filter(|(name, _)| !name.is_empty()) else {
        return Err(refused(
            value,
            &format!("a name, a colon and a size are expected; {WRITE}"),
        ));
    };
    let bytes =
        parse_size(size.as_bytes()).ok_or_else(|| refused(value, &format!("\"{size}\" is no size; {WRITE}")))?;
    let least = bytes_for(1);
    if bytes < least {
        return Err(refused(
            value,
            &format!("it is too small; write \"{name}:{}k\"", least / 1024),
        ));
    }
    match earlier {
        None => Ok((name, bytes)),
        Some(earlier) => Err(format!(
            "\"{DIRECTIVE}\" directive is duplicate: it stands at {earlier} already; remove one"
        )),
    }
}

//! What the Fetch standard says of the headers of responses, for those who look for faults in them.

use cors_policy::ListEntry;

/// The headers of responses that the Fetch standard names, and one that browsers had for a while.
pub const RESPONSE_HEADERS: [&str; 7] = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Allow-Private-Network",
];

/// The methods that people write in lower case, and browsers send in upper case.
pub const UPPER_CASE_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// No browser keeps the answer to a preflight for more seconds than Firefox does.
pub const LONGEST_MAX_AGE: u64 = 86_400;

/// The header that `name` resembles most.
pub fn nearest_response_header(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let distance = |known: &&str| strsim::osa_distance(&known.to_ascii_lowercase(), &name);
    RESPONSE_HEADERS.into_iter().min_by_key(distance).unwrap_or_default()
}

/// Why no browser sends `value` as an origin, and what to do.
pub fn origin_error(value: &str) -> Option<(String, Option<String>)> {
    match ListEntry::read(value) {
        Ok(entry) if entry.text == value && !entry.is_pattern => None,
        Ok(entry) if entry.is_pattern => Some((
            "nginx takes the \"*\" for a character".to_owned(),
            Some(format!("write \"cors on; cors_allow_origin {};\"", entry.text)),
        )),
        Ok(entry) => Some((
            format!("browsers write \"{}\"", entry.text),
            Some(format!("write \"{}\"", entry.text)),
        )),
        Err(error) => {
            let told = error.to_string();
            let (why, remedy) = told
                .split_once("; ")
                .map_or((told.as_str(), None), |(why, rest)| (why, Some(rest)));
            Some((why.to_owned(), remedy.map(str::to_owned)))
        }
    }
}

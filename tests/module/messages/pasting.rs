//! Remedies, pasted as a reader of the message would paste them.

use once_cell::sync::Lazy;
use regex::Regex;

use super::rows::Row;
use super::Message;

/// What a row becomes by one remedy.
pub struct Mended {
    pub text: String,
    /// The remedy takes something away, or takes back what was meant.
    pub takes_away: bool,
}

/// The row with each remedy that the message names.
pub fn mend(row: &Row, message: &Message) -> Vec<Mended> {
    let reason = reason(&message.text);
    let quoted = quoted_remedies(reason);
    if !row.mended.is_empty() {
        let mended = row.mended.iter().map(|text| Mended {
            text: (*text).to_owned(),
            takes_away: false,
        });
        return mended.collect();
    }
    let pasted = quoted.iter().map(|remedy| Mended {
        text: paste(row.written, message, remedy),
        takes_away: matches!(*remedy, "off" | "cors off"),
    });
    let removed = (quoted.is_empty() && reason.contains("remove ")).then(|| Mended {
        text: paste(row.written, message, ""),
        takes_away: true,
    });
    pasted.chain(removed).collect()
}

/// What the message says to write, and no configuration of the row has.
pub fn untried<'m>(row: &Row, message: &'m Message) -> Vec<&'m str> {
    let mut remedies = quoted_remedies(reason(&message.text));
    remedies.retain(|remedy| !row.mended.is_empty() && !row.mended.iter().any(|mended| mended.contains(remedy)));
    remedies
}

/// What a message says behind the directive and the value.
pub fn reason(text: &str) -> &str {
    static HEAD: Lazy<Regex> = Lazy::new(|| {
        Regex::new(r#"^"[a-z_]+" has (?:no value|the value ".*?"(?: beside .*? at \S+)?[:;]) ?"#)
            .expect("a valid pattern")
    });
    HEAD.find(text).map_or(text, |head| &text[head.end()..])
}

/// What is quoted behind "write".
fn quoted_remedies(reason: &str) -> Vec<&str> {
    static QUOTED: Lazy<Regex> = Lazy::new(|| Regex::new(r#""([^"]*)""#).expect("a valid pattern"));
    let Some((_, behind)) = reason.split_once("write ") else {
        return Vec::new();
    };
    let quoted = QUOTED.captures_iter(behind);
    quoted
        .map(|quoted| quoted.get(1).expect("the group").as_str())
        .collect()
}

/// The text with the remedy in its place: a directive on a line of its own or in the place of another one, a value in the
/// place of the wrong one. An empty remedy takes the value away.
fn paste(written: &str, message: &Message, remedy: &str) -> String {
    let mut lines: Vec<String> = written.lines().map(str::to_owned).collect();
    if remedy.starts_with("cors ") || remedy.starts_with("cors_") {
        let name = remedy.split(' ').next().unwrap_or_default();
        let line = format!("{};", remedy.trim_end_matches(';'));
        // A directive that may stand once takes the place of the one that is there.
        let there = lines
            .iter_mut()
            .find(|line| line.split_whitespace().next() == Some(name));
        match there {
            Some(there) if name != "cors_unsafe" => *there = line,
            _ => lines.push(line),
        }
        return lines.join("\n");
    }
    let line = &mut lines[message.line.max(1) - 1];
    *line = match (part_that_is_wrong(&message.text), remedy) {
        (Some(part), _) => with_part(line, part, remedy),
        (None, "") => String::new(),
        (None, remedy) => line.replacen(';', &format!(" {remedy};"), 1),
    };
    // A directive without a value is no directive.
    if line.split_whitespace().nth(1).is_none_or(|value| value == ";") && line.trim_end().ends_with(';') {
        line.clear();
    }
    lines.join("\n")
}

/// The value that a message names, or the branch of an expression.
fn part_that_is_wrong(text: &str) -> Option<&str> {
    static VALUE: Lazy<Regex> =
        Lazy::new(|| Regex::new(r#"^"[a-z_]+" has the value "(.*?)"(?: beside|[:;])"#).expect("a valid pattern"));
    static BRANCH: Lazy<Regex> = Lazy::new(|| Regex::new(r#": its branch "(.*?)" matches"#).expect("a valid pattern"));
    let part = BRANCH.captures(text).or_else(|| VALUE.captures(text))?;
    part.get(1).map(|part| part.as_str())
}

/// The line with the last occurrence of a word, or of a part of one, replaced. Quotes go with the word, except where an
/// expression needs them.
fn with_part(line: &str, part: &str, remedy: &str) -> String {
    let quoted = ["\"", "'"].map(|quote| format!("{quote}{part}{quote}"));
    let whole = quoted
        .iter()
        .find(|quoted| line.contains(quoted.as_str()) && !remedy.starts_with('~'));
    let found = whole.map_or(part, String::as_str);
    let place = line
        .rfind(found)
        .unwrap_or_else(|| panic!("{found:?} is not in {line:?}"));
    let (before, behind) = line.split_at(place);
    let behind = &behind[found.len()..];
    match remedy {
        "" => format!("{}{behind}", before.trim_end()),
        _ => format!("{before}{remedy}{behind}"),
    }
}

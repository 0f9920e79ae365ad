//! The variables that the words of a configuration use.

use crate::nginx::{Directive, Sources};
use crate::site::block::condition;
use crate::site::{BlockId, Request, Site, Text, Value};

/// The names of the variables in a word.
pub fn variables_of(word: &str) -> Vec<String> {
    Text::parse(word).variables().map(str::to_owned).collect()
}

/// Whether only a running nginx knows if the condition of an `if` holds.
pub fn is_condition_unknown(site: &Site<'_>, location: BlockId, directive: &Directive) -> bool {
    let words = condition(directive);
    let Some(first) = words.first().filter(|first| first.starts_with('$')) else {
        // Files.
        return true;
    };
    // By which origin and method it holds is tried elsewhere; here it is enough whether that can be known.
    let request = Request::get(Some("https://stranger.example"));
    let assigned = site.rewrite(location, &request).assigned;
    let value = site.variables.value(&Text::parse(first), &request, &assigned);
    let is_regex = words.get(1).is_some_and(|operator| operator.contains('~'));
    let source = words.get(2).copied().unwrap_or_default();
    let is_tried = !is_regex || site.variables.regexes.matches(source, false, "").is_some();
    value == Value::Unknown || !is_tried
}

/// Calls `found` for each variable that a directive uses, and those in its block. A `map` and a `set` do not use the variable
/// that they define.
pub fn each_use(sources: &Sources, directive: &Directive, found: &mut impl FnMut(&str)) {
    let defines = match &*directive.name.value {
        "set" => Some(0),
        "map" | "geo" | "split_clients" => Some(1),
        _ => None,
    };
    let own = defines.and_then(|number| directive.argument(number));
    let own = own.map(|name| name.trim_start_matches('$').to_ascii_lowercase());
    let words = [&directive.name].into_iter().chain(&directive.arguments);
    for name in words.flat_map(|word| variables_of(&word.value)) {
        // What `set $a "${a}b"` adds to is of no use by itself.
        if own.as_ref() != Some(&name) {
            found(&name);
        }
    }
    match &directive.block {
        Some(inner) => inner.iter().for_each(|inner| each_use(sources, inner, found)),
        None => {
            // Code of another language may read variables by their names alone.
            let text = sources.slice(directive.span);
            if text.ends_with('}') {
                let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                names.for_each(|name| found(&name.to_ascii_lowercase()));
            }
        }
    }
}

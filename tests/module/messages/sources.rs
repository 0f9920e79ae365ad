//! The texts in the sources.

use std::fs;
use std::path::{Path, PathBuf};

use harness::workspace_root;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use regex::Regex;

/// Where messages are made.
const DIRECTORIES: [&str; 6] = [
    "policy/src",
    "src/config",
    "src/metrics",
    "src/handlers",
    "src/request",
    "src/live_lists",
];

/// What `try` answers, the page says and `nginx-cors lint` says: no messages of nginx.
const NO_MESSAGES: [&str; 3] = [
    "policy/src/simulation.rs",
    "policy/src/remedy.rs",
    "policy/src/origin/regex/searched.rs",
];

/// Texts that are no messages, or that no configuration brings about.
const UNSEEN: [(&str, &str); 13] = [
    (
        "the list holds 4 GiB already; use patterns",
        "a test would need as much memory",
    ),
    ("cors zone \"{}\" is too small", "nginx -t has refused it before"),
    (
        " (and {} more of this kind)",
        "stands behind a message where there are many; policy/src/problems.rs tests it",
    ),
    (
        "\"cors_origin_list {name}\": {text}; put them right, too",
        "follows ten others; tests/module/lists.rs sees it",
    ),
    (
        "\"cors_origin_list {}\": its memory cannot be set up",
        "the system has no random numbers",
    ),
    (
        "it changes all the time",
        "a file would have to change each time that it is read",
    ),
    ("the memory of the list is gone", "the timer has looked before"),
    ("an internal error", "there was a panic"),
    ("GET, HEAD", "the value of a header"),
    ("dead branch", "the name of a kind"),
    ("given up", "the name of a kind"),
    ("not asked", "the name of a kind"),
    ("too long", "the name of a kind"),
];

/// A text in the sources, with `{}` where something is filled in.
pub struct Text {
    pub place: String,
    pub text: String,
}

impl Text {
    /// Whether this is what the text becomes, or a part of it.
    pub fn is_in(&self, message: &str) -> bool {
        let fixed = self.text.replace("{{", "\u{1}").replace("}}", "\u{2}");
        let placeholder = Regex::new(r"\{[^{}]*\}").expect("a valid pattern");
        let parts = placeholder
            .split(&fixed)
            .map(|part| regex::escape(&part.replace('\u{1}', "{").replace('\u{2}', "}")));
        let pattern = parts.collect::<Vec<_>>().join("(?s:.*)");
        Regex::new(&pattern).expect("a valid pattern").is_match(message)
    }
}

/// The texts of all files, but for those that are known to be no messages.
pub fn texts() -> Vec<Text> {
    let mut texts = Vec::new();
    for directory in DIRECTORIES {
        for file in files(&workspace_root().join(directory)) {
            let place = file.strip_prefix(workspace_root()).expect("a file of the workspace");
            let place = place.display().to_string();
            if NO_MESSAGES.contains(&&*place) || place.ends_with("tests.rs") {
                continue;
            }
            let source = fs::read_to_string(&file).expect("a source");
            let tokens: TokenStream = source.parse().expect("a source of Rust");
            let mut found = Vec::new();
            collect(tokens, &mut found);
            let is_text = |text: &String| text.trim().contains(' ') && !UNSEEN.iter().any(|(unseen, _)| unseen == text);
            texts.extend(found.into_iter().filter(is_text).map(|text| Text {
                place: place.clone(),
                text,
            }));
        }
    }
    texts
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Collects the strings, but for those of comments and of what is compiled for tests alone.
fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!'));
                let Some(TokenTree::Group(attribute)) = tokens.next() else {
                    continue;
                };
                let attribute = attribute.stream();
                let text = attribute.to_string().replace(' ', "");
                if text == "cfg(test)" {
                    // The item behind it ends with a block or a semicolon.
                    let is_end = |token: &TokenTree| match token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(punct) => punct.as_char() == ';',
                        _ => false,
                    };
                    tokens.by_ref().find(is_end);
                } else if text.starts_with("error(") {
                    collect(attribute, found);
                }
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    found.push(text.value());
                }
            }
            _ => (),
        }
    }
}

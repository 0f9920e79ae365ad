//! Reads a file to see whether it can be served: the first of the two times that it is read.

use core::fmt;

use cors_policy::{shown, ListEntry, PatternShapes};
use sha2::{Digest as _, Sha256};

use crate::checked::{Checked, Digest, RiskyEntries};
use crate::entry;
use crate::record::words_for;
use crate::words::{Format, Word, WordKind, Words, LONGEST_WORD};

/// So many faults of a file are told one by one; the rest are counted.
const MOST_TOLD: usize = 10;

/// Something that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is, counted from 1.
    pub line: u64,
    /// What it is, and what to write instead, on one line.
    pub text: String,
}

/// Why a file cannot be served. Shown with the name of the file before it, it begins with file:line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first ten.
    pub first: Vec<Fault>,
    /// How many more there are.
    pub more: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// All that are told, on one line.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.first.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for Faults {}

/// Takes each fault as it is found.
pub type Listener = Box<dyn FnMut(&Fault) + Send>;

/// Checks a file, which it is given in pieces of any size.
pub struct Check {
    words: Words,
    digest: Sha256,
    seen: Seen,
}

struct Seen {
    checked: Checked,
    found: Found,
}

struct Found {
    faults: Faults,
    listener: Option<Listener>,
}

impl Found {
    fn add(&mut self, line: u64, text: impl FnOnce() -> String) {
        let told = self.faults.first.len() < MOST_TOLD;
        if told || self.listener.is_some() {
            let fault = Fault { line, text: text() };
            if let Some(listener) = &mut self.listener {
                listener(&fault);
            }
            if told {
                self.faults.first.push(fault);
            }
        }
        if !told {
            self.faults.more += 1;
        }
    }
}

impl Check {
    /// Begins to check a file of this format.
    pub fn new(format: Format) -> Self {
        Self::begin(format, None)
    }

    /// Begins to check a file of this format, and has each fault told as it is found, also those beyond the first ten.
    pub fn telling(format: Format, listener: Listener) -> Self {
        Self::begin(format, Some(listener))
    }

    fn begin(format: Format, listener: Option<Listener>) -> Self {
        Self {
            words: Words::new(format),
            digest: Sha256::new(),
            seen: Seen {
                checked: Checked {
                    format,
                    entries: 0,
                    records: 0,
                    shapes: PatternShapes::default(),
                    digest: Digest([0; 32]),
                    risky: RiskyEntries::default(),
                },
                found: Found {
                    faults: Faults::default(),
                    listener,
                },
            },
        }
    }

    /// Reads the next piece.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.words.feed(bytes, &mut |word| self.seen.word(word));
    }

    /// What there is to know of the file, or what is wrong in it.
    pub fn finish(mut self) -> Result<Checked, Faults> {
        self.words.finish(&mut |word| self.seen.word(word));
        let Seen { mut checked, found } = self.seen;
        let faults = found.faults;
        if !faults.first.is_empty() {
            return Err(faults);
        }
        checked.digest = Digest(self.digest.finalize().into());
        Ok(checked)
    }
}

impl Seen {
    fn word(&mut self, word: Word<'_>) {
        match word.kind {
            WordKind::Entry { key, text } => self.entry(word.line, key, text),
            WordKind::Key(key) if key.windows(3).any(|bytes| bytes == b"://") => self.found.add(word.line, || {
                format!(
                    "\"{}\" stands where the key belongs; begin the line with the key",
                    shown(key)
                )
            }),
            WordKind::Key(_) => {}
            WordKind::TooLong(begun) => self.found.add(word.line, || {
                format!("a word is longer than {LONGEST_WORD} bytes: \"{}\"", shown(begun))
            }),
        }
    }

    fn entry(&mut self, line: u64, key: &[u8], text: &[u8]) {
        let Self { checked, found } = self;
        let Ok(value) = core::str::from_utf8(text) else {
            return found.add(line, || format!("\"{}\" is no UTF-8", shown(text)));
        };
        match ListEntry::read(value) {
            Ok(entry) if checked.shapes.add(&entry) => {
                checked.entries += 1;
                checked.records += words_for(entry::length(key, &entry));
                checked.risky.add(entry.risks, line);
            }
            Ok(_) => found.add(line, || {
                format!("\"{}\": its host is longer than any that resolves", shown(text))
            }),
            Err(error) => found.add(line, || format!("\"{}\": {error}", shown(text))),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn check(format: Format, file: &str) -> Result<Checked, Faults> {
        let mut check = Check::new(format);
        check.feed(file.as_bytes());
        check.finish()
    }

    fn faults(file: &str) -> Faults {
        check(Format::Origins, file).unwrap_err()
    }

    #[test]
    fn entries_are_counted_and_the_file_has_the_digest_that_sha256sum_shows() {
        let checked = check(Format::Origins, "abc").unwrap_err();
        assert_eq!(checked.first.len(), 1);
        let checked = check(
            Format::Origins,
            "https://a.example https://*.b.example\n#\nhttps://a.example\n",
        )
        .unwrap();
        assert_eq!(checked.entries(), 3);
        assert_eq!(
            check(Format::Origins, "").unwrap().digest().to_string(),
            "e3b0c44298fc1c14"
        );
        assert_eq!(
            check(Format::Origins, "#abc").unwrap().digest().to_string(),
            "00e16e1d31c0ba2b"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_to_write() {
        let faults = faults("https://a.example\n\napp.example.com # ours\nhttps://b.example * null\n");
        let told: Vec<_> = faults.first.iter().map(ToString::to_string).collect();
        assert_eq!(
            told[0],
            "line 3: \"app.example.com\": the scheme is missing; write \"https://app.example.com\""
        );
        assert!(
            told[1].starts_with("line 4: \"*\": a file lists origins and patterns"),
            "{}",
            told[1]
        );
        assert!(told[2].starts_with("line 4: \"null\": "), "{}", told[2]);
        assert_eq!((told.len(), faults.more), (3, 0));
    }

    #[test]
    fn of_many_faults_ten_are_told_and_the_rest_counted() {
        let faults = faults(&"wrong\n".repeat(1000));
        let lines: Vec<_> = faults.first.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, (1..=10).collect::<Vec<_>>());
        assert_eq!(faults.more, 990);
        assert!(faults.to_string().ends_with("; and 990 more"), "{faults}");
    }

    #[test]
    fn a_listener_is_told_of_every_fault() {
        let (told, heard) = std::sync::mpsc::channel();
        let listener = move |fault: &Fault| told.send(fault.line).unwrap();
        let mut check = Check::telling(Format::Origins, Box::new(listener));
        check.feed("wrong\n".repeat(1000).as_bytes());
        assert_eq!(check.finish().unwrap_err().more, 990);
        assert_eq!(heard.iter().collect::<Vec<_>>(), (1..=1000).collect::<Vec<_>>());
    }

    #[test]
    fn an_origin_in_the_place_of_a_key_is_a_fault() {
        let faults = check(Format::KeyAndOrigins, "one https://a.example\nhttps://b.example\n").unwrap_err();
        assert_eq!(
            faults.to_string(),
            "line 2: \"https://b.example\" stands where the key belongs; begin the line with the key"
        );
    }

    #[test]
    fn a_key_of_nobody_is_no_fault() {
        assert_eq!(check(Format::KeyAndOrigins, "one\n").unwrap().entries(), 0);
    }

    #[test]
    fn bytes_that_are_no_text_and_words_without_end_are_faults() {
        let mut check = Check::new(Format::Origins);
        check.feed(b"https://\xff.example\n");
        check.feed(&[b'a'; 5000]);
        let faults = check.finish().unwrap_err();
        assert!(faults.first[0].text.ends_with("is no UTF-8"), "{faults}");
        assert!(
            faults.first[1].text.starts_with("a word is longer than 1024 bytes"),
            "{faults}"
        );
        assert!(faults.first.iter().all(|fault| fault.text.len() < 300), "{faults}");
    }

    #[test]
    fn entries_that_a_policy_may_have_to_ignore_are_no_faults() {
        let checked = check(
            Format::Origins,
            "https://a.example\nhttp://b.example\nhttps://*.co.uk\n",
        )
        .unwrap();
        let risky: Vec<_> = checked
            .risky()
            .iter(cors_policy::ListRisks::INSECURE | cors_policy::ListRisks::SHARED_NAME)
            .map(|(_, count, line)| (count, line))
            .collect();
        assert_eq!(risky, [(1, 2), (1, 3)]);
    }
}

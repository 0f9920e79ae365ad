//! `nginx-cors check-list`: what nginx would say of a list of origins.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use anyhow::{Context, Result};
use cors_lists::{Check, Fault, Format as FileFormat};
use cors_policy::ListRisks;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::outcome::Outcome;
use crate::output::{counted, print, Format, Report};

/// Check a list of origins, as nginx does before it serves it (cors_origin_list).
///
/// A line holds origins and patterns, separated by spaces; "#" begins a comment. What is wrong is told with file:line, and
/// with what to write instead. Ten lines of each kind are told, and the number of the others.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  nginx-cors check-list /etc/nginx/cors/tenants.txt
  psql -At -c 'SELECT origin FROM customers' | nginx-cors check-list -")]
pub struct Arguments {
    /// The file; "-" is the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The first word of a line is a key: the list is used with key=.
    #[arg(long)]
    key: bool,
    /// Text for people, or JSON.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
}

/// Checks a list.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let (mut reader, name, progress) = open(&arguments.file)?;
    let format = match arguments.key {
        true => FileFormat::KeyAndOrigins,
        false => FileFormat::Origins,
    };
    let report = check(&mut reader, name, format, &progress);
    progress.finish_and_clear();
    let report = report?;
    print(&report, arguments.format)?;
    Ok(match report.faults.is_empty() {
        true => Outcome::NothingFound,
        false => Outcome::Found,
    })
}

/// The file, its name and how far it has been read, which is shown on a terminal.
fn open(path: &Path) -> Result<(Box<dyn Read>, String, ProgressBar)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), "-".to_owned(), ProgressBar::new_spinner()));
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("{name} cannot be opened"))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    Ok((Box::new(file), name, ProgressBar::new(length)))
}

/// So many faults of a kind are told one by one.
const MOST_OF_A_KIND: u64 = 10;

/// What a check has found.
#[derive(Serialize)]
struct Checked {
    file: String,
    /// Whether nginx would serve it.
    valid: bool,
    entries: usize,
    /// As `cors_status` shows it; none where the file is not valid.
    digest: Option<String>,
    faults: Vec<ToldFault>,
    /// The faults that are not told one by one.
    more: Vec<MoreFaults>,
    /// Entries that policies ignore, unless their `cors_unsafe` permits them.
    needs_cors_unsafe: Vec<RiskyEntries>,
}

#[derive(Serialize)]
struct ToldFault {
    line: u64,
    text: String,
}

/// Faults of one kind.
#[derive(Serialize)]
struct MoreFaults {
    /// What is wrong, without the values.
    kind: String,
    count: u64,
}

#[derive(Serialize)]
struct RiskyEntries {
    /// Of `cors_unsafe`.
    value: &'static str,
    /// Whether policies without credentials ignore them, too.
    always: bool,
    count: u64,
    first_line: u64,
}

fn check(reader: &mut dyn Read, file: String, format: FileFormat, progress: &ProgressBar) -> Result<Checked> {
    const PIECE: usize = 1 << 16;
    let (listener, found) = mpsc::channel();
    let mut check = Check::telling(
        format,
        Box::new(move |fault: &Fault| {
            // The other end is there for as long as the check is.
            let _ = listener.send(fault.clone());
        }),
    );
    let mut folding = Folding::default();
    let mut piece = vec![0; PIECE];
    loop {
        let length = match reader.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.with_context(|| format!("{file} cannot be read"))?,
        };
        let Some(bytes) = piece.get(..length).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        check.feed(bytes);
        found.try_iter().for_each(|fault| folding.add(fault));
        progress.inc(length as u64);
    }
    let checked = check.finish();
    found.try_iter().for_each(|fault| folding.add(fault));
    let more = folding.more();
    let faults = folding.told;
    Ok(match checked {
        Ok(checked) => Checked {
            file,
            valid: true,
            entries: checked.entries(),
            digest: Some(checked.digest().to_string()),
            faults,
            more,
            needs_cors_unsafe: risky(&checked),
        },
        Err(_) => Checked {
            file,
            valid: false,
            entries: 0,
            digest: None,
            faults,
            more,
            needs_cors_unsafe: Vec::new(),
        },
    })
}

/// What permits the entries with a risk, and whether policies without credentials need that, too.
const PERMITTED_BY: [(ListRisks, &str, bool); 4] = [
    (ListRisks::INSECURE, "insecure_origins", false),
    (ListRisks::SHARED_NAME, "public_suffixes", true),
    (ListRisks::ANY_HOST, "any_origin_credentials", false),
    (ListRisks::FILE, "null_origin", false),
];

fn risky(checked: &cors_lists::Checked) -> Vec<RiskyEntries> {
    let found = checked.risky();
    let mut risky = Vec::new();
    for (risk, value, always) in PERMITTED_BY {
        for (_, count, first_line) in found.iter(risk) {
            risky.push(RiskyEntries {
                value,
                always,
                count,
                first_line,
            });
        }
    }
    risky
}

/// Tells the first faults of each kind, and counts the others.
#[derive(Default)]
struct Folding {
    told: Vec<ToldFault>,
    kinds: Vec<(String, u64)>,
}

impl Folding {
    fn add(&mut self, fault: Fault) {
        let kind = kind(&fault.text);
        let position = self.kinds.iter().position(|(known, _)| *known == kind);
        let count = match position.and_then(|position| self.kinds.get_mut(position)) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.kinds.push((kind, 1));
                1
            }
        };
        if count <= MOST_OF_A_KIND {
            self.told.push(ToldFault {
                line: fault.line,
                text: fault.text,
            });
        }
    }

    fn more(&self) -> Vec<MoreFaults> {
        let kinds = self.kinds.iter().filter(|(_, count)| *count > MOST_OF_A_KIND);
        kinds
            .map(|(kind, count)| MoreFaults {
                kind: kind.clone(),
                count: count - MOST_OF_A_KIND,
            })
            .collect()
    }
}

/// What is wrong, without the values of one line: they stand between quotation marks.
fn kind(text: &str) -> String {
    let mut outside = text.split('"').step_by(2);
    let first = outside.next().unwrap_or_default().to_owned();
    let kind = outside.fold(first, |kind, part| kind + "\"...\"" + part);
    kind.trim_start_matches("\"...\": ").to_owned()
}

impl Report for Checked {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let file = &self.file;
        for fault in &self.faults {
            writeln!(out, "{file}:{}: {}", fault.line, fault.text)?;
        }
        for MoreFaults { kind, count } in &self.more {
            writeln!(out, "{file}: {count} more: {kind}")?;
        }
        for risky in &self.needs_cors_unsafe {
            writeln!(out, "{file}:{risky}")?;
        }
        match (&self.digest, self.entries) {
            (None, _) => Ok(()),
            (Some(digest), 0) => writeln!(out, "{file}: valid, but empty: a list of nobody; digest {digest}"),
            (Some(digest), entries) => {
                let entries = counted(entries, "entry", "entries");
                writeln!(out, "{file}: valid, {entries}, digest {digest}")
            }
        }
    }
}

impl fmt::Display for RiskyEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            value,
            always,
            count,
            first_line,
        } = self;
        let entries = match count {
            1 => "this entry is".to_owned(),
            2 => "this entry and another are".to_owned(),
            _ => format!("this entry and {} others are", count - 1),
        };
        let place = if *always { "" } else { " where credentials apply" };
        write!(
            f,
            "{first_line}: {entries} ignored{place}, unless the policy says \"cors_unsafe {value}\""
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(format: FileFormat, text: &str) -> Checked {
        let mut bytes = text.as_bytes();
        check(&mut bytes, "list.txt".to_owned(), format, &ProgressBar::hidden()).unwrap()
    }

    fn lines(format: FileFormat, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        checked(format, text).write_text(&mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_valid_list_is_told_with_its_entries_and_digest() {
        assert_eq!(
            lines(FileFormat::Origins, "# ours\nhttps://a.example https://*.b.example\n"),
            ["list.txt: valid, 2 entries, digest bb0a3c378eaed210"]
        );
    }

    #[test]
    fn a_wrong_line_is_told_with_file_and_line_and_what_to_write() {
        assert_eq!(
            lines(FileFormat::Origins, "\napp.example.com\n"),
            ["list.txt:2: \"app.example.com\": the scheme is missing; write \"https://app.example.com\""]
        );
    }

    #[test]
    fn with_keys_the_first_word_of_a_line_is_no_origin() {
        assert!(checked(FileFormat::KeyAndOrigins, "acme https://a.example\n").valid);
        assert!(!checked(FileFormat::Origins, "acme https://a.example\n").valid);
    }

    #[test]
    fn of_each_kind_ten_are_told_and_the_others_counted() {
        let text = format!("{}{}*\n", "a.example\n".repeat(1000), "https://b.example/\n".repeat(12));
        let checked = checked(FileFormat::Origins, &text);
        let told: Vec<_> = checked.faults.iter().map(|fault| fault.line).collect();
        let expected: Vec<_> = (1..=10).chain(1001..=1010).chain([1013]).collect();
        assert_eq!(told, expected);
        let more: Vec<_> = checked.more.iter().map(|more| (&*more.kind, more.count)).collect();
        assert_eq!(more[0], ("the scheme is missing; write \"...\"", 990));
        assert_eq!((more.len(), more[1].1), (2, 2));
    }

    #[test]
    fn an_empty_list_is_valid_and_said_to_be_empty() {
        assert!(lines(FileFormat::Origins, "# none\n")[0].starts_with("list.txt: valid, but empty"));
    }

    #[test]
    fn entries_that_policies_may_ignore_are_told_with_what_permits_them() {
        let lines = lines(
            FileFormat::Origins,
            "http://a.example\nhttp://b.example\nhttps://*.co.uk\n",
        );
        assert_eq!(
            lines[..2],
            [
                "list.txt:1: this entry and another are ignored where credentials apply, unless the policy says \"cors_unsafe \
                 insecure_origins\"",
                "list.txt:3: this entry is ignored, unless the policy says \"cors_unsafe public_suffixes\"",
            ]
        );
        assert!(lines[2].starts_with("list.txt: valid, 3 entries"));
    }

    #[test]
    fn every_risk_has_what_permits_it() {
        let named = PERMITTED_BY.map(|(risk, ..)| risk);
        assert_eq!(named, ListRisks::EACH);
    }
}

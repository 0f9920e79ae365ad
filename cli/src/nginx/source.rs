//! The files of a configuration, and places in them.

use std::path::{Path, PathBuf};

/// A part of a file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The number of the file.
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// From the start of this part to the end of another one of the same file.
    pub fn to(self, other: Self) -> Self {
        match self.file == other.file {
            true => Self {
                end: other.end.max(self.end),
                ..self
            },
            false => self,
        }
    }
}

/// Where a part of a file begins, as people count: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    /// In characters.
    pub column: usize,
}

/// A file that was read.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    /// The path as messages show it.
    name: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// All files that were read, each with its number.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a file, and returns its number.
    pub fn add(&mut self, path: &Path, text: String) -> usize {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = [0].into_iter().chain(breaks.map(|(place, _)| place + 1)).collect();
        self.0.push(Source {
            path: path.to_owned(),
            name: path.display().to_string(),
            text,
            lines,
        });
        self.0.len() - 1
    }

    /// The number of the file at `path`, if it was read.
    pub fn find(&self, path: &Path) -> Option<usize> {
        self.0.iter().position(|source| source.path == path)
    }

    pub fn path(&self, file: usize) -> Option<&Path> {
        self.0.get(file).map(|source| source.path.as_path())
    }

    pub fn name(&self, file: usize) -> &str {
        self.0.get(file).map_or("", |source| &source.name)
    }

    pub fn text(&self, file: usize) -> &str {
        self.0.get(file).map_or("", |source| &source.text)
    }

    /// What stands in a part of a file.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start..span.end).unwrap_or_default()
    }

    /// The line of a place in a file, counted from 1.
    pub fn line(&self, file: usize, offset: usize) -> usize {
        let lines = self.0.get(file).map_or(&[][..], |source| &source.lines);
        lines.partition_point(|start| *start <= offset)
    }

    pub fn place(&self, span: Span) -> Place {
        let line = self.line(span.file, span.start);
        let column = self.line_start(span.file, line).map_or(1, |start| {
            let before = self.text(span.file).get(start..span.start);
            before.map_or(0, |before| before.chars().count()) + 1
        });
        Place { line, column }
    }

    fn line_start(&self, file: usize, line: usize) -> Option<usize> {
        self.0.get(file)?.lines.get(line.checked_sub(1)?).copied()
    }

    /// The text of a line, which is counted from 1.
    pub fn line_text(&self, file: usize, line: usize) -> &str {
        let Some(start) = self.line_start(file, line) else {
            return "";
        };
        let rest = self.text(file).get(start..).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_1_and_in_characters() {
        let mut sources = Sources::default();
        let file = sources.add(Path::new("a.conf"), "# é\nser\n".to_owned());
        let at = |start| {
            sources.place(Span {
                file,
                start,
                end: start + 1,
            })
        };
        assert_eq!(at(0), Place { line: 1, column: 1 });
        assert_eq!(at(4), Place { line: 1, column: 4 });
        assert_eq!(at(5), Place { line: 2, column: 1 });
        assert_eq!(sources.line_text(file, 2), "ser");
    }
}

//! Changes of texts at places of theirs. All else stays as it is, byte by byte.

use std::collections::BTreeMap;

use crate::nginx::Span;

/// What is put into the place of a removed part: it is told from text, and what it leaves of its line is looked at.
const GONE: u8 = 0;

/// The changes of all files.
#[derive(Debug, Default)]
pub struct Edits(BTreeMap<Span, Vec<String>>);

impl Edits {
    /// Takes a directive away.
    pub fn remove(&mut self, span: Span) {
        self.0.entry(span).or_default();
    }

    /// Writes lines in the place of a directive.
    pub fn replace(&mut self, span: Span, lines: Vec<String>) {
        self.0.insert(span, lines);
    }

    /// Writes lines as the first ones of the block that a brace opens, behind which `offset` is.
    pub fn open(&mut self, file: usize, offset: usize, lines: Vec<String>) {
        let span = Span {
            file,
            start: offset,
            end: offset,
        };
        self.0.insert(span, lines);
    }

    /// Writes lines at the head of a file.
    pub fn head(&mut self, file: usize, lines: Vec<String>) {
        self.0.insert(Span { file, start: 0, end: 0 }, lines);
    }

    /// The files that change.
    pub fn files(&self) -> impl Iterator<Item = usize> + '_ {
        let mut last = None;
        self.0
            .keys()
            .map(|span| span.file)
            .filter(move |file| last.replace(*file) != Some(*file))
    }

    /// The text of a file with its changes.
    pub fn apply(&self, file: usize, text: &[u8]) -> Vec<u8> {
        let mut marked = Vec::with_capacity(text.len());
        let mut done = 0;
        for (span, lines) in self.0.iter().filter(|(span, _)| span.file == file) {
            // What lies within a part that is gone is gone, too.
            if span.start < done {
                continue;
            }
            marked.extend_from_slice(text.get(done..span.start).unwrap_or_default());
            done = span.end;
            if span.start < span.end {
                match (lines.is_empty(), indent_of(text, span.start)) {
                    (true, None) => trim_blanks(&mut marked),
                    (true, Some(_)) => {}
                    (false, Some(indent)) => marked.extend(joined(lines, indent, newline(text))),
                    (false, None) => marked.extend(in_a_row(lines)),
                }
                marked.push(GONE);
            } else if span.start == 0 {
                let end = newline(text);
                marked.extend(lines.iter().flat_map(|line| [line.as_bytes(), end].concat()));
            } else {
                done = opened(&mut marked, text, span.start, lines);
            }
        }
        marked.extend_from_slice(text.get(done..).unwrap_or_default());
        cleaned(&marked)
    }
}

/// Writes lines behind an opening brace, and returns up to where the text is written then: a comment on the line of the brace
/// stays there.
fn opened(marked: &mut Vec<u8>, text: &[u8], offset: usize, lines: &[String]) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.trim_ascii().is_empty() && !line.trim_ascii().starts_with(b"#") {
        marked.push(b' ');
        marked.extend(in_a_row(lines));
        return offset;
    }
    // As far in as the first line that stands in the block.
    let mut inner = rest.split(|byte| *byte == b'\n').skip(1);
    let indent = match inner.find(|line| !line.trim_ascii().is_empty()) {
        Some(line) if !line.trim_ascii().starts_with(b"}") => blanks(line).to_vec(),
        _ => {
            let start = text.get(..offset).unwrap_or_default();
            let line = start.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            [blanks(line), b"    "].concat()
        }
    };
    let newline = newline(text);
    marked.extend_from_slice(line);
    marked.extend_from_slice(newline);
    marked.extend_from_slice(&indent);
    marked.extend(joined(lines, &indent, newline));
    offset + line.len()
}

/// The lines, each but the first with its indentation.
fn joined(lines: &[String], indent: &[u8], newline: &[u8]) -> Vec<u8> {
    let separator = [newline, indent].concat();
    let lines = lines.iter().flat_map(|line| line.split('\n')).map(str::as_bytes);
    lines.collect::<Vec<_>>().join(&separator[..])
}

/// The same in one line, without comments.
fn in_a_row(lines: &[String]) -> Vec<u8> {
    let lines = lines.iter().filter(|line| !line.starts_with('#'));
    let words: Vec<_> = lines.flat_map(|line| line.split('\n')).map(str::trim_start).collect();
    words.join(" ").into_bytes()
}

/// What stands before `offset` on its line, if that is nothing but blanks.
fn indent_of(text: &[u8], offset: usize) -> Option<&[u8]> {
    let before = text.get(..offset)?;
    let line = before.rsplit(|byte| *byte == b'\n').next()?;
    (blanks(line).len() == line.len()).then_some(line)
}

fn blanks(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}

fn trim_blanks(text: &mut Vec<u8>) {
    while matches!(text.last(), Some(b' ' | b'\t')) {
        text.pop();
    }
}

fn newline(text: &[u8]) -> &'static [u8] {
    match text.windows(2).any(|pair| pair == b"\r\n") {
        true => b"\r\n",
        false => b"\n",
    }
}

/// Takes the marks away, with the lines of which nothing else is left, and one of two blank lines that come together so.
fn cleaned(marked: &[u8]) -> Vec<u8> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut is_behind_gone = false;
    for line in marked.split(|byte| *byte == b'\n') {
        let line = match line.iter().rposition(|byte| *byte == GONE) {
            None => line.to_vec(),
            Some(mark) => {
                let (before, behind) = line.split_at_checked(mark).unwrap_or_default();
                let behind = behind.get(1..).unwrap_or_default();
                // A comment on what is gone goes with it.
                let behind = match behind.trim_ascii_start().starts_with(b"#") {
                    true => &b""[..],
                    false => behind,
                };
                let rest: Vec<u8> = before
                    .iter()
                    .chain(behind)
                    .copied()
                    .filter(|byte| *byte != GONE)
                    .collect();
                if rest.trim_ascii().is_empty() {
                    is_behind_gone = true;
                    continue;
                }
                let end = rest.trim_ascii_end().len();
                let ends_in_return = line.ends_with(b"\r");
                let mut rest = rest.get(..end).unwrap_or_default().to_vec();
                rest.extend(ends_in_return.then_some(b'\r'));
                rest
            }
        };
        let is_blank = line.trim_ascii().is_empty();
        let last = kept.last().map(|line| line.trim_ascii_end());
        if is_behind_gone && is_blank && last.is_none_or(|last| last.is_empty() || last.ends_with(b"{")) {
            continue;
        }
        if is_behind_gone && line.trim_ascii().starts_with(b"}") && last.is_some_and(<[u8]>::is_empty) {
            kept.pop();
        }
        is_behind_gone = false;
        kept.push(line);
    }
    kept.join(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` without each part in `<...>`, and with `lines` in the place of the first of them.
    fn edited(text: &str, lines: &[&str]) -> String {
        let mut edits = Edits::default();
        let mut plain = String::new();
        for (number, piece) in text.split('<').enumerate() {
            let (gone, rest) = match number {
                0 => ("", piece),
                _ => piece.split_once('>').unwrap(),
            };
            let span = Span {
                file: 0,
                start: plain.len(),
                end: plain.len() + gone.len(),
            };
            match number {
                0 => {}
                1 if !lines.is_empty() => edits.replace(span, lines.iter().map(|line| (*line).to_owned()).collect()),
                _ => edits.remove(span),
            }
            plain += gone;
            plain += rest;
        }
        String::from_utf8(edits.apply(0, plain.as_bytes())).unwrap()
    }

    #[test]
    fn lines_take_the_place_and_the_indentation_of_what_is_gone() {
        assert_eq!(
            edited("a {\n    b;\n    <c;>\n    <d;>\n    e;\n}\n", &["x y\n  z;", "v;"]),
            "a {\n    b;\n    x y\n      z;\n    v;\n    e;\n}\n"
        );
    }

    #[test]
    fn a_comment_on_what_is_gone_goes_with_it_and_others_stay() {
        assert_eq!(
            edited("# one\n<a;> # two\nb; # three\n<c;>\n", &[]),
            "# one\nb; # three\n"
        );
    }

    #[test]
    fn what_shares_a_line_stays() {
        assert_eq!(edited("a { <b;> c; <d;> }\n", &[]), "a { c; }\n");
        assert_eq!(edited("a { <b;> c; }\n", &["# no", "x;", "y;"]), "a { x; y; c; }\n");
    }

    #[test]
    fn blank_lines_do_not_pile_up() {
        assert_eq!(edited("a {\n\n<b;>\n\nc;\n}\n", &[]), "a {\n\nc;\n}\n");
        assert_eq!(edited("a {\nb;\n\n<c;>\n}\n", &[]), "a {\nb;\n}\n");
        assert_eq!(edited("a {\n<c;>\n\nb;\n}\n", &[]), "a {\nb;\n}\n");
        assert_eq!(edited("a;\n\n\n<c;>\nb;\n", &[]), "a;\n\n\nb;\n");
    }

    #[test]
    fn a_block_goes_with_all_of_its_lines() {
        assert_eq!(edited("a;\n<if (b) {\n    c;\n}>\nd;\n", &[]), "a;\nd;\n");
    }

    #[test]
    fn line_ends_stay_what_they_are() {
        assert_eq!(
            edited("a;\r\n<b;>\r\nc;\r\n", &["x;", "y;"]),
            "a;\r\nx;\r\ny;\r\nc;\r\n"
        );
        assert_eq!(edited("a;\r\n<b;>\r\nc;\r\n", &[]), "a;\r\nc;\r\n");
    }

    #[test]
    fn a_block_that_opens_gets_its_lines_first() {
        let opened = |text: &str| {
            let mut edits = Edits::default();
            edits.open(0, text.find('{').unwrap() + 1, vec!["x;".to_owned()]);
            String::from_utf8(edits.apply(0, text.as_bytes())).unwrap()
        };
        assert_eq!(opened("a {\n  b;\n}\n"), "a {\n  x;\n  b;\n}\n");
        assert_eq!(opened("a { # why\n\n  b;\n}\n"), "a { # why\n  x;\n\n  b;\n}\n");
        assert_eq!(opened("  a {\n  }\n"), "  a {\n      x;\n  }\n");
        assert_eq!(opened("a { b; }\n"), "a { x; b; }\n");
        assert_eq!(opened("a {}\n"), "a { x;}\n");
        assert_eq!(opened("a {\r\n  b;\r\n}\r\n"), "a {\r\n  x;\r\n  b;\r\n}\r\n");
    }
}

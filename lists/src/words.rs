//! The words of a file: a line holds entries, separated by spaces, and `#` begins a comment, as in a configuration of
//! nginx. In a file with keys the first word of a line is the key of the others.
//!
//! The file is given in pieces of any size ([`Words::feed`]). What is kept between them is the key of the line and the
//! word that a piece ended in, so that neither the length of the file nor that of a line costs memory.

use arrayvec::ArrayVec;

/// No origin and no key may be longer.
pub(crate) const LONGEST_WORD: usize = 1024;

/// Whether the first word of a line is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every word is an entry.
    Origins,
    /// The first word of a line is a key, and the others are entries for requests that have it.
    KeyAndOrigins,
}

/// A word of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'w> {
    /// The line that it is in, counted from 1.
    pub(crate) line: u64,
    pub(crate) kind: WordKind<'w>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordKind<'w> {
    /// The key of a line.
    Key(&'w [u8]),
    /// An entry for a key, which is empty where there are none.
    Entry { key: &'w [u8], text: &'w [u8] },
    /// The beginning of a word that is longer than [`LONGEST_WORD`].
    TooLong(&'w [u8]),
}

/// Reads words.
pub(crate) struct Words {
    format: Format,
    line: u64,
    key: ArrayVec<u8, LONGEST_WORD>,
    /// The beginning of a word whose end has not been seen.
    begun: ArrayVec<u8, LONGEST_WORD>,
    state: State,
    has_key: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the file has been seen but so many bytes of a [`BYTE_ORDER_MARK`].
    Beginning(usize),
    BetweenWords,
    InWord,
    /// The rest of a word that has been found too long.
    InLongWord,
    InComment,
}

/// What some editors write at the beginning of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Words {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            line: 1,
            key: ArrayVec::new(),
            begun: ArrayVec::new(),
            state: State::Beginning(0),
            has_key: false,
        }
    }

    /// Reads the next piece of the file.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Word<'_>)) {
        while let Some((&first, rest)) = bytes.split_first() {
            match self.state {
                State::Beginning(seen) => {
                    if BYTE_ORDER_MARK.get(seen) == Some(&first) {
                        self.state = State::Beginning(seen + 1);
                        bytes = rest;
                    } else {
                        self.begin(seen);
                    }
                }
                State::InComment => match bytes.iter().position(|byte| *byte == b'\n') {
                    Some(end) => {
                        bytes = bytes.get(end..).unwrap_or_default();
                        self.state = State::BetweenWords;
                    }
                    None => return,
                },
                State::InLongWord if is_space(first) => self.state = State::BetweenWords,
                State::InLongWord => bytes = rest,
                State::BetweenWords if is_space(first) => {
                    if first == b'\n' {
                        self.line += 1;
                        self.has_key = false;
                    }
                    bytes = rest;
                }
                State::BetweenWords if first == b'#' => self.state = State::InComment,
                State::BetweenWords | State::InWord => bytes = self.word(bytes, found),
            }
        }
    }

    /// Leaves the beginning: what looked like a mark, and is none, is the beginning of a word.
    fn begin(&mut self, seen: usize) {
        match BYTE_ORDER_MARK.get(..seen) {
            Some(begun) if seen > 0 && seen < BYTE_ORDER_MARK.len() => {
                self.begun.extend(begun.iter().copied());
                self.state = State::InWord;
            }
            _ => self.state = State::BetweenWords,
        }
    }

    /// Reads a word, or as much of it as there is; what follows is returned.
    fn word<'b>(&mut self, bytes: &'b [u8], found: &mut impl FnMut(Word<'_>)) -> &'b [u8] {
        let end = bytes.iter().position(|byte| is_space(*byte));
        let (part, rest) = bytes
            .split_at_checked(end.unwrap_or(bytes.len()))
            .unwrap_or((bytes, &[]));
        if end.is_some() && self.begun.is_empty() && part.len() <= LONGEST_WORD {
            self.state = State::BetweenWords;
            self.whole(part, found);
        } else if self.begun.try_extend_from_slice(part).is_err() {
            let begun = std::mem::take(&mut self.begun);
            let kind = WordKind::TooLong(if begun.is_empty() { part } else { &begun });
            found(Word { line: self.line, kind });
            self.has_key = true;
            self.state = State::InLongWord;
        } else if end.is_some() {
            let begun = std::mem::take(&mut self.begun);
            self.state = State::BetweenWords;
            self.whole(&begun, found);
        } else {
            self.state = State::InWord;
        }
        rest
    }

    fn whole(&mut self, word: &[u8], found: &mut impl FnMut(Word<'_>)) {
        let kind = if self.format == Format::KeyAndOrigins && !self.has_key {
            self.has_key = true;
            self.key.clear();
            // It fits, as it was not too long.
            let _ = self.key.try_extend_from_slice(word);
            WordKind::Key(&self.key)
        } else {
            WordKind::Entry {
                key: &self.key,
                text: word,
            }
        };
        found(Word { line: self.line, kind });
    }

    /// Reads the word that the file ends with.
    pub(crate) fn finish(mut self, found: &mut impl FnMut(Word<'_>)) {
        self.feed(b"\n", found);
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Each word as `line key entry`, `line key` or `line length!`.
    fn words_in_pieces(format: Format, pieces: &[&[u8]]) -> Vec<String> {
        let mut seen = Vec::new();
        let mut note = |word: Word<'_>| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            seen.push(match word.kind {
                WordKind::Key(key) => format!("{} {}", word.line, text(key)),
                WordKind::Entry { key, text: entry } => format!("{} {} {}", word.line, text(key), text(entry)),
                WordKind::TooLong(_) => format!("{} too long", word.line),
            });
        };
        let mut words = Words::new(format);
        for piece in pieces {
            words.feed(piece, &mut note);
        }
        words.finish(&mut note);
        seen
    }

    fn origins(file: &str) -> Vec<String> {
        words_in_pieces(Format::Origins, &[file.as_bytes()])
    }

    fn keys(file: &str) -> Vec<String> {
        words_in_pieces(Format::KeyAndOrigins, &[file.as_bytes()])
    }

    #[test]
    fn a_line_holds_entries_and_comments() {
        assert_eq!(
            origins("# ours\na b\tc\r\n\n  d # theirs e\n#f\ng#h\ni"),
            ["2  a", "2  b", "2  c", "4  d", "6  g#h", "7  i"]
        );
        assert!(origins("").is_empty() && origins("\n \n# only").is_empty());
    }

    #[test]
    fn with_keys_the_first_word_of_each_line_is_one() {
        assert_eq!(
            keys("one a b # c\n# two d\n two\none e"),
            ["1 one", "1 one a", "1 one b", "3 two", "4 one", "4 one e"]
        );
    }

    #[test]
    fn where_the_file_is_cut_into_pieces_makes_no_difference() {
        let file = "\u{feff}# a\nkey ab # c\r\nöther  d\te\n\n#\nkey f";
        let whole = keys(file);
        let bytes = file.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(
                    words_in_pieces(Format::KeyAndOrigins, &pieces),
                    whole,
                    "{first} {second}"
                );
            }
        }
    }

    #[test]
    fn a_byte_order_mark_at_the_beginning_is_no_part_of_a_word() {
        assert_eq!(origins("\u{feff}a \u{feff}b"), ["1  a", "1  \u{feff}b"]);
        assert_eq!(origins("\u{feff}#a"), [""; 0]);
        // It begins with the same two bytes.
        assert_eq!(origins("\u{feee}a"), ["1  \u{feee}a"]);
    }

    #[test]
    fn a_word_that_is_too_long_is_told_once_and_passed_over() {
        let long = "a".repeat(LONGEST_WORD + 1);
        assert_eq!(
            origins(&format!("{long} b\n{long}")),
            ["1 too long", "1  b", "2 too long"]
        );
        let limit = "a".repeat(LONGEST_WORD);
        assert_eq!(origins(&limit), [format!("1  {limit}")]);
        let pieces = vec![&b"aaaaaaa"[..]; 1000];
        assert_eq!(words_in_pieces(Format::Origins, &pieces), ["1 too long"]);
    }
}

//! The text of one file as directives. `nginx-lint-parser` reads it; what is added here is how nginx puts words together.

use anyhow::{bail, Result};
use nginx_lint_parser::ast::{Argument, ConfigItem, Directive as Parsed};
use nginx_lint_parser::lexer_rowan::tokenize;
use nginx_lint_parser::line_index::LineIndex;
use nginx_lint_parser::parser;
use nginx_lint_parser::rowan_to_ast;
use nginx_lint_parser::syntax_kind::{SyntaxKind, SyntaxNode};

use super::source::Span;
use super::tree::{Comment, Directive, Word};
use super::words;

/// What stands in a file.
#[derive(Debug)]
pub struct File {
    pub directives: Vec<Directive>,
    pub comments: Vec<Comment>,
}

/// Reads the text of the file of this number. `name` is for messages; blocks may stand in each other `deepest` times.
pub fn parse(file: usize, name: &str, text: &str, deepest: usize) -> Result<File> {
    let tokens = tokenize(text);
    let mut comments = Vec::new();
    let mut depth = 0_usize;
    let mut offset = 0;
    for (kind, token) in &tokens {
        match kind {
            // The parser calls itself for each block.
            SyntaxKind::L_BRACE => {
                depth += 1;
                if depth > deepest {
                    let line = LineIndex::new(text).position(offset).line;
                    bail!("{name}:{line}: blocks stand in each other more than {deepest} times");
                }
            }
            SyntaxKind::R_BRACE => depth = depth.saturating_sub(1),
            SyntaxKind::COMMENT => comments.push(Comment {
                span: Span {
                    file,
                    start: offset,
                    end: offset + token.len(),
                },
                is_alone: is_first_of_line(text, offset),
            }),
            _ => {}
        }
        offset += token.len();
    }
    let (tree, errors) = parser::parse(tokens);
    if let Some(error) = errors.first() {
        let line = LineIndex::new(text).position(error.offset).line;
        bail!("{name}:{line}: {}", error.message);
    }
    let parsed = rowan_to_ast::convert(&SyntaxNode::new_root(tree), text);
    Ok(File {
        directives: directives(file, &parsed.items),
        comments,
    })
}

fn is_first_of_line(text: &str, offset: usize) -> bool {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim().is_empty()
}

fn directives(file: usize, items: &[ConfigItem]) -> Vec<Directive> {
    items
        .iter()
        .filter_map(|item| match item {
            ConfigItem::Directive(parsed) => Some(directive(file, parsed)),
            ConfigItem::Comment(_) | ConfigItem::BlankLine(_) => None,
        })
        .collect()
}

fn directive(file: usize, parsed: &Parsed) -> Directive {
    let mut words = Words::new(file);
    // The parser gives the name of a quoted word without its quotes.
    let name = parsed.name_span;
    let is_quoted = name.end.offset - name.start.offset > parsed.name.len();
    let written = match is_quoted {
        true => format!("\"{}\"", parsed.name),
        false => parsed.name.clone(),
    };
    words.add(&written, name.start.offset, name.end.offset);
    for Argument { raw, span, .. } in &parsed.args {
        words.add(raw, span.start.offset, span.end.offset);
    }
    let mut words = words.finish().into_iter();
    let span = Span {
        file,
        start: parsed.span.start.offset,
        end: parsed.span.end.offset,
    };
    Directive {
        name: words.next().unwrap_or(Word { value: "".into(), span }),
        arguments: words.collect(),
        block: parsed
            .block
            .as_ref()
            .filter(|block| block.raw_content.is_none())
            .map(|block| directives(file, &block.items)),
        span,
    }
}

/// Puts together what the parser takes apart: `$scheme://$host` is one word for nginx.
struct Words {
    file: usize,
    found: Vec<Word>,
    /// The word that is put together: as it is written, from where to where.
    open: Option<(String, usize, usize)>,
}

impl Words {
    fn new(file: usize) -> Self {
        Self {
            file,
            found: Vec::new(),
            open: None,
        }
    }

    fn add(&mut self, written: &str, start: usize, end: usize) {
        // Behind its closing quote a word is over, as in `'OPTIONS')`.
        let goes_on =
            |(word, _, word_end): &(String, usize, usize)| *word_end == start && !word.starts_with(['"', '\'']);
        match &mut self.open {
            Some(open) if goes_on(open) => {
                open.0.push_str(written);
                open.2 = end;
            }
            _ => {
                self.close();
                self.open = Some((written.to_owned(), start, end));
            }
        }
    }

    fn close(&mut self) {
        if let Some((written, start, end)) = self.open.take() {
            self.found.push(Word {
                value: words::value(&written).into(),
                span: Span {
                    file: self.file,
                    start,
                    end,
                },
            });
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.close();
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let file = parse(0, "a.conf", text, 10).unwrap();
        let words = |directive: &Directive| {
            let words = [&directive.name].into_iter().chain(&directive.arguments);
            words.map(|word| word.value.to_string()).collect()
        };
        file.directives.iter().map(words).collect()
    }

    #[test]
    fn what_is_written_without_a_space_is_one_word() {
        assert_eq!(
            read("return 301 https://$host$request_uri;"),
            [["return", "301", "https://$host$request_uri"]]
        );
        assert_eq!(
            read(r#"add_header X "$scheme://${host}" always;"#),
            [["add_header", "X", "$scheme://${host}", "always"]]
        );
        assert_eq!(read("https://$host 1;"), [["https://$host", "1"]]);
    }

    #[test]
    fn a_word_ends_with_its_quote() {
        assert_eq!(
            read("if ($request_method = 'OPTIONS') { }"),
            [["if", "($request_method", "=", "OPTIONS", ")"]]
        );
    }

    #[test]
    fn expressions_are_words() {
        let expected = [
            "if",
            "($http_origin",
            "~*",
            r"(https?://[^/]*\.example\.com(:[0-9]+)?)$)",
        ];
        assert_eq!(
            read(r"if ($http_origin ~* (https?://[^/]*\.example\.com(:[0-9]+)?)$) { }"),
            [expected]
        );
        assert_eq!(
            read(r#""~^https://[a-z]{2}\.example$" 1;"#),
            [[r"~^https://[a-z]{2}\.example$", "1"]]
        );
    }

    #[test]
    fn code_of_another_language_is_no_block_of_directives() {
        let file = parse(0, "a.conf", "content_by_lua_block { ngx.say(\"a\") }", 10).unwrap();
        assert!(file.directives[0].block.is_none());
    }

    #[test]
    fn deep_nesting_is_refused_with_its_line() {
        let error = parse(0, "a.conf", &"a {\n".repeat(100_000), 50).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.conf:51: blocks stand in each other more than 50 times"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let error = parse(0, "a.conf", "http {\n", 50).unwrap_err();
        assert!(error.to_string().starts_with("a.conf:2: expected '}'"), "{error}");
    }

    #[test]
    fn comments_are_told_apart_by_what_stands_before_them() {
        let file = parse(0, "a.conf", "# one\na b; # two\n", 10).unwrap();
        let alone: Vec<_> = file.comments.iter().map(|comment| comment.is_alone).collect();
        assert_eq!(alone, [true, false]);
    }
}

//! A path that leads to a location.

use regex::RegexBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::ParserBuilder;

/// A path that `source` matches, the expression of a location; none if none is found.
pub fn example_path(source: &str, ignores_case: bool) -> Option<String> {
    let tree = ParserBuilder::new()
        .case_insensitive(ignores_case)
        .build()
        .parse(source)
        .ok()?;
    let mut example = String::new();
    add_example(&tree, &mut example)?;
    if !example.starts_with('/') {
        example.insert_str(0, "/x");
    }
    let matches = RegexBuilder::new(source).case_insensitive(ignores_case).build().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    (matches.is_match(&example) && example.bytes().all(is_plain)).then_some(example)
}

/// Adds the first text that `tree` stands for.
fn add_example(tree: &Hir, example: &mut String) -> Option<()> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => example.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |sign: char| class.iter().any(|range| range.start() <= sign && sign <= range.end());
            example.push(
                ('a'..='z')
                    .chain('0'..='9')
                    .chain(['/', '.', '-', '_'])
                    .find(|sign| holds(*sign))?,
            );
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min.min(8) {
                add_example(&repetition.sub, example)?;
            }
        }
        HirKind::Capture(capture) => add_example(&capture.sub, example)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| add_example(part, example))?,
        HirKind::Alternation(branches) => add_example(branches.first()?, example)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::example_path;

    #[test]
    fn a_path_is_found_that_the_expression_matches() {
        for (source, path) in [
            (r"\.(eot|ttf|woff2?)$", "/x.eot"),
            ("^/api", "/api"),
            (r"^/v[0-9]+/(users|posts)", "/v0/users"),
            (r"^/.+\.php$", "/a.php"),
        ] {
            assert_eq!(example_path(source, true).as_deref(), Some(path), "{source}");
        }
        assert_eq!(example_path("^/(?!x)", false), None);
    }
}

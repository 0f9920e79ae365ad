//! What the file is to hold: made of the elements, and checked as nginx checks it.

use std::fmt::Write;
use std::mem;

use cors_lists::{self as lists, Check, Digest, Format};

use super::elements::{Element, Place};

/// The content that the file is to have.
pub struct Candidate {
    /// The lines.
    pub content: Vec<u8>,
    /// How many entries they hold.
    pub entries: usize,
    /// What identifies the content.
    pub digest: Digest,
}

/// Why there is no content that the file could have.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The source has no entry.
    Empty,
    /// Something in the source is wrong.
    Wrong(String),
}

/// So many faults are told one by one; the rest are counted.
const MOST_TOLD: usize = 10;

/// Makes the content of the elements. The lines are in the order of their bytes and each is there once, so that whoever
/// reads the same elements makes the same content.
pub fn make(mut elements: Vec<Element<'_>>, format: Format) -> Result<Candidate, Refusal> {
    let mut faults = Faults::default();
    elements.retain(|element| {
        if let Err(reason) = &element.text {
            faults.add(|| format!("{}: {reason}", element.place));
        }
        // What goes on in another line could be an entry for a key that the element is not meant for.
        let is_line = !line(element).iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        if !is_line {
            faults.add(|| format!("{} holds a line break, and has to be one line", element.place));
        }
        is_line && !line(element).is_empty()
    });
    elements.sort_unstable_by(|one, other| line(one).cmp(line(other)));
    elements.dedup_by(|one, other| line(one) == line(other));

    let length = elements.iter().map(|element| line(element).len() + 1).sum();
    let mut content = Vec::with_capacity(length);
    for element in &elements {
        content.extend_from_slice(line(element));
        content.push(b'\n');
    }
    let mut check = Check::new(format);
    check.feed(&content);
    let checked = check.finish();
    if let Err(found) = &checked {
        faults.add_found(found, &elements);
    }
    match checked {
        Ok(checked) if faults.is_empty() => match checked.entries() {
            0 => Err(Refusal::Empty),
            entries => Ok(Candidate {
                digest: checked.digest(),
                content,
                entries,
            }),
        },
        _ => Err(Refusal::Wrong(faults.told())),
    }
}

/// The content of a list of nobody.
pub fn empty(format: Format) -> Option<Candidate> {
    let checked = Check::new(format).finish().ok()?;
    Some(Candidate {
        content: Vec::new(),
        entries: 0,
        digest: checked.digest(),
    })
}

fn line<'e>(element: &'e Element<'_>) -> &'e [u8] {
    element.text.as_deref().unwrap_or_default().trim_ascii()
}

#[derive(Default)]
struct Faults {
    text: String,
    told: usize,
    more: u64,
}

impl Faults {
    fn is_empty(&self) -> bool {
        self.told == 0
    }

    fn add(&mut self, text: impl FnOnce() -> String) {
        if self.told == MOST_TOLD {
            self.more += 1;
            return;
        }
        if self.told > 0 {
            self.text.push_str("; ");
        }
        self.told += 1;
        self.text.push_str(&text());
    }

    /// Adds what is wrong with the lines of elements.
    fn add_found(&mut self, found: &lists::Faults, elements: &[Element<'_>]) {
        for fault in &found.first {
            let number = usize::try_from(fault.line).ok().and_then(|line| line.checked_sub(1));
            let element = number.and_then(|number| elements.get(number));
            self.add(|| match element.map(|element| element.place) {
                // The text begins with it.
                None | Some(Place::Member) => fault.text.clone(),
                Some(place) => format!("{place}: {}", fault.text),
            });
        }
        self.more += found.more;
    }

    fn told(mut self) -> String {
        if self.more > 0 {
            // Writing to a text cannot fail.
            let _ = write!(self.text, "; and {} more", self.more);
        }
        mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn members<'t>(texts: &[&'t str]) -> Vec<Element<'t>> {
        let element = |text: &&'t str| Element {
            text: Ok(Cow::Borrowed(text.as_bytes())),
            place: Place::Member,
        };
        texts.iter().map(element).collect()
    }

    fn content(texts: &[&str]) -> String {
        String::from_utf8(make(members(texts), Format::Origins).unwrap().content).unwrap()
    }

    fn wrong(elements: Vec<Element<'_>>, format: Format) -> String {
        match make(elements, format) {
            Err(Refusal::Wrong(text)) => text,
            Err(other) => panic!("{other:?}"),
            Ok(made) => panic!("{:?}", String::from_utf8_lossy(&made.content)),
        }
    }

    #[test]
    fn the_order_of_the_elements_makes_no_difference() {
        let lines = "https://a.example\nhttps://b.example https://c.example\n";
        assert_eq!(
            content(&["https://b.example https://c.example", "https://a.example"]),
            lines
        );
        let twice = [
            "https://a.example",
            " https://a.example\n",
            "",
            "https://b.example https://c.example",
        ];
        assert_eq!(content(&twice), lines);
    }

    #[test]
    fn the_digest_is_that_of_the_file() {
        let made = make(members(&["https://a.example"]), Format::Origins).unwrap();
        let mut check = Check::new(Format::Origins);
        check.feed(b"https://a.example\n");
        assert_eq!((made.digest, made.entries), (check.finish().unwrap().digest(), 1));
    }

    #[test]
    fn a_wrong_element_is_told_with_its_place_and_what_to_write() {
        let element = |place| {
            vec![Element {
                text: Ok(Cow::Borrowed(&b"a.example"[..])),
                place,
            }]
        };
        let told = "\"a.example\": the scheme is missing; write \"https://a.example\"";
        assert_eq!(wrong(element(Place::Member), Format::Origins), told);
        assert_eq!(
            wrong(element(Place::Key(b"/cors/7")), Format::Origins),
            format!("the value of \"/cors/7\": {told}")
        );
        assert_eq!(wrong(element(Place::Row(3)), Format::Origins), format!("row 3: {told}"));
    }

    #[test]
    fn an_element_of_two_lines_is_wrong() {
        // A tenant who can write only its own element would name its origins for another tenant.
        let texts = [
            "acme https://a.example",
            "globex https://b.example\nacme https://evil.example",
        ];
        assert_eq!(
            wrong(members(&texts), Format::KeyAndOrigins),
            "a member of the set holds a line break, and has to be one line"
        );
    }

    #[test]
    fn an_element_that_can_be_no_line_is_wrong() {
        let mut elements = members(&["https://a.example"]);
        elements.push(Element {
            text: Err("no word".to_owned()),
            place: Place::Row(7),
        });
        assert_eq!(wrong(elements, Format::Origins), "row 7: no word");
    }

    #[test]
    fn of_many_faults_ten_are_told_and_the_rest_counted() {
        let texts: Vec<_> = (0..25).map(|number| format!("{number}.example")).collect();
        let texts: Vec<_> = texts.iter().map(|text| &**text).collect();
        let told = wrong(members(&texts), Format::Origins);
        assert_eq!(told.matches("the scheme is missing").count(), 10);
        assert!(told.ends_with("; and 15 more"), "{told}");
    }

    #[test]
    fn no_entry_at_all_is_empty() {
        for texts in [&[][..], &["", "# none"]] {
            assert_eq!(make(members(texts), Format::Origins).err(), Some(Refusal::Empty));
        }
        // A key without origins admits nobody.
        assert_eq!(
            make(members(&["acme"]), Format::KeyAndOrigins).err(),
            Some(Refusal::Empty)
        );
    }
}

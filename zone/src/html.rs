//! Text that is put into HTML.

/// HTML that is being written. Only what is known when the module is built becomes markup; all else is text.
#[derive(Default)]
pub(crate) struct Html(String);

impl Html {
    /// Adds markup.
    pub(crate) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, or the value of an attribute that stands in double quotes. No character of it has a meaning in HTML, and
    /// none turns the direction in which its neighbours are written.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // A browser would drop them, or take them for others.
                character if character.is_control() || is_directional(character) => self.0.push('\u{fffd}'),
                character => self.0.push(character),
            }
        }
        self
    }

    /// Adds a number as people write it: `12,345`.
    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        let digits = number.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                self.0.push(',');
            }
            self.0.push(digit);
        }
        self
    }

    /// Adds a number for the value of an attribute.
    pub(crate) fn value(&mut self, number: f64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// The marks and overrides of the bidirectional algorithm (UAX #9, section 2).
fn is_directional(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Html) -> &mut Html) -> String {
        let mut html = Html::default();
        write(&mut html);
        String::from_utf8(html.into_bytes()).unwrap()
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(
            written(|html| html.text("<img src='x' onerror=\"alert(1)\">&amp;")),
            "&lt;img src=&#39;x&#39; onerror=&quot;alert(1)&quot;&gt;&amp;amp;"
        );
        assert_eq!(
            written(|html| html.text("a\0b\nc\u{202e}d é")),
            "a\u{fffd}b\u{fffd}c\u{fffd}d é"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(written(|html| html.number(number)), text);
        }
    }
}

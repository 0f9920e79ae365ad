//! The format in which the figures are shown.

/// A format of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For scripts.
    Json,
    /// For a person.
    Html,
    /// The text format of Prometheus.
    Prometheus,
}

impl Format {
    /// All formats; the first is chosen where a client prefers none.
    const ALL: [Self; 3] = [Self::Json, Self::Html, Self::Prometheus];

    /// The format of this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"json" => Some(Self::Json),
            b"html" => Some(Self::Html),
            b"prometheus" => Some(Self::Prometheus),
            _ => None,
        }
    }

    fn media_type(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Json => (b"application", b"json"),
            Self::Html => (b"text", b"html"),
            Self::Prometheus => (b"text", b"plain"),
        }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The format that the lines of `Accept` prefer (RFC 9110, section 12.5.1); JSON if they accept none.
    pub fn accepted<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut preferences = [Preference::default(); 3];
        for range in lines.flat_map(|line| line.split(|byte| *byte == b',')) {
            for (format, preference) in Self::ALL.into_iter().zip(&mut preferences) {
                preference.consider(range, format.media_type());
            }
        }
        let mut best = (Self::Json, 0);
        for (format, preference) in Self::ALL.into_iter().zip(preferences) {
            if preference.quality > best.1 {
                best = (format, preference.quality);
            }
        }
        best.0
    }
}

/// The weight of a media type: that of the most specific range that covers it (RFC 9110, section 12.5.1).
#[derive(Clone, Copy, Default)]
struct Preference {
    specificity: u8,
    /// In thousandths.
    quality: u16,
}

impl Preference {
    fn consider(&mut self, range: &[u8], (kind, name): (&[u8], &[u8])) {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let media = parts.next().unwrap_or_default();
        let Some(slash) = media.iter().position(|byte| *byte == b'/') else {
            return;
        };
        let (range_kind, range_name) = (media.get(..slash), media.get(slash + 1..));
        let is = |part: Option<&[u8]>, name: &[u8]| part.is_some_and(|part| part.eq_ignore_ascii_case(name));
        let specificity = match (is(range_kind, kind), is(range_name, name)) {
            (true, true) => 3,
            (true, false) if is(range_name, b"*") => 2,
            (false, _) if media == b"*/*" => 1,
            _ => return,
        };
        if specificity < self.specificity {
            return;
        }
        let quality = parts
            .find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")))
            .map_or(1000, thousandths);
        *self = Self { specificity, quality };
    }
}

fn thousandths(weight: &[u8]) -> u16 {
    let weight = std::str::from_utf8(weight).ok().and_then(|weight| weight.parse().ok());
    let weight: f32 = weight.filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0);
    (weight * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_the_format_that_they_prefer() {
        let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
        let scraper = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            (chromium, Format::Html),
            (scraper, Format::Prometheus),
            ("*/*", Format::Json),
            ("", Format::Json),
            ("application/json", Format::Json),
            ("image/png", Format::Json),
            ("text/*", Format::Html),
            ("text/*;q=0.5, text/html;q=0.1", Format::Prometheus),
            ("TEXT/PLAIN", Format::Prometheus),
            ("text/html;q=0, */*;q=0.1", Format::Json),
            ("text/html;q=x, text/plain;q=0.001", Format::Prometheus),
            ("text, text/, /plain, ;;;, text/plain", Format::Prometheus),
        ] {
            assert_eq!(Format::accepted([accept.as_bytes()].into_iter()), format, "{accept}");
        }
    }
}

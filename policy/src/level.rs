//! The directives of one level: `http`, a `server`, a `location`, an `if`.

use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::expose::ExposeHeaders;
use crate::given::{Given, Report};
use crate::given_origins::GivenOrigins;
use crate::headers::AllowHeaders;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::problem::{Position, Problem, Severity, Warning};
use crate::rules::AllowOrigin;
use crate::settings::GivenSettings;
use crate::syntax::Syntax;
use crate::unsafe_options::UnsafeOptions;
use crate::written::WrittenLists;

/// Browsers no longer send the header that `cors_allow_private_network` answers.
#[derive(Debug, thiserror::Error)]
#[error("browsers have given Private Network Access up (Chrome 142 and Firefox ask the person instead); remove it")]
struct GivenUp;

impl Warning for GivenUp {
    fn what(&self) -> &'static str {
        "given up"
    }
}

/// The directives of one level, as they were read.
#[derive(Debug, Default)]
pub struct Level {
    /// Where the first directive stands, if there is any.
    pub(crate) first_at: Option<Position>,
    pub(crate) cors: Option<Given<bool>>,
    pub(crate) allow_origin: Option<Given<GivenOrigins<AllowOrigin>>>,
    pub(crate) allow_methods: Option<Given<AllowMethods>>,
    pub(crate) allow_headers: Option<Given<AllowHeaders>>,
    pub(crate) expose_headers: Option<Given<ExposeHeaders>>,
    pub(crate) allow_credentials: Option<Given<GivenOrigins<AllowCredentials>>>,
    pub(crate) max_age: Option<Given<Option<MaxAge>>>,
    pub(crate) preflight_status: Option<Given<u16>>,
    pub(crate) unsafe_options: Option<Given<UnsafeOptions>>,
    pub(crate) settings: GivenSettings,
    pub(crate) written: WrittenLists,
}

impl Level {
    /// Where the first directive of the level stands, if it has any.
    pub fn position(&self) -> Option<&Position> {
        self.first_at.as_ref()
    }

    /// Reads one directive with its values, and returns what is wrong with it.
    pub fn read(
        &mut self,
        directive: Directive,
        values: &[&[u8]],
        at: &Position,
        syntax: &mut impl Syntax,
    ) -> Vec<Problem> {
        let mut report = Report {
            directive,
            at,
            problems: Vec::new(),
        };
        self.first_at.get_or_insert_with(|| at.clone());
        if values.is_empty() {
            let text = format!("\"{}\" has no value; write {}", directive.name(), directive.takes());
            report.add(Severity::Error, "", text);
        } else if let Some(first) = self.duplicate_of(directive, values) {
            let name = directive.name();
            let text = format!("\"{name}\" directive is duplicate: it stands at {first} already; remove one");
            report.add(Severity::Error, "", text);
        } else {
            self.written.add(directive, values, at);
            self.read_values(values, syntax, &mut report);
        }
        report.problems
    }

    fn read_values(&mut self, values: &[&[u8]], syntax: &mut impl Syntax, report: &mut Report<'_>) {
        let at = report.at;
        match report.directive {
            // A bad value is reported; what follows is read as if CORS were on, so that it is checked too.
            Directive::Cors => self.cors = Some(Given::new(report.word(values).unwrap_or(true), at)),
            Directive::AllowOrigin => {
                let origins = Given::list(&mut self.allow_origin, at, GivenOrigins::default);
                report.each(values, |value, report| origins.read(value, syntax, report));
            }
            Directive::AllowMethods => {
                let list = Given::list(&mut self.allow_methods, at, AllowMethods::empty);
                report.each_name(values, |value, report| report.added(value, list.add(value)));
            }
            Directive::AllowHeaders => {
                let list = Given::list(&mut self.allow_headers, at, AllowHeaders::default);
                report.each_name(values, |value, report| report.added(value, list.add(value)));
            }
            Directive::ExposeHeaders => {
                let list = Given::list(&mut self.expose_headers, at, ExposeHeaders::default);
                report.each_name(values, |value, report| report.added(value, list.add(value)));
            }
            Directive::AllowCredentials => {
                let mut origins = self
                    .allow_credentials
                    .take()
                    .map_or_else(Default::default, |given| given.value);
                origins.read(values, syntax, report);
                self.allow_credentials = Some(Given::new(origins, at));
            }
            Directive::MaxAge => self.read_max_age(values, syntax, report),
            Directive::PreflightStatus => {
                let value = report.one(values, |value| {
                    std::str::from_utf8(value)
                        .ok()
                        .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
                        .and_then(|value| value.parse().ok())
                        // Fetch, "ok status"
                        .filter(|status| (200..300).contains(status))
                        .ok_or("browsers accept the answer to a preflight only with a status from 200 to 299; write \"204\" or \"200\"")
                });
                self.preflight_status = Some(Given::new(value.unwrap_or(204), at));
            }
            Directive::Unsafe => {
                let takes = report.directive.takes();
                let options = Given::list(&mut self.unsafe_options, at, UnsafeOptions::default);
                report.each(values, |value, report| {
                    if !options.permit(value) {
                        report.error(value.as_bytes(), format_args!("there is no such option; write {takes}"));
                    }
                });
            }
            Directive::AllowPrivateNetwork => {
                self.settings.read(values, report);
                let given = self.settings.allow_private_network.as_ref();
                if given.is_some_and(|given| given.value) {
                    report.warning(b"on", GivenUp);
                }
            }
            _ => self.settings.read(values, report),
        }
    }

    fn read_max_age(&mut self, values: &[&[u8]], syntax: &impl Syntax, report: &mut Report<'_>) {
        let seconds = report.one(values, |value| match value {
            b"off" => Ok(None),
            [b'-', ..] => Err("a time is not negative; write \"0\", by which browsers keep no answer, or \"off\" to send no Access-Control-Max-Age"),
            _ => syntax
                .time(value)
                .map(Some)
                .ok_or("it is no time; write a number with a unit, such as \"2h\", or \"off\""),
        });
        let age = seconds.flatten().map(|seconds| {
            let (age, warning) = MaxAge::new(seconds);
            if let Some(warning) = warning {
                report.warning(values.first().copied().unwrap_or_default(), warning);
            }
            age
        });
        self.max_age = Some(Given::new(age, report.at));
    }

    /// Where the directive was given first, if it may be given only once at a level.
    fn duplicate_of(&self, directive: Directive, values: &[&[u8]]) -> Option<&Position> {
        fn at<T>(given: &Option<Given<T>>) -> Option<&Position> {
            given.as_ref().map(|given| &given.at)
        }
        match directive {
            Directive::Cors => at(&self.cors),
            // Lines with origins add up; a line with `on` or `off` stands alone.
            Directive::AllowCredentials => {
                let is_word = values.iter().any(|value| matches!(*value, b"on" | b"off"));
                let given = self.allow_credentials.as_ref();
                given
                    .filter(|given| is_word || !given.value.is_list())
                    .map(|given| &given.at)
            }
            Directive::MaxAge => at(&self.max_age),
            Directive::PreflightStatus => at(&self.preflight_status),
            // Their lines add up.
            Directive::AllowOrigin
            | Directive::AllowMethods
            | Directive::AllowHeaders
            | Directive::ExposeHeaders
            | Directive::Unsafe => None,
            setting => self.settings.position(setting),
        }
    }
}

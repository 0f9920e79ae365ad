//! The requests that are tried on a configuration, and the responses to them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cors_policy::{PreflightMode, SearchedRegex};

use super::finding::{Finding, Findings};
use crate::nginx::{Configuration, Directive, Span, Word};
use crate::site::block::condition;
use crate::site::{
    example_path, AddedHeader, Answer, Block, BlockId, Conditions, Content, Kind, Map, Pattern, Policies, PolicyOf,
    Request, Response, Site, Text,
};

/// An origin that no configuration means.
pub const STRANGER: &str = "https://stranger.example";

/// An origin that is tried where a configuration names none.
const ANYONE: &str = "https://app.example.com";

/// So many origins that a configuration names are tried on a location, until one is allowed.
const MOST_TRIED: usize = 64;

/// A configuration, and what was found in it.
pub struct Survey<'s, 't> {
    pub configuration: &'t Configuration,
    pub site: &'s Site<'t>,
    pub policies: &'s Policies,
    pub probes: Vec<Probe<'s, 't>>,
    pub expressions: Vec<Expression<'t>>,
    pub findings: RefCell<Findings>,
}

/// A location, and what it answers.
pub struct Probe<'s, 't> {
    pub location: BlockId,
    /// An origin that it allows.
    pub allowed: Option<String>,
    /// To a page of that origin.
    pub get: Response<'s, 't>,
    /// The same, where the content is an error.
    pub failing: Response<'s, 't>,
    pub stranger: Response<'s, 't>,
    /// To no page at all.
    pub plain: Response<'s, 't>,
    /// To a preflight of that origin.
    pub preflight: Response<'s, 't>,
    /// To an `OPTIONS` that is no preflight.
    pub options: Response<'s, 't>,
    pub content: Content<'t>,
}

/// A regular expression that is searched for in `Origin`.
pub struct Expression<'t> {
    pub word: &'t Word,
    pub source: String,
    pub ignores_case: bool,
    /// The condition in which it stands holds where it does not match.
    pub is_negated: bool,
    /// What it matches; none if that cannot be found out.
    pub judged: Option<Rc<SearchedRegex>>,
}

/// A location lets a page read its responses.
pub struct Admission {
    /// What says so.
    pub span: Span,
    pub with_credentials: bool,
    pub request: Request,
}

impl<'s, 't> Survey<'s, 't> {
    pub fn new(configuration: &'t Configuration, site: &'s Site<'t>, policies: &'s Policies) -> Self {
        let mut survey = Self {
            configuration,
            site,
            policies,
            probes: Vec::new(),
            expressions: expressions(site),
            findings: RefCell::default(),
        };
        let locations: Vec<_> = site.blocks.iter().enumerate().map(|(id, _)| id).collect();
        survey.probes = locations
            .into_iter()
            .filter(|id| survey.answers(*id) && survey.has_headers(*id))
            .map(|id| survey.probe(id))
            .collect();
        survey
    }

    pub fn add(&self, finding: Finding) {
        self.findings.borrow_mut().add(finding);
    }

    /// Whether a block is where requests end up: a location, or a server without any.
    pub fn answers(&self, id: BlockId) -> bool {
        match self.site.block(id).map(|block| block.kind) {
            Some(Kind::Location) => true,
            Some(Kind::Server) => !self.site.within(id).any(|(_, block)| block.kind == Kind::Location),
            _ => false,
        }
    }

    /// Whether headers of CORS are added to responses of a location by `add_header` or the like, and reach the client.
    fn has_headers(&self, location: BlockId) -> bool {
        if self.overrides(location) {
            return false;
        }
        let inner = self.site.within(location).filter(|(_, block)| block.kind == Kind::If);
        let mut levels = [location].into_iter().chain(inner.map(|(id, _)| id));
        levels.any(|level| self.site.headers(level).iter().any(AddedHeader::is_cors))
    }

    /// The policy of a location, where it writes all headers of CORS itself.
    pub fn overrides(&self, location: BlockId) -> bool {
        self.policy(location)
            .is_some_and(|of| of.policy.settings().overrides && !of.policy.settings().dry_run)
    }

    /// The policy in force in a location.
    pub fn policy(&self, location: BlockId) -> Option<&'s PolicyOf> {
        self.policies.in_force(location)
    }

    pub fn answers_early(&self, location: BlockId) -> bool {
        self.policy(location)
            .is_some_and(|of| of.policy.settings().preflight == PreflightMode::Early)
    }

    fn probe(&self, location: BlockId) -> Probe<'s, 't> {
        let site = self.site;
        let candidates = self.candidates(location);
        let allowed = candidates
            .iter()
            .find(|origin| {
                site.respond(location, &Request::get(Some(origin)))
                    .allows(origin)
                    .is_some()
            })
            .or_else(|| {
                let mut candidates = candidates.iter();
                candidates.find(|origin| {
                    let preflight = Request::preflight(Some(origin), "PUT");
                    site.respond(location, &preflight).allows(origin).is_some()
                })
            })
            .cloned();
        let origin = allowed.as_deref().or(candidates.first().map(String::as_str));
        Probe {
            location,
            get: site.respond(location, &Request::get(origin)),
            failing: site.respond(location, &Request::get(origin).failing()),
            stranger: site.respond(location, &Request::get(Some(STRANGER))),
            plain: site.respond(location, &Request::get(None)),
            preflight: site.respond(location, &Request::preflight(origin, "PUT")),
            options: site.respond(location, &Request::get(None).with_method("OPTIONS")),
            content: site.content(location),
            allowed,
        }
    }

    /// Origins that a location may allow: those that its values and conditions name.
    fn candidates(&self, location: BlockId) -> Vec<String> {
        let site = self.site;
        let mut found = Vec::new();
        let mut maps: Vec<&Map<'t>> = Vec::new();
        let inner = site.within(location).filter(|(_, block)| block.kind == Kind::If);
        let levels = [location].into_iter().chain(inner.map(|(id, _)| id));
        for header in levels
            .flat_map(|level| site.headers(level))
            .filter(|header| header.is_cors())
        {
            maps.extend(site.variables.maps_of(&header.value));
            if let Some(literal) = header.value.literal().filter(|literal| literal.contains("://")) {
                found.push(literal.to_owned());
            }
        }
        let server = site.server_of(location).map(|(_, server)| server);
        let blocks = [site.block(location), server];
        for directive in blocks.into_iter().flatten().flat_map(|block| conditions(block)) {
            for word in condition(directive) {
                let text = Text::parse(word);
                maps.extend(site.variables.maps_of(&text));
            }
            let compared = Conditions::compared(directive).filter(|(name, ..)| name == "http_origin");
            if let Some((_, operator, value)) = compared {
                match &*operator {
                    "=" | "!=" => found.push(value),
                    _ => found.extend(self.example_of(&value)),
                }
            }
        }
        // Values that `set` writes may be made of maps, too.
        for directive in blocks.into_iter().flatten().flat_map(|block| block.own("set")) {
            let text = Text::parse(directive.argument(1).unwrap_or_default());
            maps.extend(site.variables.maps_of(&text));
        }
        for map in maps.iter().filter(|map| map.asks_for_origin()) {
            for entry in &map.entries {
                if found.len() > MOST_TRIED {
                    break;
                }
                match &entry.pattern {
                    Pattern::Literal(literal) if literal.contains("://") => found.push(literal.clone()),
                    Pattern::Regex { source, .. } => found.extend(self.example_of(source)),
                    _ => {}
                }
            }
        }
        found.truncate(MOST_TRIED);
        found.push(ANYONE.to_owned());
        found
    }

    /// An origin that an expression matches.
    fn example_of(&self, source: &str) -> Option<String> {
        let mut expressions = self.expressions.iter();
        let expression = expressions.find(|expression| expression.source == source)?;
        expression.judged.as_ref()?.shortest.clone()
    }

    /// Whether a location lets a page of `origin` read its responses, by a header or by a policy that a variable decides.
    pub fn admission(&self, location: BlockId, origin: &str) -> Option<Admission> {
        if self.policy(location).is_some() {
            return self.admission_by_policy(location, origin);
        }
        let requests = [Request::get(Some(origin)), Request::preflight(Some(origin), "PUT")];
        requests.into_iter().find_map(|request| {
            let response = self.site.respond(location, &request);
            // Who may read that he is turned away is not let in.
            let is_refusal = matches!(response.rewritten.answer, Answer::Status { status: 400.., .. });
            let line = response
                .allows(origin)
                .filter(|line| !is_refusal && line.value.known() != Some("*"))?;
            Some(Admission {
                span: line.header.value_span,
                with_credentials: response.has_credentials(),
                request,
            })
        })
    }

    fn admission_by_policy(&self, location: BlockId, origin: &str) -> Option<Admission> {
        let request = Request::get(Some(origin));
        let rewritten = self.site.rewrite(location, &request);
        let lines = self.site.in_force(location, "cors_allow_origin");
        let words = lines.iter().flat_map(|line| &line.arguments);
        let words = words.filter(|word| word.value.contains('$') && !word.value.starts_with('~'));
        for word in words {
            let text = Text::parse(&word.value);
            // Straight from the request it means everyone, which `nginx -t` judges.
            if text.variable() == Some("http_origin") {
                continue;
            }
            let value = self.site.variables.value(&text, &request, &rewritten.assigned);
            let mut values = value.known().unwrap_or_default().split([',', ' ']);
            if values.any(|value| value == origin) {
                return Some(Admission {
                    span: word.span,
                    with_credentials: self
                        .site
                        .setting(location, "cors_allow_credentials")
                        .is_some_and(|value| value != "off"),
                    request,
                });
            }
        }
        None
    }

    /// The locations, with what is known of each.
    pub fn locations(&self) -> impl Iterator<Item = BlockId> + '_ {
        let all = 0..self.site.blocks.len();
        all.filter(|id| self.answers(*id))
    }

    /// A line for a terminal that sends a request to a location; none if no path is known that leads there.
    pub fn curl(&self, location: BlockId, request: &Request) -> Option<String> {
        self.curl_below(location, request, "")
    }

    /// The same, for a file that is not there, where the location has files.
    pub fn curl_of_error(&self, location: BlockId, request: &Request) -> Option<String> {
        match self.site.content(location) {
            Content::Files => self.curl_below(location, request, "no-such-file"),
            _ => self.curl(location, request),
        }
    }

    fn curl_below(&self, location: BlockId, request: &Request, file: &str) -> Option<String> {
        let scheme = if self.site.is_tls(location) { "https" } else { "http" };
        let host = self
            .site
            .server_name(location)
            .unwrap_or("localhost")
            .trim_start_matches('.');
        let path = match self
            .site
            .block(self.site.location_of(location))
            .and_then(Block::location)
        {
            Some(("" | "^~", path)) if path.starts_with('/') => format!("{path}{file}"),
            Some(("=", path)) => path.to_owned(),
            Some(("~", source)) => example_path(source, false)?,
            Some(("~*", source)) => example_path(source, true)?,
            Some(_) => return None,
            None => format!("/{file}"),
        };
        let mut line = "curl -si".to_owned();
        match request.method {
            "GET" => {}
            method => line += &format!(" -X {method}"),
        }
        if let Some(origin) = &request.origin {
            line += &format!(" -H {}", quoted(&format!("Origin: {origin}")));
        }
        if let Some(method) = request.asks_for {
            line += &format!(" -H {}", quoted(&format!("Access-Control-Request-Method: {method}")));
        }
        Some(line + " " + &quoted_if_needed(&format!("{scheme}://{host}{path}")))
    }
}

/// The conditions of a block, also those of the `if` blocks in it.
pub fn conditions<'t>(block: &Block<'t>) -> impl Iterator<Item = &'t Directive> {
    block.own("if")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn quoted_if_needed(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_".contains(&byte);
    match text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// The expressions that are searched for in `Origin`: in maps, and in conditions.
fn expressions<'t>(site: &Site<'t>) -> Vec<Expression<'t>> {
    let mut known = HashMap::<(String, bool), Option<Rc<SearchedRegex>>>::new();
    let mut judge = |source: &str, ignores_case: bool| {
        let judged = known
            .entry((source.to_owned(), ignores_case))
            .or_insert_with(|| SearchedRegex::parse(source, ignores_case).ok().map(Rc::new));
        judged.clone()
    };
    let mut found = Vec::new();
    for map in &site.variables.maps {
        // Of another text, such as "$http_origin:$host", it is not known what is matched.
        if map.source.variable() != Some("http_origin") {
            continue;
        }
        for entry in &map.entries {
            if let Pattern::Regex { source, ignores_case } = &entry.pattern {
                found.push(Expression {
                    word: entry.written,
                    source: source.clone(),
                    ignores_case: *ignores_case,
                    is_negated: false,
                    judged: judge(source, *ignores_case),
                });
            }
        }
    }
    for directive in site.blocks.iter().flat_map(conditions) {
        let Some((name, operator, source)) = Conditions::compared(directive) else {
            continue;
        };
        if name != "http_origin" || !operator.contains('~') {
            continue;
        }
        let ignores_case = operator.ends_with('*');
        let word = directive
            .arguments
            .iter()
            .rev()
            .find(|word| word.value.contains(source.as_str()));
        let Some(word) = word else { continue };
        found.push(Expression {
            word,
            ignores_case,
            is_negated: operator.starts_with('!'),
            judged: judge(&source, ignores_case),
            source,
        });
    }
    found
}

impl<'t> Probe<'_, 't> {
    /// Whether a preflight is answered by a directive, and with which status.
    pub fn preflight_answer(&self) -> Option<(u16, &'t Directive)> {
        match self.preflight.rewritten.answer {
            Answer::Status { status, by } => Some((status, by)),
            Answer::Moved | Answer::Content => None,
        }
    }
}

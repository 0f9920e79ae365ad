//! What a location does for CORS today, and the policy that says the same.
//!
//! It is found out by asking: the requests of an allowed origin, of a stranger, of none, and preflights are followed through
//! the configuration. What browsers would not understand, what only a running nginx knows, and what no policy can say, is
//! left to its author, with the reason.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use cors_policy::{ListEntry, SearchedRegex};

use super::lists::{self, List};
use super::reason::Reason;
use super::words::{is_condition_unknown, variables_of};
use crate::cors_headers::{LONGEST_MAX_AGE, RESPONSE_HEADERS};
use crate::nginx::{Directive, Span};
use crate::site::block::condition;
use crate::site::{
    AddedHeader, Answer, BlockId, Conditions, Content, Kind, Map, Pattern, Policies, Request, Response, Site, Text,
    Value,
};
use crate::written_policy::{Compiled, Credentials, Standing, WrittenPolicy};

/// An origin that no configuration means.
const STRANGER: &str = "https://stranger.example";

/// So many origins and expressions of a location are written out.
const MOST_ENTRIES: usize = 1_000;

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
const ALLOW_CREDENTIALS: &str = "Access-Control-Allow-Credentials";
const MAX_AGE: &str = "Access-Control-Max-Age";

/// What a location does today.
#[derive(Debug)]
pub enum Today {
    /// Nothing for CORS.
    Nothing,
    /// A policy of the module writes its headers.
    Governed,
    /// What a policy can say.
    Policy(Box<Meaning>),
    /// What is left as it is.
    Left(Reason),
}

/// The policy of a location, and what says it today.
#[derive(Debug)]
pub struct Meaning {
    pub policy: WrittenPolicy,
    /// Entries that no browser's origin matches.
    pub dead: Vec<String>,
    /// The block whose headers are in force.
    pub home: BlockId,
    /// The directives that say it: each header, and each `if` that answers preflights.
    pub required: BTreeSet<Span>,
    /// `Vary: Origin`, which the module writes, too.
    pub vary: BTreeSet<Span>,
    /// The variables by which it is said.
    pub variables: BTreeSet<String>,
    /// What is answered differently, though no fault is found in it.
    pub notes: Vec<&'static str>,
    /// An origin that is let in.
    pub sample: String,
    /// Origins on which it was tried.
    pub tried: Vec<String>,
}

/// Responses to `HEAD` get the headers of `GET`.
pub const HEAD_AS_GET: &str = "responses to HEAD get the headers of those to GET";
/// Preflights that went to the application.
pub const PREFLIGHTS_KEPT: &str =
    "preflights no longer reach the application: what its answers to them allow belongs into cors_allow_methods and cors_allow_headers";
/// An `OPTIONS` that is no preflight.
pub const OPTIONS_SERVED: &str = "an OPTIONS that is no preflight is no longer answered here";
/// What an internal redirect leads to.
pub const FOLLOWED: &str = "the policy goes on where try_files and error_page lead";

/// An expression as it is written, and whether it ignores case.
type Written = (String, bool);

/// What is known of a configuration while it is asked.
pub struct Asked<'s, 't> {
    pub site: &'s Site<'t>,
    pub policies: &'s Policies,
    regexes: RefCell<HashMap<Written, Option<Rc<SearchedRegex>>>>,
    compiled: RefCell<HashMap<WrittenPolicy, Rc<Compiled>>>,
}

/// An origin, or an expression, by which a configuration decides.
struct Entry {
    span: Span,
    /// As `cors_allow_origin` takes it.
    value: String,
    /// An origin that it matches.
    sample: String,
    regex: Option<Rc<SearchedRegex>>,
}

impl<'s, 't> Asked<'s, 't> {
    pub fn new(site: &'s Site<'t>, policies: &'s Policies) -> Self {
        Self {
            site,
            policies,
            regexes: RefCell::default(),
            compiled: RefCell::default(),
        }
    }

    /// What the module makes of a policy: many locations may have the same.
    pub fn compiled(&self, policy: &WrittenPolicy) -> Rc<Compiled> {
        let mut known = self.compiled.borrow_mut();
        let compiled = known
            .entry(policy.clone())
            .or_insert_with(|| Rc::new(policy.compiled()));
        compiled.clone()
    }

    fn judged(&self, source: &str, ignores_case: bool) -> Option<Rc<SearchedRegex>> {
        let mut known = self.regexes.borrow_mut();
        let judged = known
            .entry((source.to_owned(), ignores_case))
            .or_insert_with(|| SearchedRegex::parse(source, ignores_case).ok().map(Rc::new));
        judged.clone()
    }

    /// What `location` does.
    pub fn today(&self, location: BlockId) -> Today {
        let headers = self.headers(location);
        if headers.is_empty() {
            return Today::Nothing;
        }
        if let Some(of) = self.policies.in_force(location) {
            let settings = of.policy.settings();
            if settings.overrides && !settings.dry_run {
                return Today::Governed;
            }
            let why = "\"cors on\" stands here already, and leaves the headers to others";
            return Today::Left(Reason::new(self.first(&headers), why));
        }
        match self.meaning(location, &headers) {
            Ok(meaning) => Today::Policy(Box::new(meaning)),
            Err(reason) => Today::Left(reason),
        }
    }

    /// The location, and each `if` in it.
    pub fn levels(&self, location: BlockId) -> Vec<BlockId> {
        let inner = self.site.within(location).filter(|(_, block)| block.kind == Kind::If);
        [location].into_iter().chain(inner.map(|(id, _)| id)).collect()
    }

    /// The headers of CORS that are added on the levels of a location, each directive once.
    pub fn headers(&self, location: BlockId) -> Vec<&'s AddedHeader<'t>> {
        let mut found: Vec<&AddedHeader<'t>> = Vec::new();
        for level in self.levels(location) {
            for header in self.site.headers(level).iter().filter(|header| header.is_cors()) {
                let is_known = |other: &&AddedHeader<'t>| {
                    std::ptr::eq(other.directive, header.directive) && other.name == header.name
                };
                if !found.iter().any(is_known) {
                    found.push(header);
                }
            }
        }
        found
    }

    fn first(&self, headers: &[&AddedHeader<'t>]) -> Span {
        let origin = headers.iter().find(|header| header.is(ALLOW_ORIGIN));
        let header = origin.or(headers.first());
        header.map(|header| header.directive.head()).unwrap_or_default()
    }

    /// The directives of a location and of its server, in which conditions and `set` stand.
    fn around(&self, location: BlockId) -> Vec<&'t Directive> {
        let server = self.site.server_of(location).filter(|(id, _)| *id != location);
        let blocks = [server.map(|(_, server)| server), self.site.block(location)];
        blocks
            .into_iter()
            .flatten()
            .flat_map(|block| block.directives)
            .collect()
    }

    fn meaning(&self, location: BlockId, headers: &[&'s AddedHeader<'t>]) -> Result<Meaning, Reason> {
        for header in headers {
            self.check_header(header)?;
        }
        self.check_cleared(location)?;
        let Some(origin_header) = headers.iter().find(|header| header.is(ALLOW_ORIGIN)) else {
            let why = "nothing here adds Access-Control-Allow-Origin: the application may, and would no longer";
            return Err(Reason::new(self.first(headers), why));
        };
        let at = origin_header.directive.head();
        let variables = self.variables(location, headers);
        self.check_conditions(location, &variables)?;
        let (entries, dead) = self.entries(location, headers)?;
        if entries.len() > MOST_ENTRIES {
            let why = format!(
                "it decides about {} origins: put them into a file, and write \"cors_origin_list\"",
                entries.len()
            );
            return Err(Reason::new(at, why));
        }

        let get = |origin: Option<&str>| self.site.respond(location, &Request::get(origin));
        let allows = |origin: &str| self.allows(&get(Some(origin)), origin);
        let everyone = allows(STRANGER)?;
        let mut policy = WrittenPolicy::default();
        let mut with_credentials = Vec::new();
        let mut samples = Vec::new();
        for entry in &entries {
            let is_allowed = allows(&entry.sample)?;
            if let Some(regex) = &entry.regex {
                self.check_regex(location, entry, regex, everyone.is_some(), is_allowed.is_some())?;
            } else if is_allowed.is_none() && everyone.is_some() {
                let why = format!(
                    "everyone is let in but \"{}\", and a policy has no exceptions",
                    entry.sample
                );
                return Err(Reason::new(entry.span, why));
            }
            let Some(allowed) = is_allowed else { continue };
            if allowed.has_credentials {
                with_credentials.push(entry.value.clone());
            }
            if !policy.origins.contains(&entry.value) {
                policy.origins.push(entry.value.clone());
            }
            samples.push(entry.sample.clone());
        }
        match everyone {
            Some(allowed) if allowed.has_credentials && !allowed.is_star => {
                let why = "every origin is sent back, with credentials: decide which origins to trust, and write \
                           \"cors on; cors_allow_origin https://app.example.com; cors_allow_credentials on;\"";
                return Err(Reason::new(allowed.span, why));
            }
            Some(allowed) => {
                // Browsers take no "*" with credentials.
                policy.origins = vec!["*".to_owned()];
                if !allowed.has_credentials && !with_credentials.is_empty() {
                    policy.credentials = Credentials::Only(with_credentials);
                }
                samples.push(STRANGER.to_owned());
            }
            None => {
                if let Some(allowed) = allows("null")? {
                    policy.origins.push("null".to_owned());
                    samples.push("null".to_owned());
                    if allowed.has_credentials {
                        with_credentials.push("null".to_owned());
                    }
                }
                policy.credentials = match with_credentials.len() {
                    0 => Credentials::Nobody,
                    count if count == policy.origins.len() => Credentials::Everyone,
                    _ => Credentials::Only(with_credentials),
                };
            }
        }
        let Some(sample) = samples.first().cloned() else {
            return Err(self.nobody(location, at));
        };
        self.check_answers(location, &sample, at)?;
        let notes = self.check_methods(location, &sample, at)?;
        let preflight = self.preflight(location, &sample, &mut policy, at)?;
        for other in samples.iter().skip(1) {
            let mut same = policy.clone();
            self.preflight(location, other, &mut same, at)?;
            if same != policy {
                let why = format!("\"{sample}\" and \"{other}\" get different lists");
                return Err(Reason::new(at, why));
            }
        }
        let tried = self.check_policy(location, &policy, &entries, at)?;
        let mut meaning = Meaning {
            policy,
            dead,
            home: self.home(location, origin_header),
            required: headers.iter().map(|header| header.directive.span).collect(),
            vary: self.vary(location),
            variables,
            notes,
            sample,
            tried,
        };
        meaning.notes.extend(preflight.notes);
        meaning.required.extend(preflight.answered_by);
        if self.leads_elsewhere(location) {
            meaning.notes.push(FOLLOWED);
        }
        Ok(meaning)
    }

    /// What a browser would not understand has to be put right first: what its author meant is not for us to say.
    fn check_header(&self, header: &AddedHeader<'t>) -> Result<(), Reason> {
        if !RESPONSE_HEADERS.iter().any(|name| header.is(name)) {
            let why = format!(
                "browsers know no response header \"{}\": put it right first",
                header.name
            );
            return Err(Reason::new(header.name_span, why));
        }
        // `more_set_headers` takes several.
        let others = self.others_of(header);
        if let Some(other) = others {
            let why = format!("it sets \"{other}\", too");
            return Err(Reason::new(header.directive.head(), why));
        }
        let Some(value) = header.value.literal() else {
            return Ok(());
        };
        let is_fine = if header.is(ALLOW_CREDENTIALS) {
            matches!(value, "" | "true") || value.eq_ignore_ascii_case("false")
        } else if header.is(MAX_AGE) {
            matches!(value, "" | "-1") || value.parse::<u64>().is_ok()
        } else {
            true
        };
        match is_fine {
            true => Ok(()),
            false => Err(Reason::new(
                header.value_span,
                format!("browsers do not understand \"{value}\": put it right first"),
            )),
        }
    }

    /// What takes headers away would take away those of the module.
    fn check_cleared(&self, location: BlockId) -> Result<(), Reason> {
        for directive in self.site.in_force(location, "more_clear_headers") {
            let mut names = directive.arguments.iter();
            if names.any(|word| word.value.to_ascii_lowercase().contains("access-control-")) {
                let why = "it takes headers away that the module would write";
                return Err(Reason::new(directive.head(), why));
            }
        }
        Ok(())
    }

    /// Another header that the same directive sets, and that is none of CORS.
    fn others_of(&self, header: &AddedHeader<'t>) -> Option<String> {
        let blocks = self.site.blocks.iter();
        let same = blocks
            .flat_map(|block| block.directives)
            .find(|directive| std::ptr::eq(*directive, header.directive))?;
        let words = same.arguments.iter().filter(|_| same.is("more_set_headers"));
        let mut names = words.filter_map(|word| word.value.split(':').next());
        let is_other = |name: &&str| {
            let name = name.trim().to_ascii_lowercase();
            !name.starts_with("access-control-") && !name.starts_with('-')
        };
        names.find(is_other).map(str::to_owned)
    }

    /// The variables by which headers are sent: those of their values, and of the conditions in which they stand.
    fn variables(&self, location: BlockId, headers: &[&AddedHeader<'t>]) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = headers
            .iter()
            .flat_map(|header| header.value.variables().map(str::to_owned))
            .collect();
        let around = self.around(location);
        let is_header = |directive: &Directive| headers.iter().any(|header| std::ptr::eq(header.directive, directive));
        loop {
            let before = found.len();
            for directive in &around {
                if directive.is("if") {
                    let decides = directive.inner().iter().any(|inner| {
                        is_header(inner) || inner.is("return") || sets(inner).is_some_and(|name| found.contains(&name))
                    });
                    if decides {
                        found.extend(condition(directive).into_iter().flat_map(variables_of));
                    }
                }
                let inner = directive.inner().iter().filter(|_| directive.is("if"));
                for set in [*directive].into_iter().chain(inner) {
                    if sets(set).is_some_and(|name| found.contains(&name)) {
                        found.extend(variables_of(set.argument(1).unwrap_or_default()));
                    }
                }
            }
            for name in found.clone() {
                if let Some(map) = self.site.variables.map(&name) {
                    found.extend(map.source.variables().map(str::to_owned));
                    let values = map.entries.iter().flat_map(|entry| entry.value.variables());
                    found.extend(values.map(str::to_owned));
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Conditions on what only a running nginx knows are taken for false: none may decide about the headers.
    fn check_conditions(&self, location: BlockId, variables: &BTreeSet<String>) -> Result<(), Reason> {
        let headers = self.headers(location);
        for directive in self.around(location) {
            if !directive.is("if") {
                continue;
            }
            let decides = directive.inner().iter().any(|inner| {
                headers.iter().any(|header| std::ptr::eq(header.directive, inner))
                    || sets(inner).is_some_and(|name| variables.contains(&name))
            });
            if decides && is_condition_unknown(self.site, location, directive) {
                let why = "whether it holds is known to a running nginx alone";
                return Err(Reason::new(directive.head(), why));
            }
        }
        Ok(())
    }

    /// The origins and expressions by which a location decides, and those that no browser's origin matches.
    fn entries(&self, location: BlockId, headers: &[&AddedHeader<'t>]) -> Result<(Vec<Entry>, Vec<String>), Reason> {
        let mut found = Vec::new();
        let mut dead = Vec::new();
        let variables = &self.site.variables;
        let mut maps: Vec<&Map<'t>> = Vec::new();
        for header in headers {
            maps.extend(variables.maps_of(&header.value));
            if let Some(literal) = header.value.literal().filter(|_| header.is(ALLOW_ORIGIN)) {
                literal_entry(literal, header.value_span, &mut found, None);
            }
        }
        let around = self.around(location);
        let inner = around
            .iter()
            .filter(|directive| directive.is("if"))
            .flat_map(|condition| condition.inner());
        for directive in around.iter().copied().chain(inner) {
            if directive.is("set") {
                maps.extend(variables.maps_of(&Text::parse(directive.argument(1).unwrap_or_default())));
            }
            if !directive.is("if") {
                continue;
            }
            for word in condition(directive) {
                maps.extend(variables.maps_of(&Text::parse(word)));
            }
            match Conditions::compared(directive) {
                Some((name, operator, value)) if name == "http_origin" => match &*operator {
                    "=" | "!=" => literal_entry(&value, directive.head(), &mut found, None),
                    _ => {
                        let ignores_case = operator.ends_with('*');
                        self.regex_entry(&value, ignores_case, directive.head(), &mut found, &mut dead)?;
                    }
                },
                _ => {}
            }
        }
        let mut seen: Vec<&Map<'t>> = Vec::new();
        for map in maps {
            if seen.iter().any(|other| std::ptr::eq(*other, map)) {
                continue;
            }
            seen.push(map);
            if !map.asks_for_origin() {
                continue;
            }
            if map.source.variable() != Some("http_origin") {
                let why = "it goes by more than the origin, and a policy is for all requests of an origin";
                return Err(Reason::new(map.directive.head(), why));
            }
            if map.has_hostnames {
                let why = "with \"hostnames\" it cannot be known which origins it means";
                return Err(Reason::new(map.directive.head(), why));
            }
            for entry in &map.entries {
                // An origin that is sent whoever asks.
                if let Some(literal) = entry.value.literal() {
                    if literal.contains("://") {
                        literal_entry(literal, entry.written.span, &mut found, None);
                    }
                }
                let says = !entry.value.parts().is_empty();
                match &entry.pattern {
                    Pattern::Literal(literal) => {
                        literal_entry(literal, entry.written.span, &mut found, says.then_some(&mut dead));
                    }
                    Pattern::Regex { source, ignores_case } => {
                        self.regex_entry(source, *ignores_case, entry.written.span, &mut found, &mut dead)?;
                    }
                    Pattern::Default => {}
                }
            }
        }
        Ok((found, dead))
    }

    fn regex_entry(
        &self,
        source: &str,
        ignores_case: bool,
        span: Span,
        found: &mut Vec<Entry>,
        dead: &mut Vec<String>,
    ) -> Result<(), Reason> {
        let Some(regex) = self.judged(source, ignores_case) else {
            let why = "which origins this expression matches cannot be found out";
            return Err(Reason::new(span, why));
        };
        if self.site.variables.regexes.matches(source, ignores_case, "null") == Some(true) {
            return Err(Reason::new(span, "this expression matches \"null\", too"));
        }
        let Some(sample) = regex.shortest.clone() else {
            dead.push(format!("~{source}"));
            return Ok(());
        };
        let flags = match ignores_case && source.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => "(?i)",
            false => "",
        };
        // The module holds the whole origin against it.
        let value = match regex.is_bound {
            true => format!("~{flags}{source}"),
            false => format!("~{flags}.*(?:{source}).*"),
        };
        found.push(Entry {
            span,
            value,
            sample,
            regex: Some(regex),
        });
        Ok(())
    }

    /// An expression has to let in what it matches, and nobody else.
    fn check_regex(
        &self,
        location: BlockId,
        entry: &Entry,
        regex: &SearchedRegex,
        everyone: bool,
        is_allowed: bool,
    ) -> Result<(), Reason> {
        if !is_allowed {
            let why = format!(
                "whom this expression matches, such as \"{}\", is not let in, and a policy has no exceptions",
                entry.sample
            );
            return Err(Reason::new(entry.span, why));
        }
        let Some(stranger) = regex.stranger.as_ref().filter(|_| !everyone) else {
            return Ok(());
        };
        let response = self.site.respond(location, &Request::get(Some(stranger)));
        if self.allows(&response, stranger)?.is_none() {
            return Ok(());
        }
        let mistake = regex.mistake.as_deref().unwrap_or("it is not bound");
        let remedy = match &regex.patterns {
            Some(patterns) => format!("if you mean \"{patterns}\", write \"cors on; cors_allow_origin {patterns};\""),
            None => "decide whom it is to let in".to_owned(),
        };
        let why = format!("this expression lets \"{stranger}\" in, too: {mistake}; {remedy}");
        Err(Reason::new(entry.span, why))
    }

    /// Whether a response lets `origin` read it.
    fn allows(&self, response: &Response<'s, 't>, origin: &str) -> Result<Option<Allowed>, Reason> {
        let lines: Vec<_> = response
            .lines(ALLOW_ORIGIN)
            .chain(response.lines(ALLOW_CREDENTIALS))
            .collect();
        if let Some(unknown) = lines.iter().find(|line| line.value == Value::Unknown) {
            let why = format!(
                "its value is known to a running nginx alone, which makes \"{}\" of it",
                unknown.header.name
            );
            return Err(Reason::new(unknown.header.value_span, why));
        }
        let mut origins = response.lines(ALLOW_ORIGIN);
        if let (Some(_), Some(second)) = (origins.next(), origins.next()) {
            let why = "it is sent twice, which browsers refuse: decide which is meant";
            return Err(Reason::new(second.header.value_span, why));
        }
        Ok(response.allows(origin).map(|line| Allowed {
            span: line.header.value_span,
            is_star: line.value.known() == Some("*"),
            has_credentials: response.has_credentials(),
        }))
    }

    /// Why nobody is let in.
    fn nobody(&self, location: BlockId, at: Span) -> Reason {
        let has_header = |request: &Request| self.site.respond(location, request).line(ALLOW_ORIGIN).is_some();
        let is_for_preflights =
            has_header(&Request::preflight(Some(STRANGER), "PUT")) && !has_header(&Request::get(Some(STRANGER)));
        let why = match is_for_preflights {
            true => "only preflights get the header here: the application may send it otherwise, and would no longer",
            false => "no origin is found that it lets in: put it right first",
        };
        Reason::new(at, why)
    }

    /// Whether a request is served may not depend on its origin: that is more than CORS.
    fn check_answers(&self, location: BlockId, sample: &str, at: Span) -> Result<(), Reason> {
        let answer = |origin: Option<&str>| self.site.rewrite(location, &Request::get(origin)).answer;
        let allowed = answer(Some(sample));
        for other in [Some(STRANGER), None] {
            match (allowed, answer(other)) {
                (Answer::Content, Answer::Content) => {}
                (Answer::Status { by, .. }, Answer::Status { by: same, .. }) if std::ptr::eq(by, same) => {}
                (Answer::Moved, _) => return Err(Reason::new(at, "requests go on in another location")),
                (_, Answer::Status { by, .. }) | (Answer::Status { by, .. }, _) => {
                    let why = "it depends on the origin whether a request is served, which is more than CORS";
                    return Err(Reason::new(by.head(), why));
                }
                (Answer::Content, Answer::Moved) => {
                    return Err(Reason::new(at, "it depends on the origin where a request goes"))
                }
            }
        }
        Ok(())
    }

    /// A policy is for all methods.
    fn check_methods(&self, location: BlockId, sample: &str, at: Span) -> Result<Vec<&'static str>, Reason> {
        let reads = |method| {
            let response = self
                .site
                .respond(location, &Request::get(Some(sample)).with_method(method));
            self.allows(&response, sample)
        };
        let (get, post, head) = (reads("GET")?, reads("POST")?, reads("HEAD")?);
        if get.is_some() != post.is_some() {
            let why = "it depends on the method who may read a response, and a policy is for all methods";
            return Err(Reason::new(at, why));
        }
        Ok(match head.is_some() {
            true => Vec::new(),
            false => vec![HEAD_AS_GET],
        })
    }

    /// What preflights are told, put into `policy`.
    fn preflight(
        &self,
        location: BlockId,
        sample: &str,
        policy: &mut WrittenPolicy,
        at: Span,
    ) -> Result<Preflights, Reason> {
        let preflight = self.site.respond(location, &Request::preflight(Some(sample), "PUT"));
        let get = self.site.respond(location, &Request::get(Some(sample)));
        let mut found = Preflights::default();
        let mut told = &preflight;
        match preflight.rewritten.answer {
            Answer::Status { status, by } if (200..300).contains(&status) => {
                let for_all = matches!(get.rewritten.answer, Answer::Status { by: same, .. } if std::ptr::eq(by, same));
                if !for_all {
                    found.answered_by = Some(self.answering_if(location, &preflight, by)?);
                    if !matches!(self.site.content(location), Content::Application(_)) {
                        found.notes.push(OPTIONS_SERVED);
                    }
                    if status != 204 {
                        policy.preflight_status = Some(status);
                    }
                }
                if preflight.line(ALLOW_ORIGIN).is_none() {
                    told = &get;
                }
            }
            Answer::Moved => return Err(Reason::new(at, "preflights go on in another location")),
            // They get no further; what they were to be told is said of other requests, too.
            Answer::Status { .. } => told = &get,
            Answer::Content => {}
        }
        let with_credentials = policy.credentials != Credentials::Nobody;
        policy.methods = lists::read(told, List::Methods, with_credentials)?;
        policy.headers = lists::read(told, List::Headers, with_credentials)?;
        policy.exposed = lists::read(&get, List::Exposed, with_credentials)?;
        let age = told
            .line(MAX_AGE)
            .or(told.left_out.iter().find(|line| line.header.is(MAX_AGE)));
        policy.max_age = match age.map(|line| (line.header.value_span, line.value.known())) {
            None | Some((_, Some(""))) => None,
            // Browsers then keep nothing (Fetch, CORS-preflight fetch, step 7.8).
            Some((_, Some("-1"))) => Some(0),
            Some((span, value)) => {
                let seconds = value.and_then(|value| value.parse::<u64>().ok());
                let why = "it is no number of seconds: put it right first";
                Some(seconds.ok_or_else(|| Reason::new(span, why))?.min(LONGEST_MAX_AGE))
            }
        };
        let is_passed_on = matches!(preflight.rewritten.answer, Answer::Content)
            && matches!(self.site.content(location), Content::Application(_));
        if is_passed_on && policy.methods.is_empty() && policy.headers.is_empty() {
            found.notes.push(PREFLIGHTS_KEPT);
        }
        Ok(found)
    }

    /// The `if` that answers preflights, where it does nothing else.
    fn answering_if(&self, location: BlockId, preflight: &Response<'s, 't>, by: &Directive) -> Result<Span, Reason> {
        let around = self.around(location);
        let opened = around
            .iter()
            .find(|directive| directive.is("if") && directive.inner().iter().any(|inner| std::ptr::eq(inner, by)));
        let Some(opened) = opened else {
            return Err(Reason::new(
                by.head(),
                "it answers preflights in a way that is not understood",
            ));
        };
        for inner in opened.inner() {
            let is_told = matches!(
                &*inner.name.value,
                "add_header" | "more_set_headers" | "set" | "return" | "break"
            );
            if !is_told {
                let why = format!("it answers preflights, and has a \"{}\" as well", inner.name.value);
                return Err(Reason::new(inner.head(), why));
            }
        }
        for (method, origin) in [("GET", None), ("GET", Some(STRANGER)), ("POST", None)] {
            let request = Request::get(origin).with_method(method);
            if let Answer::Status { by: other, .. } = self.site.rewrite(location, &request).answer {
                if std::ptr::eq(other, by) {
                    return Err(Reason::new(opened.head(), "it answers more than preflights"));
                }
            }
        }
        let _ = preflight;
        Ok(opened.span)
    }

    /// The policy has to say of each origin what the location says of it.
    fn check_policy(
        &self,
        location: BlockId,
        policy: &WrittenPolicy,
        entries: &[Entry],
        at: Span,
    ) -> Result<Vec<String>, Reason> {
        let compiled = self.compiled(policy);
        if let Some(problem) = compiled.error() {
            let told = problem.to_string();
            let told = told.trim_end_matches(" (in location \"\")");
            return Err(Reason::new(at, format!("nginx would refuse the policy: {told}")));
        }
        let mut tried: Vec<String> = [
            "null",
            STRANGER,
            "http://stranger.example:8080",
            "chrome-extension://abcdefgh",
        ]
        .map(str::to_owned)
        .into();
        for entry in entries {
            let sample = &entry.sample;
            tried.push(sample.clone());
            tried.push(format!("{sample}.stranger.example"));
            tried.push(format!(
                "{}:8443",
                sample.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':')
            ));
            if let Some((scheme, host)) = sample.split_once("://") {
                tried.push(format!("{}://{host}", if scheme == "https" { "http" } else { "https" }));
                tried.push(format!("{scheme}://x{host}"));
                tried.push(format!("{scheme}://x.{host}"));
            }
            if let Some(regex) = &entry.regex {
                tried.extend(regex.insecure.clone());
                tried.extend(regex.stranger.clone());
            }
        }
        tried.sort();
        tried.dedup();
        for origin in &tried {
            let response = self.site.respond(location, &Request::get(Some(origin)));
            let today = match self.allows(&response, origin)? {
                Some(allowed) if allowed.has_credentials && !allowed.is_star => Standing::AllowedWithCredentials,
                Some(_) => Standing::Allowed,
                None => Standing::Denied,
            };
            if today != compiled.standing(origin) {
                let why = format!("no policy is found that says the same of \"{origin}\"");
                return Err(Reason::new(at, why));
            }
        }
        Ok(tried)
    }

    /// The block in which a header of a location stands, or the `if` that it stands in.
    fn home(&self, location: BlockId, header: &AddedHeader<'t>) -> BlockId {
        let levels = self.levels(location);
        let around = levels.iter().flat_map(|level| self.site.around(*level));
        let stands_in = |block: &crate::site::Block<'t>| {
            let mut own = block.directives.iter();
            own.any(|directive| std::ptr::eq(directive, header.directive))
        };
        let mut found = around.filter(|(_, block)| stands_in(block));
        match found.next() {
            Some((id, block)) if block.kind == Kind::If => self.site.location_of(id),
            Some((id, _)) => id,
            None => location,
        }
    }

    /// The lines that add `Vary: Origin`, and nothing else.
    pub fn vary(&self, location: BlockId) -> BTreeSet<Span> {
        let levels = self.levels(location);
        let headers = levels.iter().flat_map(|level| self.site.headers(*level));
        headers
            .filter(|header| header.is("Vary"))
            .filter(|header| {
                header
                    .value
                    .literal()
                    .is_some_and(|value| value.eq_ignore_ascii_case("origin"))
            })
            .filter(|header| header.directive.is("add_header"))
            .map(|header| header.directive.span)
            .collect()
    }

    /// Whether requests of a location may be answered by another one.
    fn leads_elsewhere(&self, location: BlockId) -> bool {
        let files = self.site.in_force(location, "try_files");
        let pages = self.site.in_force(location, "error_page");
        let mut last = files.iter().chain(&pages).filter_map(|line| line.arguments.last());
        last.any(|word| !word.value.starts_with('='))
    }
}

/// That a response lets an origin read it.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    span: Span,
    is_star: bool,
    has_credentials: bool,
}

/// How preflights are answered today.
#[derive(Debug, Default)]
struct Preflights {
    /// The `if` that answers them.
    answered_by: Option<Span>,
    notes: Vec<&'static str>,
}

/// The variable that a `set` writes.
fn sets(directive: &Directive) -> Option<String> {
    let name = directive.argument(0).filter(|_| directive.is("set"))?;
    Some(name.trim_start_matches('$').to_ascii_lowercase())
}

/// Adds an origin that is written out. One that no browser sends goes to `dead`.
fn literal_entry(literal: &str, span: Span, found: &mut Vec<Entry>, dead: Option<&mut Vec<String>>) {
    if matches!(literal, "" | "*" | "null" | "0" | "1") {
        return;
    }
    match ListEntry::read(literal) {
        Ok(entry) if !entry.is_pattern && entry.text == literal => found.push(Entry {
            span,
            value: literal.to_owned(),
            sample: literal.to_owned(),
            regex: None,
        }),
        _ => {
            if let Some(dead) = dead {
                dead.push(literal.to_owned());
            }
        }
    }
}

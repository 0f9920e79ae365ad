//! What is changed in a configuration: which locations get a policy, where it is written, and what goes for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::edits::Edits;
use super::reason::Reason;
use super::today::{Asked, Meaning, Today, OPTIONS_SERVED};
use super::words::each_use;
use crate::nginx::{Configuration, Directive, Span};
use crate::site::{Block, BlockId, Kind};

/// Locations are left as they are until the rest can be converted: so often at most.
pub const MOST_ATTEMPTS: usize = 100;

/// What is thought of while a plan is made.
pub struct Planner<'s, 't> {
    pub asked: &'s Asked<'s, 't>,
    pub configuration: &'t Configuration,
    directives: &'t [Directive],
    /// What each block that answers requests does today.
    today: BTreeMap<BlockId, Today>,
    /// The blocks in which a directive, or a block, is in force.
    users: HashMap<Span, BTreeSet<BlockId>>,
    /// Blocks whose `Vary` stays: with it would go what keeps the headers of outer blocks away.
    kept_vary: BTreeSet<BlockId>,
}

/// Where lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// In the place of a directive.
    InPlaceOf(Span),
    /// First in a block, which this directive opens.
    First(Span),
}

/// The policy of a block, as it is written.
#[derive(Clone, Debug)]
pub struct Written {
    pub block: BlockId,
    pub at: At,
    pub lines: Vec<String>,
    /// The locations that come under it.
    pub locations: Vec<BlockId>,
}

/// A plan that has to be tried yet.
pub struct Draft {
    pub edits: Edits,
    pub written: Vec<Written>,
}

/// Locations that cannot be converted after all.
pub struct Conflict {
    pub blocks: Vec<BlockId>,
    pub reason: Reason,
}

impl<'s, 't> Planner<'s, 't> {
    pub fn new(asked: &'s Asked<'s, 't>, configuration: &'t Configuration, directives: &'t [Directive]) -> Self {
        let site = asked.site;
        let blocks = site.blocks.iter().enumerate();
        let answering = blocks.filter(|(_, block)| matches!(block.kind, Kind::Server | Kind::Location));
        let today: BTreeMap<_, _> = answering.map(|(id, _)| (id, asked.today(id))).collect();
        let mut users = HashMap::<Span, BTreeSet<BlockId>>::new();
        for id in today.keys() {
            let headers = asked.headers(*id).into_iter().map(|header| header.directive.span);
            let server = site.server_of(*id).map(|(_, server)| server);
            let blocks = [server, site.block(*id)].into_iter().flatten();
            let conditions = blocks.flat_map(|block| block.own("if")).map(|directive| directive.span);
            for span in headers.chain(asked.vary(*id)).chain(conditions) {
                users.entry(span).or_default().insert(*id);
            }
        }
        Self {
            asked,
            configuration,
            directives,
            today,
            users,
            kept_vary: BTreeSet::new(),
        }
    }

    /// The locations that are to be converted, with what they do today.
    pub fn converted(&self) -> impl Iterator<Item = (BlockId, &Meaning)> {
        self.today.iter().filter_map(|(id, today)| match today {
            Today::Policy(meaning) => Some((*id, &**meaning)),
            _ => None,
        })
    }

    pub fn today(&self, id: BlockId) -> Option<&Today> {
        self.today.get(&id)
    }

    /// What is left as it is, each reason once.
    pub fn left(&self) -> Vec<Reason> {
        let mut left: Vec<Reason> = Vec::new();
        for today in self.today.values() {
            if let Today::Left(reason) = today {
                let is_known = |other: &Reason| (other.span, &other.why) == (reason.span, &reason.why);
                if !left.iter().any(is_known) {
                    left.push(reason.clone());
                }
            }
        }
        left.sort_by_key(|reason| reason.span);
        left
    }

    /// Leaves locations as they are.
    pub fn leave(&mut self, conflict: Conflict) {
        for id in conflict.blocks {
            self.today.insert(id, Today::Left(conflict.reason.clone()));
        }
    }

    /// Has `Vary` stay in a location.
    pub fn keep_vary(&mut self, id: BlockId) {
        self.kept_vary.insert(id);
    }

    /// Whether a location has a `Vary` that goes.
    pub fn can_keep_vary(&self, id: BlockId) -> bool {
        let has = self.meaning(id).is_some_and(|meaning| !meaning.vary.is_empty());
        has && !self.kept_vary.contains(&id)
    }

    /// A plan for the locations that are to be converted; where there is none, those that are in its way.
    pub fn draft(&self) -> Result<Draft, Vec<Conflict>> {
        let mut gone = self.required()?;
        gone.extend(self.vary_that_goes());
        self.add_unused(&mut gone);
        let mut written = Vec::new();
        let mut conflicts = Vec::new();
        let mut failed: Vec<BlockId> = Vec::new();
        let homes = self.homes();
        for (home, members) in &homes {
            let home = *home;
            // Without the policy of a block around it, it may be placed after all.
            if failed.iter().any(|outer| self.is_below(home, *outer)) {
                continue;
            }
            if let Err(conflict) = self.place(home, members, &homes, &gone, &mut written) {
                failed.push(home);
                conflicts.push(conflict);
            }
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        self.end_policies_at_named(&mut written);
        self.check_shared(&written).map_err(|conflict| vec![conflict])?;
        gone.extend(self.allowing_comments(&gone));
        let mut edits = Edits::default();
        gone.iter().for_each(|span| edits.remove(*span));
        for Written { at, lines, .. } in &written {
            match at {
                At::InPlaceOf(span) => edits.replace(*span, lines.clone()),
                At::First(opened) => {
                    let text = self.configuration.sources.text(opened.file);
                    let brace = text.get(opened.start..).and_then(brace_of);
                    edits.open(opened.file, opened.start + brace.unwrap_or_default() + 1, lines.clone());
                }
            }
        }
        Ok(Draft { edits, written })
    }

    /// What has to go where locations get a policy. Nobody else may need it.
    fn required(&self) -> Result<BTreeSet<Span>, Vec<Conflict>> {
        let mut gone = BTreeSet::new();
        let mut conflicts = Vec::new();
        for (id, meaning) in self.converted() {
            for span in &meaning.required {
                let is_condition = self.configuration.sources.slice(*span).starts_with("if");
                let needs = |other: &&BlockId| match self.today.get(other) {
                    Some(Today::Left(_)) => true,
                    Some(Today::Nothing) => !is_condition,
                    _ => false,
                };
                let users = self.users.get(span).into_iter().flatten();
                match users.filter(|other| **other != id).find(needs) {
                    Some(other) => {
                        let why = format!("{} needs it, too, and is left as it is", self.name(*other));
                        conflicts.push(Conflict {
                            blocks: vec![id],
                            reason: Reason::new(*span, why),
                        });
                        break;
                    }
                    None => {
                        gone.insert(*span);
                    }
                }
            }
        }
        match conflicts.is_empty() {
            true => Ok(gone),
            false => Err(conflicts),
        }
    }

    /// The lines with `Vary: Origin` that only locations with a policy have.
    fn vary_that_goes(&self) -> BTreeSet<Span> {
        let all = self.converted().flat_map(|(_, meaning)| meaning.vary.iter().copied());
        let goes = |span: &Span| {
            let mut users = self.users.get(span).into_iter().flatten();
            users.all(|id| matches!(self.today.get(id), Some(Today::Policy(_))) && !self.kept_vary.contains(id))
        };
        all.filter(goes).collect()
    }

    /// Comments alone on their lines that allow a fault of a directive which goes.
    fn allowing_comments(&self, gone: &BTreeSet<Span>) -> Vec<Span> {
        let sources = &self.configuration.sources;
        let goes = |file, line| {
            let mut gone = gone.iter().filter(|span| span.file == file);
            gone.any(|span| sources.line(file, span.start) == line)
        };
        let comments = self.configuration.comments.iter().filter(|comment| comment.is_alone);
        let allowing = comments.filter(|comment| {
            let Span { file, start, .. } = comment.span;
            let text = sources.slice(comment.span).trim_start_matches(['#', ' ', '\t']);
            text.starts_with("nginx-cors: allow ") && goes(file, sources.line(file, start) + 1)
        });
        allowing.map(|comment| comment.span).collect()
    }

    /// Adds the `map`, `set` and `if` of which nothing is left that needs them.
    fn add_unused(&self, gone: &mut BTreeSet<Span>) {
        let named: BTreeSet<&String> = self.converted().flat_map(|(_, meaning)| &meaning.variables).collect();
        loop {
            let before = gone.len();
            let mut used = BTreeSet::new();
            self.each_kept(self.directives, gone, &mut |directive| {
                // Those in its block come by themselves.
                let alone = Directive {
                    block: directive.block.as_ref().map(|_| Vec::new()),
                    ..directive.clone()
                };
                each_use(&self.configuration.sources, &alone, &mut |name| {
                    used.insert(name.to_owned());
                });
            });
            let mut found = Vec::new();
            self.each_kept(self.directives, gone, &mut |directive| {
                let defined = match &*directive.name.value {
                    "map" => directive.argument(1),
                    "set" => directive.argument(0),
                    _ => None,
                };
                let name = defined.map(|name| name.trim_start_matches('$').to_ascii_lowercase());
                if name.is_some_and(|name| named.contains(&name) && !used.contains(&name)) {
                    found.push(directive.span);
                }
                let inner = directive.inner();
                let is_empty = !inner.is_empty() && inner.iter().all(|inner| gone.contains(&inner.span));
                if directive.is("if") && is_empty {
                    found.push(directive.span);
                }
            });
            gone.extend(found);
            if gone.len() == before {
                return;
            }
        }
    }

    /// Calls `found` for each directive that stays, those in blocks included. What an entry of a `map` maps from is no use
    /// of a variable of its own.
    fn each_kept(&self, directives: &[Directive], gone: &BTreeSet<Span>, found: &mut impl FnMut(&Directive)) {
        for directive in directives.iter().filter(|directive| !gone.contains(&directive.span)) {
            found(directive);
            self.each_kept(directive.inner(), gone, found);
        }
    }

    /// The blocks whose headers are in force, each with the locations where they are.
    fn homes(&self) -> BTreeMap<BlockId, Vec<BlockId>> {
        let mut homes = BTreeMap::<BlockId, Vec<BlockId>>::new();
        for (id, meaning) in self.converted() {
            homes.entry(meaning.home).or_default().push(id);
        }
        homes
    }

    /// Writes the policy of locations where their headers stand, or into each of them.
    fn place(
        &self,
        home: BlockId,
        members: &[BlockId],
        homes: &BTreeMap<BlockId, Vec<BlockId>>,
        gone: &BTreeSet<Span>,
        written: &mut Vec<Written>,
    ) -> Result<(), Conflict> {
        let site = self.asked.site;
        let meanings: Vec<_> = members
            .iter()
            .filter_map(|id| Some((*id, self.meaning(*id)?)))
            .collect();
        let Some((_, first)) = meanings.first() else {
            return Ok(());
        };
        let conflict = |span: Option<Span>, why: &str| Conflict {
            blocks: members.to_vec(),
            reason: Reason::new(span.or(first.required.first().copied()).unwrap_or_default(), why),
        };
        let is_same = meanings.iter().all(|(_, meaning)| meaning.policy == first.policy);
        let below: Vec<_> = self
            .today
            .keys()
            .copied()
            .filter(|id| self.is_below(*id, home) && !members.contains(id))
            .collect();
        // What other locations below do has to stay as it is.
        let can_be_ended = below.iter().all(|id| match self.today.get(id) {
            Some(Today::Nothing) => true,
            Some(Today::Policy(other)) => other.home != home && other.policy.lines_within(&first.policy).is_ok(),
            _ => false,
        });
        if is_same && can_be_ended {
            let Some(at) = self.place_in(home, gone) else {
                return Err(conflict(None, "no place is found for the policy"));
            };
            let mut lines = comments(first);
            lines.extend(match self.policy_around(home, homes) {
                Some(outer) => outer.lines_of(first).map_err(|why| conflict(None, &why))?,
                None => first.policy.lines(),
            });
            written.push(Written {
                block: home,
                at,
                lines,
                locations: members.to_vec(),
            });
            let ended = below
                .iter()
                .filter(|id| matches!(self.today.get(id), Some(Today::Nothing)));
            for id in ended.filter(|id| !self.is_ended_around(**id, home, &below)) {
                let Some(at) = site
                    .block(*id)
                    .and_then(|block| block.opened)
                    .map(|opened| At::First(opened.span))
                else {
                    return Err(conflict(None, "no place is found for \"cors off\""));
                };
                written.push(Written {
                    block: *id,
                    at,
                    lines: vec!["cors off;".to_owned()],
                    locations: Vec::new(),
                });
            }
            return Ok(());
        }
        for (id, meaning) in meanings {
            let has_locations = site.within(id).any(|(_, block)| block.kind == Kind::Location);
            let opened = site.block(id).and_then(|block| block.opened);
            let (Some(opened), false) = (opened, has_locations) else {
                let why = "locations below do otherwise, and what they do cannot be said beside it";
                return Err(conflict(site.block(home).and_then(Block::head), why));
            };
            let own = self.place_in(id, gone).unwrap_or(At::First(opened.span));
            let mut lines = comments(meaning);
            lines.extend(meaning.policy.lines());
            written.push(Written {
                block: id,
                at: own,
                lines,
                locations: vec![id],
            });
        }
        Ok(())
    }

    /// The policy that a block inherits from a home around it.
    fn policy_around(&self, home: BlockId, homes: &BTreeMap<BlockId, Vec<BlockId>>) -> Option<Outer<'_>> {
        let mut around = self.asked.site.around(home).skip(1);
        let (id, _) = around.find(|(id, _)| homes.contains_key(id))?;
        let member = homes.get(&id)?.first()?;
        Some(Outer(self.meaning(*member)?))
    }

    fn meaning(&self, id: BlockId) -> Option<&Meaning> {
        match self.today.get(&id)? {
            Today::Policy(meaning) => Some(meaning),
            _ => None,
        }
    }

    /// The block in which the headers of a location stand.
    pub fn home(&self, id: BlockId) -> Option<BlockId> {
        self.meaning(id).map(|meaning| meaning.home)
    }

    fn is_below(&self, id: BlockId, home: BlockId) -> bool {
        self.asked.site.around(id).any(|(around, _)| around == home)
    }

    /// Whether a block between `id` and `home` says `cors off`, which `id` inherits. A server says it for its locations only
    /// as a default, so that is enough.
    fn is_ended_around(&self, id: BlockId, home: BlockId, below: &[BlockId]) -> bool {
        let mut between = self
            .asked
            .site
            .around(id)
            .skip(1)
            .take_while(|(around, _)| *around != home);
        between.any(|(around, _)| below.contains(&around) && matches!(self.today.get(&around), Some(Today::Nothing)))
    }

    /// The first directive of a block that goes.
    fn place_in(&self, id: BlockId, gone: &BTreeSet<Span>) -> Option<At> {
        let block = self.asked.site.block(id)?;
        let own = block
            .directives
            .iter()
            .find(|directive| gone.contains(&directive.span) && !directive.is("map"));
        own.map(|directive| At::InPlaceOf(directive.span))
            .or(block.opened.map(|opened| At::First(opened.span)))
    }

    /// Named locations without headers, to which locations with a policy lead, would come under that.
    fn end_policies_at_named(&self, written: &mut Vec<Written>) {
        let site = self.asked.site;
        for (id, block) in site.of_kind(Kind::Location) {
            let named = block.location().filter(|(_, name)| name.starts_with('@'));
            let (Some((_, name)), Some(Today::Nothing)) = (named, self.today.get(&id)) else {
                continue;
            };
            let is_led = self.converted().any(|(from, _)| {
                let lines = ["try_files", "error_page"].map(|line| site.in_force(from, line));
                let mut lines = lines.iter().flatten();
                let server = |id| site.server_of(id).map(|(server, _)| server);
                server(from) == server(id)
                    && lines.any(|line| line.arguments.last().is_some_and(|last| &*last.value == name))
            });
            let Some(opened) = block.opened.filter(|_| is_led) else {
                continue;
            };
            if !written.iter().any(|other| other.block == id) {
                written.push(Written {
                    block: id,
                    at: At::First(opened.span),
                    lines: vec!["cors off;".to_owned()],
                    locations: Vec::new(),
                });
            }
        }
    }

    /// A file may be included in several places: then it has to mean the same in each.
    fn check_shared(&self, written: &[Written]) -> Result<(), Conflict> {
        let by_block: HashMap<(BlockId, At), &Written> = written.iter().map(|one| ((one.block, one.at), one)).collect();
        let by_place: BTreeMap<At, &Written> = written.iter().map(|one| (one.at, one)).collect();
        for (id, block) in self.asked.site.blocks.iter().enumerate() {
            let first = block.opened.map(|opened| At::First(opened.span));
            let places = block.directives.iter().map(|directive| At::InPlaceOf(directive.span));
            for at in places.chain(first) {
                let Some(one) = by_place.get(&at) else { continue };
                let here = by_block.get(&(id, at));
                if here.is_some_and(|here| here.lines == one.lines) {
                    continue;
                }
                let same = written.iter().filter(|other| other.at == at);
                let mut blocks: Vec<_> = same.flat_map(|other| other.locations.iter().copied()).collect();
                if blocks.is_empty() {
                    blocks.extend(self.converted().map(|(id, _)| id));
                }
                let (At::InPlaceOf(span) | At::First(span)) = at;
                let why = format!(
                    "this file is included in several places, and {} would need something else here",
                    self.name(id)
                );
                return Err(Conflict {
                    blocks,
                    reason: Reason::new(span, why),
                });
            }
        }
        Ok(())
    }

    /// A block as messages name it.
    pub fn name(&self, id: BlockId) -> String {
        let site = self.asked.site;
        let block = site.block(id);
        let head = block.and_then(Block::head);
        match block.map(|block| block.kind) {
            Some(Kind::Http) => "http".to_owned(),
            Some(Kind::Server) => match site.server_name(id) {
                Some(name) => format!("the server {name}"),
                None => "the server".to_owned(),
            },
            _ => head.map_or("this part".to_owned(), |head| {
                self.configuration.sources.slice(head).to_owned()
            }),
        }
    }

    /// What is answered differently under what is written.
    pub fn notes(&self, written: &Written) -> Vec<&'static str> {
        let mut notes: Vec<&'static str> = Vec::new();
        for note in written
            .locations
            .iter()
            .filter_map(|id| self.meaning(*id))
            .flat_map(|meaning| &meaning.notes)
        {
            if !notes.contains(note) {
                notes.push(note);
            }
        }
        // It is the most common, and the least bad.
        notes.sort_by_key(|note| *note == OPTIONS_SERVED);
        notes
    }
}

/// The policy of an outer block.
struct Outer<'m>(&'m Meaning);

impl Outer<'_> {
    fn lines_of(&self, inner: &Meaning) -> Result<Vec<String>, String> {
        inner
            .policy
            .lines_within(&self.0.policy)
            .map_err(|error| error.to_string())
    }
}

/// What is said of entries that no origin matches.
fn comments(meaning: &Meaning) -> Vec<String> {
    let dead = meaning.dead.iter();
    dead.map(|entry| format!("# left out, as no browser sends it: {entry}"))
        .collect()
}

/// Where the brace stands that opens the block of a directive.
fn brace_of(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    let mut before = ' ';
    for (offset, sign) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            _ if sign == '\\' => escaped = true,
            Some(open) if open == sign => quote = None,
            Some(_) => {}
            None if matches!(sign, '"' | '\'') && before.is_whitespace() => quote = Some(sign),
            None if sign == '{' && before != '$' => return Some(offset),
            None => {}
        }
        before = sign;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brace_in_a_word_opens_no_block() {
        assert_eq!(brace_of("location / {"), Some(11));
        assert_eq!(brace_of("location ~ \"^/a{2}\" {"), Some(20));
        assert_eq!(brace_of("if (${a} = b) {"), Some(14));
    }
}

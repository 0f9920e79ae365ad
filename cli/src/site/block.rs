//! The blocks of a configuration, and what they inherit.

use super::variables::Variables;
use crate::nginx::{Directive, Span, Word};

/// The number of a block.
pub type BlockId = usize;

/// What kind of block it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Http,
    Server,
    Location,
    /// An `if` in a location.
    If,
    /// A `limit_except` in a location.
    LimitExcept,
}

/// A block, with its own directives.
#[derive(Debug)]
pub struct Block<'t> {
    pub kind: Kind,
    pub parent: Option<BlockId>,
    pub directives: &'t [Directive],
    /// What opens it; none for a block that a part of a configuration lacks.
    pub opened: Option<&'t Directive>,
    /// The blocks directly in it.
    inner: Vec<BlockId>,
}

/// Who answers the requests of a location.
#[derive(Clone, Copy, Debug)]
pub enum Content<'t> {
    /// An application behind `proxy_pass` or the like.
    Application(&'t Directive),
    /// Files.
    Files,
    /// Something else, of which nothing is known.
    Other,
}

/// Directives that hand requests to an application.
const PASSES: [&str; 5] = ["proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"];

/// Directives by which other modules answer.
const HANDLERS: [&str; 18] = [
    "memcached_pass",
    "stub_status",
    "dav_methods",
    "flv",
    "mp4",
    "empty_gif",
    "perl",
    "js_content",
    "content_by_lua",
    "content_by_lua_block",
    "content_by_lua_file",
    "echo",
    "passenger_enabled",
    "cors_status",
    "push_stream_publisher",
    "push_stream_subscriber",
    "redis_pass",
    "api",
];

/// The blocks of a configuration, each with its number, and its variables.
#[derive(Debug, Default)]
pub struct Blocks<'t> {
    pub blocks: Vec<Block<'t>>,
    pub variables: Variables<'t>,
}

impl<'t> Blocks<'t> {
    /// Reads the directives of a configuration, or of a part of one: a file that another includes.
    pub fn read(directives: &'t [Directive]) -> Self {
        let mut blocks = Self::default();
        let has = |names: &[&str]| {
            directives
                .iter()
                .any(|directive| names.contains(&&*directive.name.value))
        };
        let http = directives.iter().find(|directive| directive.is("http"));
        match http {
            Some(http) => blocks.add(Kind::Http, None, http.inner(), Some(http)),
            None if has(&["server", "map", "upstream", "geo"]) => blocks.add(Kind::Http, None, directives, None),
            None if has(&["location", "server_name", "listen"]) => {
                let http = blocks.add(Kind::Http, None, &[], None);
                blocks.add(Kind::Server, Some(http), directives, None)
            }
            None => {
                let http = blocks.add(Kind::Http, None, &[], None);
                let server = blocks.add(Kind::Server, Some(http), &[], None);
                blocks.add(Kind::Location, Some(server), directives, None)
            }
        };
        blocks
    }

    fn add(
        &mut self,
        kind: Kind,
        parent: Option<BlockId>,
        directives: &'t [Directive],
        opened: Option<&'t Directive>,
    ) -> BlockId {
        let id = self.blocks.len();
        self.blocks.push(Block {
            kind,
            parent,
            directives,
            opened,
            inner: Vec::new(),
        });
        if let Some(parent) = parent.and_then(|parent| self.blocks.get_mut(parent)) {
            parent.inner.push(id);
        }
        for directive in directives {
            self.variables.read(directive);
            let inner = match (kind, &*directive.name.value) {
                (Kind::Http, "server") => Kind::Server,
                (Kind::Server | Kind::Location, "location") => Kind::Location,
                (Kind::Location, "if") => Kind::If,
                (Kind::Location, "limit_except") => Kind::LimitExcept,
                (Kind::Server, "if") => {
                    directive.inner().iter().for_each(|inner| self.variables.read(inner));
                    continue;
                }
                _ => continue,
            };
            if directive.block.is_some() {
                self.add(inner, Some(id), directive.inner(), Some(directive));
            }
        }
        id
    }

    pub fn block(&self, id: BlockId) -> Option<&Block<'t>> {
        self.blocks.get(id)
    }

    /// The block and those around it, from inside out.
    pub fn around(&self, id: BlockId) -> impl Iterator<Item = (BlockId, &Block<'t>)> {
        let first = self.block(id).map(|block| (id, block));
        std::iter::successors(first, |(_, block)| {
            let parent = block.parent?;
            Some((parent, self.block(parent)?))
        })
    }

    /// The blocks of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (BlockId, &Block<'t>)> {
        self.blocks
            .iter()
            .enumerate()
            .filter(move |(_, block)| block.kind == kind)
    }

    /// The blocks directly in a block.
    pub fn within(&self, id: BlockId) -> impl Iterator<Item = (BlockId, &Block<'t>)> {
        let inner = self.block(id).map_or(&[][..], |block| &block.inner);
        inner.iter().filter_map(|id| Some((*id, self.block(*id)?)))
    }

    /// The innermost block around `id` that is a server.
    pub fn server_of(&self, id: BlockId) -> Option<(BlockId, &Block<'t>)> {
        self.around(id).find(|(_, block)| block.kind == Kind::Server)
    }

    /// The location that a block is, or stands in.
    pub fn location_of(&self, id: BlockId) -> BlockId {
        let mut around = self.around(id);
        around
            .find(|(_, block)| matches!(block.kind, Kind::Location | Kind::Server))
            .map_or(id, |(location, _)| location)
    }

    /// The directives of this name that are in force in a block: its own, or those of the next block around it that has any.
    pub fn in_force(&self, id: BlockId, name: &str) -> Vec<&'t Directive> {
        self.in_force_at(id, name).map_or_else(Vec::new, |(_, found)| found)
    }

    /// The same, with the block in which they stand.
    pub fn in_force_at(&self, id: BlockId, name: &str) -> Option<(BlockId, Vec<&'t Directive>)> {
        self.around(id).find_map(|(id, block)| {
            let own: Vec<_> = block.own(name).collect();
            (!own.is_empty()).then_some((id, own))
        })
    }

    /// The first value of a directive that may stand once in a block, or of its last line.
    pub fn setting(&self, id: BlockId, name: &str) -> Option<&'t str> {
        self.in_force(id, name).last()?.argument(0)
    }

    /// Who answers the requests of a location.
    pub fn content(&self, location: BlockId) -> Content<'t> {
        // An `if` takes it over from the location; an inner location does not.
        let inherits = |(_, block): &(BlockId, &Block<'t>)| matches!(block.kind, Kind::If | Kind::LimitExcept);
        let mut blocks: Vec<_> = self.around(location).take_while(inherits).collect();
        blocks.extend(self.around(location).find(|block| !inherits(block)));
        for (_, block) in blocks {
            let passes = block
                .directives
                .iter()
                .find(|directive| PASSES.contains(&&*directive.name.value));
            if let Some(passes) = passes {
                return Content::Application(passes);
            }
            let is_handler = |directive: &Directive| HANDLERS.contains(&&*directive.name.value);
            if block.directives.iter().any(is_handler) {
                return Content::Other;
            }
        }
        match self
            .in_force(location, "try_files")
            .last()
            .and_then(|files| files.arguments.last())
        {
            // What it leads to may be an application.
            Some(last) if !last.value.starts_with('=') => Content::Other,
            _ => Content::Files,
        }
    }

    /// The names of a server.
    pub fn server_name(&self, id: BlockId) -> Option<&'t str> {
        let (_, server) = self.server_of(id)?;
        let names = server.own("server_name").flat_map(|directive| &directive.arguments);
        let mut names = names.map(|word| &*word.value);
        names.find(|name| is_host_name(name))
    }

    /// Whether a server speaks TLS on each of its ports.
    pub fn is_tls(&self, id: BlockId) -> bool {
        let Some((_, server)) = self.server_of(id) else {
            return false;
        };
        let has_ssl = |directive: &Directive| directive.arguments.iter().any(|word| &*word.value == "ssl");
        server.own("listen").any(has_ssl)
    }
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name != "_"
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

impl<'t> Block<'t> {
    /// Its own directives of this name.
    pub fn own<'n>(&self, name: &'n str) -> impl Iterator<Item = &'t Directive> + use<'t, 'n> {
        self.directives.iter().filter(move |directive| directive.is(name))
    }

    /// How a location is named: what stands behind its modifier, and that.
    pub fn location(&self) -> Option<(&'t str, &'t str)> {
        let opened = self.opened.filter(|_| self.kind == Kind::Location)?;
        match &opened.arguments[..] {
            [path] => Some(("", &*path.value)),
            [modifier, path, ..] => Some((&*modifier.value, &*path.value)),
            [] => None,
        }
    }

    /// What opens it, as a part of a file.
    pub fn head(&self) -> Option<Span> {
        self.opened.map(Directive::head)
    }
}

/// The words of the condition of an `if`, without the parentheses.
pub fn condition(directive: &Directive) -> Vec<&str> {
    let mut words: Vec<&str> = directive.arguments.iter().map(|word: &Word| &*word.value).collect();
    if words.last() == Some(&")") {
        words.pop();
    } else if let Some(last) = words.last_mut() {
        *last = last.strip_suffix(')').unwrap_or(last);
    }
    if words.first() == Some(&"(") {
        words.remove(0);
    } else if let Some(first) = words.first_mut() {
        *first = first.strip_prefix('(').unwrap_or(first);
    }
    words
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The directives of a configuration without includes.
    pub fn directives(text: &str) -> Vec<Directive> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nginx.conf");
        std::fs::write(&path, text).unwrap();
        crate::nginx::read(&path, None, crate::nginx::Limits::default())
            .unwrap()
            .directives
    }

    #[test]
    fn headers_are_inherited_unless_a_block_has_its_own() {
        let directives = directives(
            "http { add_header A a; server { location /a { } location /b { add_header B b; if ($x) { } } } }",
        );
        let site = Blocks::read(&directives);
        let values = |id| -> Vec<_> {
            site.in_force(id, "add_header")
                .iter()
                .filter_map(|d| d.argument(0))
                .collect()
        };
        let locations: Vec<_> = site.of_kind(Kind::Location).map(|(id, _)| id).collect();
        assert_eq!(values(locations[0]), ["A"]);
        assert_eq!(values(locations[1]), ["B"]);
        assert_eq!(values(site.of_kind(Kind::If).next().unwrap().0), ["B"]);
    }

    #[test]
    fn a_part_of_a_configuration_stands_where_it_can() {
        for (text, kind) in [
            ("server { }", Kind::Server),
            ("location / { }", Kind::Location),
            ("add_header A b;", Kind::Location),
        ] {
            let directives = directives(text);
            let site = Blocks::read(&directives);
            assert_eq!(site.blocks.last().unwrap().kind, kind, "{text}");
        }
    }

    #[test]
    fn conditions_lose_their_parentheses() {
        for (text, words) in [
            ("if ($a) { }", vec!["$a"]),
            ("if ( $a = 'b' ) { }", vec!["$a", "=", "b"]),
            ("if ($a ~* (x|y)) { }", vec!["$a", "~*", "(x|y)"]),
            ("if ($a = '') { }", vec!["$a", "=", ""]),
        ] {
            let directives = directives(text);
            assert_eq!(condition(&directives[0]), words, "{text}");
        }
    }
}

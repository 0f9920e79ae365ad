//! Many configurations in one nginx, each a server of its own in a file of its own.

use std::collections::BTreeMap;

use harness::{Builder, Check, Connection, Nginx, Request, Response};
use once_cell::sync::Lazy;
use regex::Regex;

/// So many configurations share an nginx.
pub const SIZE: usize = 250;

/// What stands inside `http` for one configuration, with `{server}` where its server is to listen.
#[derive(Clone)]
pub struct Configuration {
    pub number: usize,
    pub text: String,
}

impl Configuration {
    /// The `Host` of its requests.
    pub fn host(&self) -> String {
        format!("c{}.test", self.number)
    }

    fn file(&self) -> String {
        format!("conf/cases/{}.conf", self.number)
    }

    fn whole(&self) -> String {
        let server = format!("{{listen}} server_name {};", self.host());
        self.text.replace("{server}", &server)
    }
}

/// What all configurations of a batch find in their nginx.
#[derive(Clone, Copy, Default)]
pub struct Surroundings<'s> {
    /// The inside of `http`.
    pub http: &'s str,
    /// Files below the prefix.
    pub files: &'s [(&'s str, &'s str)],
}

impl Surroundings<'_> {
    fn builder<'c>(self, configurations: impl IntoIterator<Item = &'c Configuration>) -> Builder {
        let builder = Nginx::builder().http(self.http).http(
            "server_names_hash_max_size 4096;
            keepalive_requests 10000000;
            server { {listen} return 444; }
            include cases/*.conf;",
        );
        let files = self.files.iter();
        let builder = files.fold(builder, |builder, (path, content)| builder.file(path, content));
        configurations.into_iter().fold(builder, |builder, configuration| {
            builder.included(&configuration.file(), &configuration.whole())
        })
    }

    /// What `nginx -t` says of one configuration.
    pub fn check(self, configuration: &Configuration) -> Check {
        self.builder([configuration]).check()
    }

    /// An nginx that serves these.
    pub fn serve<'c>(self, configurations: impl IntoIterator<Item = &'c Configuration>) -> Nginx {
        self.builder(configurations).start()
    }

    /// Why `nginx -t` refuses those that it refuses, by their numbers.
    pub fn refused(self, configurations: &[Configuration]) -> BTreeMap<usize, String> {
        let mut refused = BTreeMap::new();
        let mut left: Vec<&Configuration> = configurations.iter().collect();
        loop {
            let check = self.builder(left.iter().copied()).check();
            if check.accepted() {
                return refused;
            }
            let errors = errors_by_configuration(&check.stderr);
            if errors.is_empty() {
                // nginx does not say in which file it is: each half is tried by itself.
                if let [only] = left[..] {
                    refused.insert(only.number, check.stderr);
                    return refused;
                }
                let (one, other) = left.split_at(left.len() / 2);
                for half in [one, other] {
                    let half: Vec<_> = half.iter().map(|configuration| (*configuration).clone()).collect();
                    refused.extend(self.refused(&half));
                }
                return refused;
            }
            left.retain(|configuration| !errors.contains_key(&configuration.number));
            refused.extend(errors);
        }
    }
}

/// The errors that nginx prints, by the number of the configuration in whose file they are.
fn errors_by_configuration(stderr: &str) -> BTreeMap<usize, String> {
    static PLACE: Lazy<Regex> = Lazy::new(|| Regex::new(r"/cases/([0-9]+)\.conf:[0-9]+$").expect("a valid pattern"));
    let mut errors = BTreeMap::<usize, String>::new();
    for line in stderr.lines().filter(|line| line.contains("[emerg]")) {
        // The block that a message names stands behind the place of the directive.
        if let Some(place) = PLACE.captures(line) {
            let number = place[1].parse().expect("the number of a configuration");
            let said = errors.entry(number).or_default();
            said.push_str(line);
            said.push('\n');
        }
    }
    errors
}

/// A connection that is opened anew where nginx has closed it.
pub struct Client<'n> {
    nginx: &'n Nginx,
    connection: Connection,
}

impl<'n> Client<'n> {
    pub fn new(nginx: &'n Nginx) -> Self {
        Self {
            nginx,
            connection: nginx.connect(),
        }
    }

    pub fn send(&mut self, request: &Request) -> Response {
        let response = self.connection.try_send(request).unwrap_or_else(|| {
            self.connection = self.nginx.connect();
            self.connection.send(request)
        });
        if response
            .get("Connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            self.connection = self.nginx.connect();
        }
        response
    }
}

//! A configuration with all that is real replaced: it listens on sockets of a directory of its own, asks a stand-in, and
//! reads no file of the site.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use super::treatment::{holds_entries, treatment, Treatment};
use crate::nginx::{Configuration, Directive, Span};
use crate::written_policy::word;

/// The file of passwords by which `auth_basic` lets in who sends [`AUTHORIZATION`].
pub const PASSWORDS: &str = "nginx-cors:{PLAIN}nginx-cors\n";
/// The user and the password of that file, in base64.
pub const AUTHORIZATION: &str = "Basic bmdpbngtY29yczpuZ2lueC1jb3Jz";

/// Where the trial of a configuration takes place.
pub struct Stage<'a> {
    pub prefix: &'a Path,
    /// The socket of the stand-in.
    pub application: &'a Path,
    /// The module, in the place of the one that the configuration loads.
    pub module: Option<&'a Path>,
    /// Modules that this nginx was built without.
    pub missing: &'a [String],
    /// To where relative names of files belong.
    pub files: &'a Path,
}

/// A configuration on its stage.
pub struct Staged {
    pub text: String,
    /// Where each line comes from.
    lines: Vec<Option<Span>>,
    /// The sockets by the addresses that the configuration listens on, and whether TLS is spoken there.
    pub sockets: BTreeMap<String, Socket>,
}

/// A socket that nginx listens on.
#[derive(Clone, Debug)]
pub struct Socket {
    pub path: PathBuf,
    pub tls: bool,
}

impl Staged {
    /// Where a line of the text comes from, which is counted from 1.
    pub fn origin_of(&self, line: usize) -> Option<Span> {
        *self.lines.get(line.checked_sub(1)?)?
    }
}

/// The address of a `listen`, written in one way.
pub fn address_of(listen: &Directive) -> String {
    let address = listen.argument(0).unwrap_or("80");
    let address = address.strip_prefix("*:").or(address.strip_prefix("0.0.0.0:"));
    address.unwrap_or(listen.argument(0).unwrap_or("80")).to_owned()
}

/// The addresses on which a server listens by TCP.
pub fn addresses_of(server: &[Directive]) -> Vec<String> {
    let listens: Vec<_> = server.iter().filter(|directive| directive.is("listen")).collect();
    if listens.is_empty() {
        return vec!["80".to_owned()];
    }
    let over_tcp = listens.iter().filter(|listen| !has(listen, "quic"));
    let mut found: Vec<String> = Vec::new();
    for address in over_tcp.map(|listen| address_of(listen)) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn has(directive: &Directive, parameter: &str) -> bool {
    directive.arguments.iter().any(|word| &*word.value == parameter)
}

/// Writes `configuration` anew for its stage, with its includes in their places.
pub fn stage(configuration: &Configuration, directives: &[Directive], stage: &Stage<'_>) -> Result<Staged> {
    let mut writer = Writer {
        configuration,
        stage,
        staged: Staged {
            text: String::new(),
            lines: Vec::new(),
            sockets: BTreeMap::new(),
        },
    };
    writer.whole(directives)?;
    Ok(writer.staged)
}

struct Writer<'a> {
    configuration: &'a Configuration,
    stage: &'a Stage<'a>,
    staged: Staged,
}

impl Writer<'_> {
    fn line(&mut self, text: &str, span: Option<Span>) {
        for line in text.lines() {
            self.staged.text += line;
            self.staged.text += "\n";
            self.staged.lines.push(span);
        }
    }

    fn path(&self, name: &str) -> String {
        word(&self.stage.prefix.join(name).to_string_lossy())
    }

    fn whole(&mut self, directives: &[Directive]) -> Result<()> {
        for directive in directives {
            match &*directive.name.value {
                "load_module" => self.load_module(directive)?,
                "pcre_jit" => self.as_it_is(directive),
                _ => {}
            }
        }
        let Some(http) = directives.iter().find(|directive| directive.is("http")) else {
            bail!(
                "{}: it has no \"http\" block: a whole configuration is needed, since it is started",
                self.configuration.sources.name(0)
            );
        };
        let (pid, log) = (self.path("nginx.pid"), self.path("error.log"));
        self.line(
            &format!(
                "daemon off;\nmaster_process off;\npid {pid};\nerror_log {log} notice;\nevents {{ worker_connections 512; }}"
            ),
            None,
        );
        self.line("http {", Some(http.head()));
        self.line("access_log off;", None);
        for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            if !self.stage.missing.iter().any(|missing| missing == name) {
                let path = self.path(&format!("temp-{name}"));
                self.line(&format!("{name}_temp_path {path};"), None);
            }
        }
        // What is not said has its default, and that is a directory of nginx.
        if !http.inner().iter().any(|directive| directive.is("root")) {
            let root = self.path("files");
            self.line(&format!("root {root};"), None);
        }
        self.block(http.inner(), false)?;
        self.line("}", None);
        Ok(())
    }

    fn load_module(&mut self, directive: &Directive) -> Result<()> {
        let named = directive.argument(0).unwrap_or_default();
        let is_ours = named.contains("ngx_http_cors_module");
        let path = match self.stage.module.filter(|_| is_ours) {
            Some(module) => fs::canonicalize(module).with_context(|| module.display().to_string())?,
            None => {
                let beside = self.stage.files.join(named);
                match beside.exists() {
                    true => beside,
                    // nginx looks for it in its own prefix.
                    false => PathBuf::from(named),
                }
            }
        };
        let path = word(&path.to_string_lossy());
        self.line(&format!("load_module {path};"), Some(directive.head()));
        Ok(())
    }

    fn block(&mut self, directives: &[Directive], in_server: bool) -> Result<()> {
        if in_server && !directives.iter().any(|directive| directive.is("listen")) {
            self.listen("80", &[], None)?;
        }
        for directive in directives {
            self.directive(directive, directives)?;
        }
        Ok(())
    }

    fn directive(&mut self, directive: &Directive, beside: &[Directive]) -> Result<()> {
        let name = &*directive.name.value;
        let span = Some(directive.head());
        match treatment(name) {
            Treatment::Keep => match &directive.block {
                None => self.as_it_is(directive),
                Some(inner) => {
                    let head = self.head(directive);
                    self.line(&format!("{head} {{"), span);
                    match holds_entries(name) {
                        true => inner.iter().for_each(|entry| self.as_it_is(entry)),
                        false => self.block(inner, name == "server")?,
                    }
                    self.line("}", None);
                }
            },
            Treatment::Drop => {}
            Treatment::Application => {
                let socket = self.stage.application.to_string_lossy();
                let line = format!("proxy_pass {};", word(&format!("http://unix:{socket}")));
                self.line(&line, span);
            }
            Treatment::Renamed(new) => {
                if !beside.iter().any(|other| other.is(new)) {
                    let value = directive.argument(0).unwrap_or_default();
                    self.line(&format!("{new} {};", word(value)), span);
                }
            }
            Treatment::Listen => {
                if !has(directive, "quic") {
                    let kept = ["ssl", "http2", "default_server"];
                    let parameters: Vec<_> = kept.into_iter().filter(|name| has(directive, name)).collect();
                    self.listen(&address_of(directive), &parameters, span)?;
                }
            }
            Treatment::Root => {
                let line = format!("root {};", self.path("files"));
                self.line(&line, span);
            }
            Treatment::Alias => {
                // With captured groups it is a file; otherwise a directory.
                let named = directive.argument(0).unwrap_or_default();
                let file = match named.contains('$') || !named.ends_with('/') {
                    true => "files/index.html",
                    false => "files/",
                };
                let line = format!("alias {};", self.path(file));
                self.line(&line, span);
            }
            Treatment::Certificate => {
                let line = format!("{name} {};", self.path("certificate.pem"));
                self.line(&line, span);
            }
            Treatment::CertificateKey => {
                let line = format!("{name} {};", self.path("certificate.key"));
                self.line(&line, span);
            }
            Treatment::Passwords => {
                let line = format!("{name} {};", self.path("passwords"));
                self.line(&line, span);
            }
            Treatment::File(number) => {
                let words = directive
                    .arguments
                    .iter()
                    .enumerate()
                    .map(|(at, value)| match at == number {
                        true => word(&self.stage.files.join(&*value.value).to_string_lossy()),
                        false => self.configuration.sources.slice(value.span).to_owned(),
                    });
                let words: Vec<_> = words.collect();
                self.line(&format!("{name} {};", words.join(" ")), span);
            }
            Treatment::Refuse => {
                let sources = &self.configuration.sources;
                let at = directive.head();
                bail!(
                    "{}:{}: \"{name}\" may connect to other machines, or runs code that may: a trial cannot keep it from that, \
                     so that nothing was started",
                    sources.name(at.file),
                    sources.line(at.file, at.start)
                );
            }
        }
        Ok(())
    }

    fn listen(&mut self, address: &str, parameters: &[&str], span: Option<Span>) -> Result<()> {
        let number = self.staged.sockets.len();
        let prefix = self.stage.prefix;
        let socket = self.staged.sockets.entry(address.to_owned()).or_insert_with(|| Socket {
            path: prefix.join(format!("l{number}")),
            tls: false,
        });
        socket.tls |= parameters.contains(&"ssl");
        let path = format!("unix:{}", socket.path.display());
        let mut line = format!("listen {}", word(&path));
        for parameter in parameters {
            let _ = write!(line, " {parameter}");
        }
        self.line(&(line + ";"), span);
        Ok(())
    }

    fn as_it_is(&mut self, directive: &Directive) {
        let mut text = self.head(directive);
        match &directive.block {
            None => {
                let whole = self.configuration.sources.slice(directive.span);
                // Code of another language.
                if whole.ends_with('}') {
                    text = whole.to_owned();
                } else {
                    text.push(';');
                }
                self.line(&text, Some(directive.head()));
            }
            Some(inner) => {
                self.line(&format!("{text} {{"), Some(directive.head()));
                inner.iter().for_each(|inner| self.as_it_is(inner));
                self.line("}", None);
            }
        }
    }

    /// The name and the values as they are written.
    fn head(&self, directive: &Directive) -> String {
        let words = [&directive.name].into_iter().chain(&directive.arguments);
        let words: Vec<_> = words.map(|word| self.configuration.sources.slice(word.span)).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::{self, Limits};

    fn staged(text: &str) -> Result<Staged> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("nginx.conf");
        fs::write(&file, text).unwrap();
        let configuration = nginx::read(&file, None, Limits::default()).unwrap();
        stage(
            &configuration,
            &configuration.directives,
            &Stage {
                prefix: Path::new("/stage"),
                application: Path::new("/stage/application"),
                module: None,
                missing: &[],
                files: directory.path(),
            },
        )
    }

    fn lines(text: &str) -> Vec<String> {
        let staged = staged(text).unwrap();
        let lines = staged.text.lines().skip_while(|line| !line.starts_with("scgi_temp"));
        lines.skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn no_address_and_no_path_of_the_site_is_left() {
        let text = lines(
            "user www;\nhttp { root /srv; access_log /var/log/a.log; upstream u { server app.example.com; }\n\
             server { listen 443 ssl reuseport; listen [::]:443 ssl; ssl_certificate /etc/a.pem; ssl_certificate_key /etc/a.key;\n\
             location / { proxy_pass https://app.example.com/x; } location /f/ { alias /srv/f/; } } }",
        );
        assert_eq!(
            text,
            [
                "root /stage/files;",
                "server {",
                "listen unix:/stage/l0 ssl;",
                "listen unix:/stage/l1 ssl;",
                "ssl_certificate /stage/certificate.pem;",
                "ssl_certificate_key /stage/certificate.key;",
                "location / {",
                "proxy_pass http://unix:/stage/application;",
                "}",
                "location /f/ {",
                "alias /stage/files/;",
                "}",
                "}",
                "}",
            ]
        );
    }

    #[test]
    fn a_server_without_an_address_listens_where_port_80_is() {
        let staged = staged("http { server { } server { listen *:80; } }").unwrap();
        assert_eq!(staged.sockets.keys().collect::<Vec<_>>(), ["80"]);
    }

    #[test]
    fn words_stay_as_they_are_written() {
        let text = lines("http { root x; server { if ($request_method = 'OPTIONS') { return 204; } } }");
        assert!(
            text.contains(&"if ($request_method = 'OPTIONS' ) {".to_owned()),
            "{text:?}"
        );
    }

    #[test]
    fn what_might_connect_elsewhere_is_refused_with_its_place() {
        let error = staged("http {\n server {\n  location / { js_content main.handler; }\n } }")
            .err()
            .unwrap();
        let error = error.to_string();
        assert!(error.contains("nginx.conf:3: \"js_content\" may connect"), "{error}");
    }

    #[test]
    fn a_line_knows_where_it_comes_from() {
        let staged = staged("http {\n root x;\n server {\n  etag off;\n }\n}\n").unwrap();
        let line = staged.text.lines().position(|line| line == "etag off;").unwrap() + 1;
        assert!(staged.origin_of(line).is_some());
    }
}

//! What people write. A new form of an entry is a line here.

use super::written::Meant;

/// The directive that configurations of a kind are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Origin,
    Credentials,
    Methods,
    Headers,
    Expose,
    Age,
}

impl Subject {
    pub fn directive(self) -> &'static str {
        match self {
            Self::Origin => "cors_allow_origin",
            Self::Credentials => "cors_allow_credentials",
            Self::Methods => "cors_allow_methods",
            Self::Headers => "cors_allow_headers",
            Self::Expose => "cors_expose_headers",
            Self::Age => "cors_max_age",
        }
    }

    /// Whether it takes another directive to see what an entry does.
    pub fn needs_known_origin(self) -> bool {
        !matches!(self, Self::Origin | Self::Credentials)
    }

    /// An entry with which nothing is wrong, to stand beside others.
    pub fn sound_entry(self) -> Option<&'static str> {
        match self {
            Self::Origin => Some("https://plain.example"),
            Self::Methods => Some("DELETE"),
            Self::Headers => Some("X-Plain"),
            Self::Expose => Some("X-Plain"),
            Self::Credentials | Self::Age => None,
        }
    }

    /// What is meant, as it is written in a [`Form`].
    pub fn meant(self, text: &str) -> Meant {
        let each = || text.split(' ').map(str::to_owned).collect();
        match self {
            Self::Origin => Meant::Origin(each()),
            Self::Credentials => Meant::Credentials(each()),
            Self::Methods => Meant::Method(text.to_owned()),
            Self::Headers => Meant::Header(text.to_owned()),
            Self::Expose => Meant::Exposed(text.to_owned()),
            Self::Age => Meant::Age(text.parse().ok()),
        }
    }
}

/// Configurations that have something in common.
pub struct Kind {
    pub name: &'static str,
    pub subject: Subject,
    /// They are right, and served without a word.
    pub is_sound: bool,
    pub forms: &'static [Form],
}

/// One way to write it. In all texts stand: `{h}` for the author's host, `{H}` for it in upper case, `{r}` and `{R}` for
/// both as regular expressions write them, `{g}` and `{q}` for another host, `{v}` for a variable, `{n}` for a number.
pub struct Form {
    /// What it has inside `http`.
    pub http: &'static str,
    /// The values of the directive.
    pub values: &'static str,
    /// What is meant by each entry. Of several origins, separated by spaces, one has to be allowed.
    pub meant: &'static [&'static str],
}

const fn form(values: &'static str, meant: &'static [&'static str]) -> Form {
    Form {
        http: "",
        values,
        meant,
    }
}

/// The value of `{v}` is given inside `http`.
const fn with_map(http: &'static str, meant: &'static [&'static str]) -> Form {
    Form {
        http,
        values: "{v}",
        meant,
    }
}

const fn sound(name: &'static str, subject: Subject, forms: &'static [Form]) -> Kind {
    Kind {
        name,
        subject,
        is_sound: true,
        forms,
    }
}

const fn odd(name: &'static str, subject: Subject, forms: &'static [Form]) -> Kind {
    Kind {
        name,
        subject,
        is_sound: false,
        forms,
    }
}

use Subject::{Age, Credentials, Expose, Headers, Methods, Origin};

const HOST: &[&str] = &["https://{h}"];
const BELOW: &[&str] = &["https://a.{h} https://app.{h} https://a1.{h} https://b.{h} https://pr-1.{h}"];
const BOTH: &[&str] = &["https://{h}", "https://{g}"];

pub const KINDS: &[Kind] = &[
    sound(
        "an origin",
        Origin,
        &[
            form("https://{h}", HOST),
            form("https://{h}:8443", &["https://{h}:8443"]),
            form("http://{h}", &["http://{h}"]),
            form("https://{h} https://{g}", BOTH),
            form("https://{h}\n        https://{g}", BOTH),
            form("https://under_score.{h}", &["https://under_score.{h}"]),
            form("https://xn--bcher-kva.{h}", &["https://xn--bcher-kva.{h}"]),
        ],
    ),
    sound(
        "an origin of the author's own machine",
        Origin,
        &[
            form("http://localhost:3000", &["http://localhost:3000"]),
            form("http://localhost", &["http://localhost"]),
            form("http://127.0.0.1:8080", &["http://127.0.0.1:8080"]),
            form("http://[::1]:5173", &["http://[::1]:5173"]),
            form("http://localhost:*", &["http://localhost:3000"]),
            form("http://192.168.1.17:8080", &["http://192.168.1.17:8080"]),
        ],
    ),
    odd(
        "an origin of an app or an extension",
        Origin,
        &[
            form("capacitor://localhost", &["capacitor://localhost"]),
            form("ionic://localhost", &["ionic://localhost"]),
            form("tauri://localhost", &["tauri://localhost"]),
            form(
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
                &["chrome-extension://abcdefghijklmnopabcdefghijklmnop"],
            ),
            form(
                "moz-extension://ee0f33f1-26d1-4f5c-a5e1-fbc9e4e4a6e5",
                &["moz-extension://ee0f33f1-26d1-4f5c-a5e1-fbc9e4e4a6e5"],
            ),
            form(
                "moz-extension://*",
                &["moz-extension://ee0f33f1-26d1-4f5c-a5e1-fbc9e4e4a6e5"],
            ),
            form(
                "chrome-extension://*",
                &["chrome-extension://abcdefghijklmnopabcdefghijklmnop"],
            ),
            form("app://.", &["app://."]),
            form("file://", &["file:// null"]),
            form("file:///", &["file:// null"]),
        ],
    ),
    odd(
        "upper case",
        Origin,
        &[
            form("HTTPS://{h}", HOST),
            form("https://{H}", HOST),
            form("Https://{H}:443", HOST),
            form("https://*.{H}", BELOW),
        ],
    ),
    odd(
        "letters beyond ASCII",
        Origin,
        &[
            form("https://b\u{fc}cher.{h}", &["https://xn--bcher-kva.{h}"]),
            form("https://B\u{dc}CHER.{h}", &["https://xn--bcher-kva.{h}"]),
            form("https://*.b\u{fc}cher.{h}", &["https://a.xn--bcher-kva.{h}"]),
            form("https://{h}\u{a0}", HOST),
            form("\u{201c}https://{h}\u{201d}", HOST),
        ],
    ),
    odd(
        "a port",
        Origin,
        &[
            form("https://{h}:443", HOST),
            form("http://{h}:80", &["http://{h}"]),
            form("https://{h}:80", &["https://{h}:80"]),
            form("http://{h}:443", &["http://{h}:443"]),
            form("https://{h}:0443", HOST),
            form("https://{h}:", HOST),
            form("https://{h}:*", &["https://{h}", "https://{h}:8443"]),
            form("https://{h}:8080-8090", &["https://{h}:8081"]),
            form("https://{h}:80*", &["https://{h}:8080"]),
            form("https://{h}:[0-9]+", &["https://{h}:8080"]),
            form("https://{h}:99999", &["https://{h}"]),
            form("https://{h}:8443/", &["https://{h}:8443"]),
        ],
    ),
    odd(
        "more than an origin",
        Origin,
        &[
            form("https://{h}/", HOST),
            form("https://{h}//", HOST),
            form("https://{h}/app", HOST),
            form("https://{h}/*", HOST),
            form("https://{h}?a=b", HOST),
            form("https://{h}#top", HOST),
            form("https://me:secret@{h}", HOST),
            form("https://*.{h}/", BELOW),
            form("https://*.{h}/*", BELOW),
            form("https://{h}\\", HOST),
            form("https://{h}.", &["https://{h}."]),
            form("https://{h}%20", HOST),
        ],
    ),
    odd(
        "less than an origin",
        Origin,
        &[
            form("{h}", HOST),
            form("//{h}", HOST),
            form("{h}:8443", &["https://{h}:8443"]),
            form("localhost:3000", &["http://localhost:3000"]),
            form("https:{h}", HOST),
            form("https:/{h}", HOST),
            form("https//{h}", HOST),
            form("://{h}", HOST),
            form("https://", &["https://{h}"]),
            form(".{h}", BELOW),
            form("*.{h}", BELOW),
            form("*{h}", BELOW),
            form("https://.{h}", BELOW),
        ],
    ),
    sound(
        "a pattern",
        Origin,
        &[
            form("https://*.{h}", &["https://a.{h}", "https://a.b.{h}"]),
            form("https://*.{h}:8443", &["https://a.{h}:8443"]),
            form("https://*.{h}:*", &["https://a.{h}:8443", "https://a.{h}"]),
            form("https://{h} https://*.{h}", &["https://{h}", "https://a.{h}"]),
        ],
    ),
    odd(
        "a star elsewhere",
        Origin,
        &[
            form("https://*{h}", &["https://x{h}"]),
            form("https://app*.{h}", &["https://app1.{h}"]),
            form("https://pr-*.{h}", &["https://pr-1.{h}"]),
            form("https://*-team.{h}", &["https://x-team.{h}"]),
            form("https://*.*.{h}", &["https://a.b.{h}"]),
            form("https://app.*.{h}", &["https://app.a.{h}"]),
            form("https://**.{h}", BELOW),
            form("https://{h}*", &["https://{h}:8443 https://{h}"]),
            form("https://app{n}.*", &["https://app{n}.example"]),
            form("*://{h}", HOST),
            form("http*://{h}", HOST),
            form("http?://{h}", HOST),
            form("https://*", HOST),
            form("http://*:*", &["http://localhost:3000"]),
            form("https://?.{h}", BELOW),
            form("https://[a-z]*.{h}", BELOW),
            form("https://*.127.0.0.1", &["https://127.0.0.1"]),
            form("http://192.168.*.*", &["http://192.168.1.1"]),
            form("http://10.0.0.0/8", &["http://10.0.0.1"]),
            form("https://*.com", &["https://{h}.com"]),
            form("https://*.github.io", &["https://{h}.github.io"]),
        ],
    ),
    odd(
        "a list with commas",
        Origin,
        &[
            form("https://{h}, https://{g}", BOTH),
            form("https://{h},https://{g}", BOTH),
            form("\"https://{h}, https://{g}\"", BOTH),
            form("\"https://{h},https://{g}\"", BOTH),
            form("'https://{h},https://{g},'", BOTH),
            form("https://{h} , https://{g}", BOTH),
            form("https://{h},", HOST),
            form("*,https://{h}", HOST),
        ],
    ),
    odd(
        "a list written in another way",
        Origin,
        &[
            form("\"https://{h} https://{g}\"", BOTH),
            form("'https://{h}\thttps://{g}'", BOTH),
            form("\"https://{h};https://{g}\"", BOTH),
            form("https://{h}|https://{g}", BOTH),
            form("https://({h}|{g})", BOTH),
            form("[\"https://{h}\",\"https://{g}\"]", BOTH),
            form("[https://{h} https://{g}]", BOTH),
            form("origin=https://{h}", HOST),
        ],
    ),
    odd(
        "quotes",
        Origin,
        &[
            form("\"https://{h}\"", HOST),
            form("'https://{h}'", HOST),
            form("\"'https://{h}'\"", HOST),
            form("'\"https://{h}\"'", HOST),
            form("\" https://{h}\"", HOST),
            form("\"https://{h} \"", HOST),
            form("\"https://{h}\\t\"", HOST),
            form("\"https://{h};\"", HOST),
            form("`https://{h}`", HOST),
            form("<https://{h}>", HOST),
            form("\"\"", HOST),
            form("\"https://{h}", HOST),
        ],
    ),
    odd(
        "a word for everyone or nobody",
        Origin,
        &[
            form("*", HOST),
            form("\"*\"", HOST),
            form("**", HOST),
            form("all", HOST),
            form("any", HOST),
            form("on", HOST),
            form("true", HOST),
            form("none", HOST),
            form("self", HOST),
            form("'self'", HOST),
            form("\"'self'\"", HOST),
            form("same-origin", HOST),
            form("off", HOST),
            form("default", HOST),
        ],
    ),
    odd(
        "null",
        Origin,
        &[
            form("null", &["null"]),
            form("\"null\"", &["null"]),
            form("NULL", &["null"]),
            form("Null", &["null"]),
            form("null://", &["null"]),
            form("~null", &["null"]),
            form("~^null$", &["null"]),
            form("~^(null|https://{r})$", &["null", "https://{h}"]),
            form("null https://{h}", &["null", "https://{h}"]),
        ],
    ),
    sound(
        "a regular expression",
        Origin,
        &[
            form("~https://{r}", HOST),
            form("~^https://{r}$", HOST),
            form("~^https://(.+\\.)?{r}$", &["https://{h}", "https://a.b.{h}"]),
            form("~^https:\\/\\/{r}$", HOST),
            form("~^https://[a-z0-9-]+\\.{r}$", BELOW),
            form("~^https://[^.]+\\.{r}$", BELOW),
            form("~^https?://{r}(:[0-9]+)?$", &["https://{h}", "http://{h}:8080"]),
            form("~^https?://{r}(:\\d+)?$", &["https://{h}", "http://{h}:8080"]),
            form("~^https://(a|b|c)\\.{r}$", BELOW),
            form("~^https://pr-\\d+\\.{r}$", BELOW),
            form("\"~^https://pr-\\d{1,4}\\.{r}$\"", BELOW),
            form("~^https://({r}|{q})$", BOTH),
            form("~^https://{r}|https://{q}$", BOTH),
            form("\"~^https://\\w+\\.{r}$\"", BELOW),
            form("~(?i)^https://{R}$", HOST),
            form("'~^https:\\\\/\\\\/{r}$'", HOST),
            form("~^(http|https)://([a-z]+\\.)*{r}$", &["https://{h}", "https://a.b.{h}"]),
            form("~\\Ahttps://{r}\\z", HOST),
            form("~^https://[[:alpha:]]+\\.{r}$", BELOW),
            form("~^https://(?P<label>[a-z]+)\\.{r}$", BELOW),
            form("~^(?:https://{r})$", HOST),
            form("~^https://[\\w-]+\\.{r}$", BELOW),
        ],
    ),
    odd(
        "a regular expression meant as a search",
        Origin,
        &[
            form("~{r}", HOST),
            form("~{r}$", HOST),
            form("~\\.{r}$", BELOW),
            form("~^https://", HOST),
            form("~(^|\\.){r}$", &["https://{h}", "https://a.{h}"]),
            form("~//{r}$", HOST),
            form("~://{r}", HOST),
            form("~.*{r}", HOST),
            form("~^(.*\\.)?{r}$", HOST),
            form("~^.*\\.{r}(:\\d+)?$", BELOW),
            form("~({r}|{q})$", BOTH),
            form("~^(www\\.)?{r}$", HOST),
            form("~[a-z]+\\.{r}", BELOW),
        ],
    ),
    odd(
        "a regular expression for a whole URL",
        Origin,
        &[
            form("~^https://{r}/", HOST),
            form("~^https://{r}/$", HOST),
            form("~^https://{r}/.*$", HOST),
            form("~^https://{r}(/.*)?$", HOST),
            form("~^https://{r}/?$", HOST),
            form("~^https:\\/\\/{r}\\/$", HOST),
            form("~^https://{r}:443$", HOST),
            form("~^https://{r}(:443)?$", HOST),
            form("~^http://{r}:80$", &["http://{h}"]),
            form("~^https://{r}(:443|:8443)$", &["https://{h}", "https://{h}:8443"]),
            form("~^https://({r}/|{q})$", BOTH),
            form("~^(https://{r}/|https://{q})$", BOTH),
            form("~^https://.*\\.{r}.*$", BELOW),
        ],
    ),
    odd(
        "a regular expression in upper case",
        Origin,
        &[
            form("~^https://{R}$", HOST),
            form("~^HTTPS://{R}$", HOST),
            form("~*^https://{R}$", HOST),
            form("~*https://{r}", HOST),
            form("~^https://([A-Z]+)\\.{r}$", BELOW),
            form("~^https://[A-Za-z0-9-]+\\.{r}$", BELOW),
            form("~^https://({R}|{q})$", BOTH),
        ],
    ),
    odd(
        "a regular expression that admits others",
        Origin,
        &[
            form("~^https://{h}$", HOST),
            form("~^https://.*{r}$", HOST),
            form("~^https://{r}", HOST),
            form("~^https://.*$", HOST),
            form("~.*", HOST),
            form("~.+", HOST),
            form("~^https?://", HOST),
            form("~^(https?://)?{r}$", HOST),
            form("~https://(.*).{h}", BELOW),
            form("~^https://.*\\.github\\.io$", &["https://{h}.github.io"]),
            form(
                "~^chrome-extension://[a-p]{32}$",
                &["chrome-extension://abcdefghijklmnopabcdefghijklmnop"],
            ),
            form(
                "\"~^chrome-extension://[a-p]{32}$\"",
                &["chrome-extension://abcdefghijklmnopabcdefghijklmnop"],
            ),
            form("~^[a-z]+://{r}$", HOST),
        ],
    ),
    odd(
        "a regular expression of another engine",
        Origin,
        &[
            form("~^https://(?!evil).*\\.{r}$", BELOW),
            form("~^https://(?=a).*\\.{r}$", BELOW),
            form("~^https://(?<=/)a\\.{r}$", BELOW),
            form("~^https://(?>a|b)\\.{r}$", BELOW),
            form("~^https://[a-z]++\\.{r}$", BELOW),
            form("~^https://(?<label>[a-z]+)\\.{r}$", BELOW),
            form("~^https://([a-z])\\1\\.{r}$", &["https://aa.{h}"]),
            form("~^https://\\Q{h}\\E$", HOST),
            form("~/^https:\\/\\/{r}$/", HOST),
            form("/^https:\\/\\/{r}$/", HOST),
            form("^https://{r}$", HOST),
            form("^https?://(.+\\.)?{r}$", &["https://{h}"]),
            form("https?://{r}", HOST),
            form("https://.*\\.{r}", BELOW),
            form("(https|http)://{h}", HOST),
            form("https://{r}", HOST),
            form("regex:^https://{r}$", HOST),
            form("~^https://{r}\\Z", HOST),
        ],
    ),
    odd(
        "a regular expression that nginx or the author took apart",
        Origin,
        &[
            form("~ ^https://{r}$", HOST),
            form("~* ^https://{r}$", HOST),
            form("\"~ ^https://{r}$\"", HOST),
            form("~^https://pr-\\d{1,4}\\.{r}$", BELOW),
            form("~^https://(a;b)\\.{r}$", BELOW),
            form("~\"^https://{r}$\"", HOST),
            form("\"~^https://{r}$", HOST),
            form("~", HOST),
            form("~^$", HOST),
            form("~^https://({r}$", HOST),
            form("~^https://[a-z\\.{r}$", BELOW),
            form("~^https://(|{r})$", HOST),
            form("~^https://{r}$|", HOST),
            form("~^https://(x /y|{r})$", HOST),
        ],
    ),
    sound(
        "a map from the origin to itself",
        Origin,
        &[
            with_map("map $http_origin {v} { default \"\"; https://{h} $http_origin; }", HOST),
            with_map(
                "map $http_origin {v} { default \"\"; ~^https://.+\\.{r}$ $http_origin; }",
                BELOW,
            ),
            with_map(
                "map $http_origin {v} { default \"\"; \"~^https://(a|b)\\.{r}$\" \"$http_origin\"; }",
                BELOW,
            ),
            with_map("map $http_origin {v} { https://{h} https://{h}; }", HOST),
            with_map("map $http_host {v} { default \"https://{h} https://{g}\"; }", BOTH),
            with_map("map $http_host {v} { default \"https://{h}, https://{g}\"; }", BOTH),
            with_map("map \"\" {v} { default https://{h}; }", HOST),
            with_map("geo {v} { default https://{h}; }", HOST),
        ],
    ),
    odd(
        "a variable that holds no origin",
        Origin,
        &[
            with_map("map $http_origin {v} { default 0; https://{h} 1; }", HOST),
            with_map("map $http_origin {v} { default \"\"; https://{h} on; }", HOST),
            with_map("map \"\" {v} { default https://{h}/; }", HOST),
            with_map("map \"\" {v} { default {h}; }", HOST),
            with_map("map \"\" {v} { default https://{H}; }", HOST),
            with_map("map \"\" {v} { default https://{h}:443; }", HOST),
            with_map("map \"\" {v} { default https://*.{h}; }", BELOW),
            with_map("map \"\" {v} { default \"~^https://.*\\.{r}$\"; }", BELOW),
            with_map("map \"\" {v} { default *; }", HOST),
            with_map("map \"\" {v} { default \"https://{h};https://{g}\"; }", BOTH),
        ],
    ),
    odd(
        "a variable of nginx",
        Origin,
        &[
            form("$http_origin", HOST),
            form("${http_origin}", HOST),
            form("https://$host", &["https://c{n}.test"]),
            form("$scheme://$host:8080", &["http://c{n}.test:8080"]),
            form("https://app.$host", &["https://app.c{n}.test"]),
            form("$o{n}_unknown", HOST),
            form("https://{h},$http_origin", HOST),
            form("$", HOST),
            form("https://{h}$", HOST),
            form("~$http_origin", HOST),
            form("~^https://$host$", &["https://c{n}.test"]),
        ],
    ),
    odd(
        "who gets credentials",
        Credentials,
        &[
            form("https://{h};\n    cors_allow_origin https://{h}", HOST),
            form("https://{h};\n    cors_allow_origin *", HOST),
            form("https://{h};\n    cors_allow_origin https://*.{h}", HOST),
            form("https://a.{h};\n    cors_allow_origin https://*.{h}", BELOW),
            form("https://*.{h};\n    cors_allow_origin https://a.{h}", BELOW),
            form("https://*.{h};\n    cors_allow_origin https://{h}", BELOW),
            form("https://{h};\n    cors_allow_origin https://{g}", HOST),
            form("https://{h} https://{g};\n    cors_allow_origin https://{g}", BOTH),
            form("~https://{r};\n    cors_allow_origin https://{h}", HOST),
            form("~https://{r};\n    cors_allow_origin https://{g}", HOST),
            form("https://{h};\n    cors_allow_origin ~https://{r}", HOST),
            form("https://{h};\n    cors_allow_origin ~https://{q}", HOST),
            form("https://{h}/;\n    cors_allow_origin https://{h}", HOST),
            form(
                "https://{h}, https://{g};\n    cors_allow_origin https://{h} https://{g}",
                BOTH,
            ),
            form("http://{h};\n    cors_allow_origin http://{h}", &["http://{h}"]),
            form("null;\n    cors_allow_origin null", &["null"]),
            form("{h};\n    cors_allow_origin https://{h}", HOST),
            form("https://{h};\n    cors_allow_origin null", HOST),
        ],
    ),
    odd(
        "credentials in other words",
        Credentials,
        &[
            form("on;\n    cors_allow_origin https://{h}", HOST),
            form("\"on\";\n    cors_allow_origin https://{h}", HOST),
            form("true;\n    cors_allow_origin https://{h}", HOST),
            form("\"true\";\n    cors_allow_origin https://{h}", HOST),
            form("TRUE;\n    cors_allow_origin https://{h}", HOST),
            form("yes;\n    cors_allow_origin https://{h}", HOST),
            form("ON;\n    cors_allow_origin https://{h}", HOST),
            form("1;\n    cors_allow_origin https://{h}", HOST),
            form("*;\n    cors_allow_origin https://{h}", HOST),
            form("on;\n    cors_allow_origin *", HOST),
            form("$http_origin;\n    cors_allow_origin https://{h}", HOST),
            form("on https://{h};\n    cors_allow_origin https://{h}", HOST),
            form("include;\n    cors_allow_origin https://{h}", HOST),
        ],
    ),
    sound(
        "methods",
        Methods,
        &[
            form("GET POST PUT", &["GET", "POST", "PUT"]),
            form("PATCH", &["PATCH"]),
            form("QUERY PROPFIND", &["QUERY", "PROPFIND"]),
            form("OPTIONS PUT", &["PUT"]),
        ],
    ),
    odd(
        "methods written in another way",
        Methods,
        &[
            form("*", &["PUT", "PATCH"]),
            form("GET, POST, PUT", &["GET", "POST", "PUT"]),
            form("\"GET, POST, PUT\"", &["GET", "POST", "PUT"]),
            form("GET,POST,PUT", &["PUT"]),
            form("\"GET POST PUT\"", &["PUT"]),
            form("GET|POST|PUT", &["PUT"]),
            form("put", &["PUT"]),
            form("patch", &["PATCH"]),
            form("Patch", &["PATCH"]),
            form("$request_method", &["PUT"]),
            form("all", &["PUT"]),
            form("ALL", &["PUT"]),
            form("any", &["PUT"]),
            form("ANY", &["PUT"]),
            form("P*", &["PUT"]),
            form("~.*", &["PUT"]),
            form("CONNECT", &["CONNECT"]),
            form("'PUT'", &["PUT"]),
            form("\"'PUT'\"", &["PUT"]),
            form("[PUT]", &["PUT"]),
            form("PUT;\n    cors_allow_methods DELETE", &["PUT", "DELETE"]),
            form("!DELETE", &["PUT"]),
        ],
    ),
    sound(
        "request headers",
        Headers,
        &[
            form("Content-Type Authorization", &["content-type", "authorization"]),
            form("X-Api-Key", &["x-api-key"]),
            form("content-type", &["content-type"]),
            form("X_Foo", &["x_foo"]),
        ],
    ),
    odd(
        "request headers written in another way",
        Headers,
        &[
            form("*", &["x-api-key"]),
            form("* Authorization", &["x-api-key", "authorization"]),
            form("Content-Type, X-Api-Key", &["content-type", "x-api-key"]),
            form("\"Content-Type, X-Api-Key\"", &["content-type", "x-api-key"]),
            form("Content-Type,X-Api-Key", &["x-api-key"]),
            form("\"Content-Type X-Api-Key\"", &["x-api-key"]),
            form("x-amz-*", &["x-amz-date"]),
            form("~^x-", &["x-foo"]),
            form("$http_access_control_request_headers", &["x-foo"]),
            form("X-Foo:", &["x-foo"]),
            form("\"X-Foo: 1\"", &["x-foo"]),
            form("Cookie", &["cookie"]),
            form("Origin Accept", &["origin", "accept"]),
            form("all", &["x-foo"]),
            form("ALL", &["x-foo"]),
            form("any", &["x-foo"]),
            form("\"'X-Foo'\"", &["x-foo"]),
            form("X-Foo|X-Bar", &["x-foo"]),
            form("$http_x_foo", &["x-foo"]),
        ],
    ),
    sound(
        "response headers",
        Expose,
        &[
            form("X-Total-Count", &["x-total-count"]),
            form("ETag Link", &["etag", "link"]),
        ],
    ),
    odd(
        "response headers written in another way",
        Expose,
        &[
            form("*", &["x-total-count"]),
            form("X-Total-Count, Link", &["x-total-count", "link"]),
            form("\"X-Total-Count, Link\"", &["x-total-count", "link"]),
            form("X-Total-Count,Link", &["link"]),
            form("x-ratelimit-*", &["x-ratelimit-limit"]),
            form("Set-Cookie", &["set-cookie"]),
            form("$sent_http_x_foo", &["x-foo"]),
            form("X-Total-Count:", &["x-total-count"]),
            form("all", &["x-foo"]),
            form("any", &["x-foo"]),
        ],
    ),
    sound(
        "an age",
        Age,
        &[
            form("3600", &["3600"]),
            form("2h", &["7200"]),
            form("1d", &["86400"]),
            form("\"600\"", &["600"]),
            form("1h30m", &["5400"]),
            form("10m", &["600"]),
            form("0", &["0"]),
            form("off", &["off"]),
            form("\"1h 30m\"", &["5400"]),
        ],
    ),
    odd(
        "an age written in another way",
        Age,
        &[
            form("-1", &["0"]),
            form("604800", &["604800"]),
            form("30d", &["2592000"]),
            form("1y", &["31536000"]),
            form("1w", &["604800"]),
            form("1M", &["2592000"]),
            form("max", &["86400"]),
            form("1.5h", &["5400"]),
            form("3600 s", &["3600"]),
            form("3600sec", &["3600"]),
            form("1 h", &["3600"]),
            form("10ms", &["0"]),
            form("none", &["off"]),
            form("on", &["86400"]),
            form("$age", &["600"]),
            form("99999999999999999999", &["86400"]),
            form("2H", &["7200"]),
            form("0x10", &["16"]),
            form("+600", &["600"]),
            form("\"\"", &["off"]),
            form("1h;\n    cors_max_age 2h", &["7200"]),
        ],
    ),
];

//! A configuration for each text.

/// Where what a row says stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a location, under `cors on` and a list of origins, unless the row has its own.
    Location,
    /// In `http`, with `{server}` where a server is to listen.
    Http,
}

/// What somebody has written, for which nginx has a message. `{long}` stands for a long name, and `{many names}` and the
/// like for what is too much to write out.
pub struct Row {
    pub place: Place,
    pub written: &'static str,
    /// Why it is wrong, for the document.
    pub why: &'static str,
    /// What it becomes by following the message, where that is more than to paste.
    pub mended: &'static [&'static str],
    /// The origins that the author meant to allow.
    pub allows: &'static [&'static str],
}

const fn row(written: &'static str, why: &'static str) -> Row {
    Row {
        place: Place::Location,
        written,
        why,
        mended: &[],
        allows: &[],
    }
}

impl Row {
    const fn in_http(self) -> Self {
        Self {
            place: Place::Http,
            ..self
        }
    }

    const fn mended(self, mended: &'static [&'static str]) -> Self {
        Self { mended, ..self }
    }

    const fn allows(self, allows: &'static [&'static str]) -> Self {
        Self { allows, ..self }
    }
}

const APP: &[&str] = &["https://app.example.com"];
const BOTH: &[&str] = &["https://a.example", "https://b.example"];
const BELOW: &[&str] = &["https://a.example.com"];

const NO_VALUE: &str = "A directive has at least one value.";
const ONE_VALUE: &str = "This directive has one value.";
const WORD: &str = "The directive knows a few words.";
const ONCE: &str =
    "Lists add up within a block; other directives stand once, as it would not be clear which one counts.";
const BROWSERS_SEND: &str =
    "An origin is compared byte for byte with what browsers send: scheme, host and port, in lower case.";
const HOST_ONLY: &str = "Browsers send no more than scheme, host and port.";
const WHOLE: &str = "An expression has to match the whole origin, not a part of it.";
const NARROW: &str = "Whoever can register such a name may read what your users may read.";
const CREDENTIALS: &str = "With credentials, scripts read what the person at the browser may read.";
const NAME: &str = "Names are compared as they are written; one that is none matches nothing.";
const SPEED: &str = "Each request would pay for it.";

/// A directive, and a policy that uses the list.
macro_rules! list {
    ($directive:literal) => {
        concat!(
            $directive,
            "\nserver { {server}\nlocation / {\ncors on;\ncors_allow_origin @tenants;\n}\n}"
        )
    };
}

const LIST_NAME: &str = "The name stands behind a `@` where the list is used.";
const LIST_FILE: &str = "A list has a name and a file.";
const LIST_OF_FILE: &str = "One wrong line, and the file is not taken.";

pub const ROWS: &[Row] = &[
    // Values of any directive
    row("cors_override;", NO_VALUE),
    row("cors_preflight;", NO_VALUE),
    row("cors_enforce;", NO_VALUE),
    row("cors_log_level;", NO_VALUE),
    row("cors_allow_origin https://a.example;\ncors_allow_origin;", NO_VALUE).mended(&[
        "cors_allow_origin *;",
        "cors_allow_origin https://a.example;\ncors_allow_origin https://app.example.com;",
    ]),
    row("cors_allow_methods;", NO_VALUE),
    row("cors_allow_headers;", NO_VALUE),
    row("cors_allow_credentials;", NO_VALUE),
    row("cors_max_age;", NO_VALUE),
    row("cors_preflight_status;", NO_VALUE).mended(&["cors_preflight_status 204;"]),
    row("cors_unsafe;", NO_VALUE),
    row("cors_override yes;", WORD),
    row("cors_preflight before;", WORD),
    row("cors_log_level debug;", WORD),
    row("cors_unsafe all;", WORD),
    row("cors_enforce on off;", ONE_VALUE),
    row("cors_max_age 1h;\ncors_max_age 2h;", ONCE),
    row("include latin-1.conf;", "Values are read as UTF-8.").mended(&["cors_allow_headers X-Greetings;"]),
    // cors
    row("cors on;\nserver { {server} }", "Without a list, nobody is allowed.")
        .in_http()
        .mended(&["cors off;\nserver { {server} }", "cors on;\ncors_allow_origin https://app.example.com;\nserver { {server} }"]),
    row("server { {server}\ncors_allow_headers Content-Type;\n}", "A list does nothing by itself.")
        .in_http()
        .mended(&["server { {server}\ncors on;\ncors_allow_origin https://app.example.com;\ncors_allow_headers Content-Type;\n}"]),
    row(
        "server { {server}\nlocation / {\ncors on;\ncors_allow_origin https://a.example;\nerror_page 404 = @app;\n}\nlocation @app {\ncors on;\ncors_allow_origin https://b.example;\nreturn 404;\n}\n}",
        "One policy governs a request, from the first location to the end.",
    )
    .in_http()
    .mended(&[
        "server { {server}\nlocation / {\ncors on;\ncors_allow_origin https://a.example;\nerror_page 404 = @app;\n}\nlocation @app {\ncors off;\nreturn 404;\n}\n}",
        "server { {server}\nlocation / {\ncors on;\ncors_allow_origin https://a.example;\nerror_page 404 = @app;\n}\nlocation @app {\nreturn 404;\n}\n}",
    ]),
    row(
        "map $http_origin $cors_origin { default \"\"; }\nserver { {server}\ncors on;\ncors_allow_origin https://app.example.com;\n}",
        "A configuration keeps its own variables.",
    )
    .in_http()
    .mended(&["map $http_origin $my_origin { default \"\"; }\nserver { {server}\ncors on;\ncors_allow_origin https://app.example.com;\n}"]),
    // cors_allow_origin: what is no origin
    row("cors_allow_origin app.example.com;", BROWSERS_SEND).allows(APP),
    row("cors_allow_origin ht_tps://app.example.com;", "It begins with a scheme.").mended(&["cors_allow_origin https://app.example.com;"]).allows(APP),
    row("cors_allow_origin https://app.example.com/;", HOST_ONLY).allows(APP),
    row("cors_allow_origin https://app.example.com/login;", HOST_ONLY).allows(APP),
    row("cors_allow_origin https://app.example.com?a=b;", HOST_ONLY).allows(APP),
    row("cors_allow_origin https://me@app.example.com;", HOST_ONLY).allows(APP),
    row("cors_allow_origin https://;", BROWSERS_SEND).mended(&["cors_allow_origin https://app.example.com;", "cors_allow_origin null;"]),
    row("cors_allow_origin https://app.example.com:http;", BROWSERS_SEND).mended(&["cors_allow_origin https://app.example.com:*;"]).allows(APP),
    row("cors_allow_origin https://app.exa<mple.com;", BROWSERS_SEND).mended(&["cors_allow_origin https://app.example.com;"]).allows(APP),
    row("cors_allow_origin https://.example.com;", "That is how cookies name a domain; browsers send the name of a host.")
        .mended(&["cors_allow_origin https://*.example.com https://example.com;"])
        .allows(BELOW),
    row("cors_allow_origin app://a%b;", BROWSERS_SEND).mended(&["cors_allow_origin app://a;"]),
    row("cors_allow_origin https://*example.com;", "That begins the names of strangers, too.")
        .mended(&["cors_allow_origin https://*.example.com;", "cors_allow_origin https://*example.com https://*.example.com;\ncors_unsafe public_suffixes;"])
        .allows(BELOW),
    row("cors_allow_origin https://*;", "That is every site.")
        .mended(&["cors_allow_origin *;", "cors_allow_origin https://*.example.com;"])
        .allows(BELOW),
    row("cors_allow_origin https://pr+*.example.com;", BROWSERS_SEND)
        .mended(&["cors_allow_origin https://pr-*.example.com;"])
        .allows(&["https://pr-1.example.com"]),
    row("cors_allow_origin https://a.*.example.com;", "A pattern covers what is in front of a domain.").allows(&["https://a.b.example.com"]),
    row("cors_allow_origin https://example.*;", NARROW)
        .mended(&["cors_allow_origin https://example.com https://example.org;"])
        .allows(&["https://example.com"]),
    row("cors_allow_origin *.co.uk;", NARROW)
        .mended(&["cors_allow_origin https://*.example.co.uk;"])
        .allows(&["https://a.example.co.uk"]),
    row("cors_allow_origin \"*,\";", "nginx separates values by spaces.")
        .mended(&["cors_allow_origin *;", "cors_allow_origin https://app.example.com;"])
        .allows(APP),
    row("cors_allow_origin \"https://a.example,*\";", "A list with \"*\" allows everyone anyway.")
        .mended(&["cors_allow_origin *;", "cors_allow_origin https://a.example;"])
        .allows(&["https://a.example"]),
    row("cors_allow_origin file:///home/me;", "Files have no origin of their own.")
        .mended(&["cors_allow_origin file:// null;"])
        .allows(&["null", "file://"]),
    row("cors_allow_origin file://;\ncors_allow_credentials on;", CREDENTIALS)
        .mended(&["cors_allow_origin file://;\ncors_allow_credentials on;\ncors_unsafe null_origin;"])
        .allows(&["file://"]),
    row("cors_allow_origin https://*.127.0.0.1;", BROWSERS_SEND)
        .mended(&["cors_allow_origin https://127.0.0.1;"])
        .allows(&["https://127.0.0.1"]),
    row("cors_allow_origin \"\";", BROWSERS_SEND).allows(APP),
    row("cors_allow_origin https://a.example, https://b.example;", "nginx separates values by spaces.")
        .mended(&["cors_allow_origin https://a.example https://b.example;"])
        .allows(BOTH),
    row("cors_allow_origin \"https://a.example,https://b.example\";", "nginx separates values by spaces.").allows(BOTH),
    row("cors_allow_origin \"https://a.example https://b.example\";", "In quotes it is one value.")
        .mended(&["cors_allow_origin https://a.example https://b.example;"])
        .allows(BOTH),
    row(
        "cors_allow_origin https://{long}.example;",
        "A name has 253 characters at most.",
    )
    .mended(&["cors_allow_origin https://a.example;"]),
    row("cors_allow_origin * https://app.example.com;", "A list with \"*\" allows everyone anyway.")
        .mended(&["cors_allow_origin *;", "cors_allow_origin https://app.example.com;"])
        .allows(APP),
    row("cors_allow_origin https://a.example https://a.example;", "Once is enough."),
    row("cors_allow_origin https://a.example.com https://*.example.com;", "The pattern allows it already.").allows(BELOW),
    row("cors_allow_origin $;", "A text with variables has their names.").mended(&["cors_allow_origin $name;\nset $name https://app.example.com;"]),
    // cors_allow_origin: what admits others
    row("cors_allow_origin https://*.co.uk;", NARROW)
        .mended(&["cors_allow_origin https://*.example.co.uk;", "cors_allow_origin https://*.co.uk;\ncors_unsafe public_suffixes;"])
        .allows(&["https://a.example.co.uk"]),
    row("cors_allow_origin https://*.amazonaws.com;", NARROW)
        .mended(&["cors_allow_origin https://my.s3.amazonaws.com;", "cors_allow_origin https://*.amazonaws.com;\ncors_unsafe public_suffixes;"])
        .allows(&["https://my.s3.amazonaws.com"]),
    row("cors_allow_origin *;\ncors_allow_credentials on;", CREDENTIALS)
        .mended(&[
            "cors_allow_origin https://app.example.com;\ncors_allow_credentials on;",
            "cors_allow_origin *;\ncors_allow_credentials on;\ncors_unsafe any_origin_credentials;",
        ])
        .allows(APP),
    row("cors_allow_origin null;\ncors_allow_credentials on;", CREDENTIALS)
        .mended(&["cors_allow_origin null;", "cors_allow_origin null;\ncors_allow_credentials on;\ncors_unsafe null_origin;"])
        .allows(&["null"]),
    row("cors_allow_origin http://app.example.com;\ncors_allow_credentials on;", CREDENTIALS),
    row("cors_allow_origin ~(https?)://app\\.example\\.com;\ncors_allow_credentials on;", CREDENTIALS)
        .mended(&[
            "cors_allow_origin ~https://app\\.example\\.com;\ncors_allow_credentials on;",
            "cors_allow_origin ~(https?)://app\\.example\\.com;\ncors_allow_credentials on;\ncors_unsafe insecure_origins;",
        ])
        .allows(APP),
    row("cors_allow_origin ~chrome-extension://[a-p]+;\ncors_allow_credentials on;", CREDENTIALS)
        .mended(&[
            "cors_allow_origin chrome-extension://abcdefghijklmnopabcdefghijklmnop;\ncors_allow_credentials on;",
            "cors_allow_origin ~chrome-extension://[a-p]+;\ncors_allow_credentials on;\ncors_unsafe any_origin_credentials;",
        ])
        .allows(&["chrome-extension://abcdefghijklmnopabcdefghijklmnop"]),
    row(
        "map $host $list { default https://app.example.com; }\nserver { {server}\ncors on;\ncors_allow_origin $list;\ncors_allow_credentials on;\n}",
        CREDENTIALS,
    )
    .in_http()
    .mended(&["map $host $list { default https://app.example.com; }\nserver { {server}\ncors on;\ncors_allow_origin $list;\ncors_allow_credentials https://app.example.com;\n}"])
    .allows(APP),
    // cors_allow_origin: expressions
    row("cors_allow_origin ~https://(a;", "It is the syntax of the regex crate, which takes linear time.").mended(&["cors_allow_origin ~https://a\\.example;"]),
    row("cors_allow_origin ~*https://a\\.example;", BROWSERS_SEND).allows(&["https://a.example"]),
    row("cors_allow_origin \"~https://((\\w{50}){50}){50}\\.example\";", SPEED).mended(&["cors_allow_origin https://*.example.com;"]),
    row("cors_allow_origin \"~https://.*a.{40}b.{40}a.*c\\.example\";", SPEED).mended(&["cors_allow_origin https://*.example.com;"]),
    row("cors_allow_origin {many expressions};", SPEED).mended(&["cors_allow_origin https://*.example.com;"]),
    row("cors_allow_origin ~null;", WHOLE).allows(&["null"]),
    row("cors_allow_origin ~https://A\\.example;", BROWSERS_SEND).allows(&["https://a.example"]),
    row("cors_allow_origin ~https://[A-B]\\.example;", BROWSERS_SEND),
    row("cors_allow_origin ~https://[A-Z]+\\.com;", BROWSERS_SEND)
        .mended(&["cors_allow_origin ~https://[a-b]\\.example\\.com;"])
        .allows(BELOW),
    row("cors_allow_origin ~https://a\\.example:443;", BROWSERS_SEND).allows(&["https://a.example"]),
    row("cors_allow_origin ~https://a\\.example:44[3];", BROWSERS_SEND).mended(&["cors_allow_origin ~https://a\\.example;"]).allows(&["https://a.example"]),
    row("cors_allow_origin ~https://a\\.example/;", HOST_ONLY).allows(&["https://a.example"]),
    row("cors_allow_origin ~https://a\\.example/x+;", HOST_ONLY).mended(&["cors_allow_origin ~https://a\\.example;"]).allows(&["https://a.example"]),
    row("cors_allow_origin ~a\\.example;", WHOLE).allows(&["https://a.example"]),
    row("cors_allow_origin ~[a-z]+\\.[a-z]+;", WHOLE).mended(&["cors_allow_origin ~https://[a-z]+\\.example;"]),
    row("cors_allow_origin ~\\.example\\.com$;", WHOLE).allows(BELOW),
    row("cors_allow_origin ~\\.[a-z]+$;", WHOLE).mended(&["cors_allow_origin https://*.example.com;"]).allows(BELOW),
    row("cors_allow_origin ~^$;", WHOLE).mended(&["cors_allow_origin https://app.example.com;"]),
    row("cors_allow_origin ~https://a\\.example/|https://b\\.example;", HOST_ONLY).allows(BOTH),
    row("cors_allow_origin ~https://(a\\.example/|b\\.example);", HOST_ONLY)
        .mended(&["cors_allow_origin ~https://(a\\.example|b\\.example);"])
        .allows(BOTH),
    row("cors_allow_origin ~https://a.example\\.com;", NARROW).allows(BELOW),
    row("cors_allow_origin ~https://(www.)?aa\\.com;", NARROW).allows(&["https://aa.com", "https://www.aa.com"]),
    row("cors_allow_origin ~https://({many names}).com;", NARROW)
        .mended(&["cors_allow_origin ~https://({many names})\\.com;", "cors_allow_origin ~https://({many names}).com;\ncors_unsafe broad_regex;"])
        .allows(&["https://name7.com"]),
    row("cors_allow_origin ~https://a?b\\.com;", NARROW).allows(&["https://b.com", "https://ab.com"]),
    row("cors_allow_origin ~https://(a|b|c|d|e)?x\\.com;", NARROW)
        .mended(&["cors_allow_origin https://ax.com https://x.com;", "cors_allow_origin ~https://(a|b|c|d|e)?x\\.com;\ncors_unsafe broad_regex;"])
        .allows(&["https://ax.com"]),
    row("cors_allow_origin ~https://.*aa\\.com;", NARROW).allows(&["https://aa.com", "https://a.aa.com"]),
    row("cors_allow_origin ~https://.*({many names})\\.com;", NARROW)
        .mended(&["cors_allow_origin ~https://(.*\\.)?({many names})\\.com;", "cors_allow_origin ~https://.*({many names})\\.com;\ncors_unsafe broad_regex;"])
        .allows(&["https://a.name7.com"]),
    row("cors_allow_origin ~https://aa\\.com.*;", NARROW).allows(&["https://aa.com"]),
    row("cors_allow_origin ~https://({many names})\\.com.*;", NARROW)
        .mended(&["cors_allow_origin ~https://({many names})\\.com;", "cors_allow_origin ~https://({many names})\\.com.*;\ncors_unsafe broad_regex;"])
        .allows(&["https://name7.com"]),
    row("cors_allow_origin ~[a-z]+://aa\\.com;", NARROW).allows(&["https://aa.com"]),
    row("cors_allow_origin ~[a-z]+://({many names})\\.com;", NARROW)
        .mended(&["cors_allow_origin ~https://({many names})\\.com;", "cors_allow_origin ~[a-z]+://({many names})\\.com;\ncors_unsafe broad_regex;"])
        .allows(&["https://name7.com"]),
    row("cors_allow_origin ~https://.+\\.github\\.io;", NARROW)
        .mended(&["cors_allow_origin https://me.github.io;", "cors_allow_origin ~https://.+\\.github\\.io;\ncors_unsafe broad_regex;"])
        .allows(&["https://me.github.io"]),
    row("cors_allow_origin ~https://example\\.c[a-z]m;", NARROW)
        .mended(&["cors_allow_origin ~https://example\\.(com|cam);", "cors_allow_origin ~https://example\\.c[a-z]m;\ncors_unsafe broad_regex;"])
        .allows(&["https://example.com"]),
    row("cors_allow_origin ~https://.+;", NARROW)
        .mended(&["cors_allow_origin https://*.example.com;", "cors_allow_origin ~https://.+;\ncors_unsafe broad_regex;"])
        .allows(BELOW),
    // cors_allow_methods
    row("cors_allow_methods GET,PUT;", NAME).mended(&["cors_allow_methods GET PUT;"]),
    row("cors_allow_methods PÜT;", NAME).mended(&["cors_allow_methods PUT;"]),
    row("cors_allow_methods TRACE;", "Scripts cannot send it."),
    row("cors_allow_methods PUT PUT;", "Once is enough."),
    row("cors_allow_methods put;", NAME),
    row("cors_allow_methods patch;", NAME).mended(&["cors_allow_methods PATCH;"]),
    row("cors_allow_methods * PUT;", "It is allowed already.").mended(&["cors_allow_methods *;", "cors_allow_methods PUT;"]),
    row("cors_allow_methods $methods;", "The list is the same for each request, as browsers keep it."),
    row("cors_allow_methods P*;", NAME),
    row("cors_allow_methods ALL;", NAME),
    row("cors_allow_methods GET|PUT;", NAME).mended(&["cors_allow_methods GET PUT;"]),
    // cors_allow_headers
    row("cors_allow_headers \"X-A: 1\";", NAME).mended(&["cors_allow_headers X-A;"]),
    row("cors_allow_headers Cookie;", "Browsers set it themselves."),
    row("cors_allow_headers X-A x-a;", "Once is enough; case does not matter."),
    row("cors_allow_headers * X-A;", "It is allowed already.").mended(&["cors_allow_headers *;", "cors_allow_headers X-A;"]),
    row("cors_allow_headers $http_access_control_request_headers;", "The list is the same for each request, as browsers keep it."),
    row("cors_allow_headers x-amz-*;", NAME),
    // cors_expose_headers
    row("cors_expose_headers Set-Cookie;", "Browsers keep cookies from scripts."),
    row("cors_expose_headers ETag etag;", "Once is enough; case does not matter."),
    row("cors_expose_headers * ETag;", "It is exposed already.").mended(&["cors_expose_headers *;", "cors_expose_headers ETag;"]),
    // cors_allow_credentials
    row("cors_allow_credentials true;", WORD).allows(APP),
    row("cors_allow_credentials no;", WORD),
    row("cors_allow_credentials maybe;", WORD),
    row("cors_allow_credentials on https://app.example.com;", "Either all origins get credentials, or the listed ones.")
        .mended(&["cors_allow_credentials on;", "cors_allow_credentials https://app.example.com;"]),
    row("cors_allow_credentials *;", CREDENTIALS),
    row("cors_allow_credentials $list;", CREDENTIALS),
    row("cors_allow_origin https://app.example.com;\ncors_allow_credentials https://other.example;", "Credentials are for origins that are allowed.")
        .mended(&[
            "cors_allow_origin https://app.example.com https://other.example;\ncors_allow_credentials https://other.example;",
            "cors_allow_origin https://app.example.com;",
        ]),
    row("cors_allow_origin https://app.example.com;\ncors_allow_credentials https://*.other.example;", "Credentials are for origins that are allowed.")
        .mended(&[
            "cors_allow_origin https://app.example.com https://*.other.example;\ncors_allow_credentials https://*.other.example;",
            "cors_allow_origin https://app.example.com;",
        ]),
    // cors_max_age and the rest
    row("cors_max_age -1;", "Other software takes it for \"do not keep\"."),
    row("cors_max_age soon;", "It is a time as nginx writes it."),
    row("cors_max_age 30d;", "What is longer does nothing."),
    row("cors_preflight_status 302;", "Browsers take no other answer for leave."),
    row("cors_allow_private_network on;", "It would do nothing."),
    row(
        "server { {server}\ncors on;\ncors_allow_origin https://a.example;\ncors_preflight early;\nlocation /b/ {\ncors_allow_origin https://b.example;\n}\n}",
        "The answer comes before nginx chooses a location.",
    )
    .in_http()
    .mended(&[
        "server { {server}\ncors on;\ncors_allow_origin https://a.example;\nlocation / {\ncors_preflight early;\n}\nlocation /b/ {\ncors_allow_origin https://b.example;\ncors_preflight early;\n}\n}",
        "server { {server}\ncors on;\ncors_allow_origin https://a.example;\ncors_preflight early;\nlocation /b/ { }\n}",
    ]),
    // cors_candidate
    row("cors_candidate on {\ncors_allow_methods PUT;\n}", "It is a block.").mended(&["cors_candidate {\ncors_allow_methods PUT;\n}"]),
    row("cors_candidate {\ncors_allow_methods PUT;\n}\ncors_candidate {\ncors_allow_headers X-A;\n}", ONCE)
        .mended(&["cors_candidate {\ncors_allow_methods PUT;\ncors_allow_headers X-A;\n}"]),
    row("cors on;\ncors_allow_origin https://a.example;\ncors_candidate {\ncors on;\n}", "Beside a policy, another one is judged.")
        .mended(&["cors on;\ncors_allow_origin https://a.example;\ncors_candidate { }"]),
    row("cors_candidate {\nadd_header X-A b;\n}", "Nothing in it has an effect on a response.")
        .mended(&["add_header X-A b;\ncors_candidate { }"]),
    row("server { {server}\ncors_candidate {\ncors_allow_origin https://a.example;\n}\n}", "It is judged beside a policy.")
        .in_http()
        .mended(&["server { {server}\ncors on;\ncors_allow_origin https://b.example;\ncors_candidate {\ncors_allow_origin https://a.example;\n}\n}"]),
    // cors_origin_list
    row(list!("cors_origin_list;"), LIST_FILE)
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt;")]),
    row(list!("cors_origin_list tenants;"), LIST_FILE)
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt;")]),
    row(list!("cors_origin_list @tenants tenants.txt;"), LIST_NAME)
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt;")]),
    row(list!("cors_origin_list our/tenants tenants.txt;"), LIST_NAME).in_http(),
    row("cors_allow_origin @our/tenants;", LIST_NAME).mended(&["cors_allow_origin https://app.example.com;"]),
    row(list!("cors_origin_list tenants tenants.txt;\ncors_origin_list tenants mended.txt;"), ONCE)
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt;")]),
    row(list!("cors_origin_list tenants tenants.txt ttl=3s;"), WORD)
        .in_http()
        .mended(&[list!("cors_origin_list tenants keyed.txt key=$host size=8m check=1s;")]),
    row(list!("cors_origin_list tenants tenants.txt size=1m size=2m;"), "Each parameter stands once.")
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt size=2m;")]),
    row(list!("cors_origin_list tenants keyed.txt key=host;"), "A key is worked out for each request.").in_http(),
    row(list!("cors_origin_list tenants keyed.txt key=$;"), "A key is worked out for each request.").in_http(),
    row(list!("cors_origin_list tenants tenants.txt size=large;"), "A list is kept in memory that all workers share.").in_http(),
    row(list!("cors_origin_list tenants tenants.txt size=4k;"), "A list is kept in memory that all workers share.").in_http(),
    row(list!("cors_origin_list tenants tenants.txt check=often;"), "It is a time.").in_http(),
    row(list!("cors_origin_list tenants tenants.txt check=0;"), "It is a time.").in_http(),
    row(
        "cors_origin_list tenants tenants.txt;\nserver { {server}\ncors on;\ncors_allow_origin https://app.example.com;\n}",
        "A list does nothing by itself.",
    )
    .in_http()
    .mended(&["cors_origin_list tenants tenants.txt;\nserver { {server}\ncors on;\ncors_allow_origin @tenants;\n}"]),
    row("server { {server}\ncors on;\ncors_allow_origin @tenants;\n}", LIST_NAME).in_http(),
    row(
        "cors_origin_list tenants tenants.txt;\nserver { {server}\ncors on;\ncors_allow_origin @tennants;\n}",
        LIST_NAME,
    )
    .in_http()
    .mended(&["cors_origin_list tenants tenants.txt;\nserver { {server}\ncors on;\ncors_allow_origin @tenants;\n}"]),
    row(
        "cors_origin_list a tenants.txt;\ncors_origin_list b mended.txt;\nserver { {server}\ncors on;\ncors_allow_origin @a @b @c;\n}",
        LIST_NAME,
    )
    .in_http()
    .mended(&["cors_origin_list a tenants.txt;\ncors_origin_list b mended.txt;\nserver { {server}\ncors on;\ncors_allow_origin @a @b;\n}"]),
    row(list!("cors_origin_list tenants missing.txt;"), "A file has to be there, as one that is included.")
        .in_http()
        .mended(&[list!("cors_origin_list tenants empty.txt;")]),
    row(list!("cors_origin_list tenants .;"), "A list is read from a file.")
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt;")]),
    row(list!("cors_origin_list tenants wrong.txt;"), LIST_OF_FILE)
        .in_http()
        .mended(&[list!("cors_origin_list tenants mended.txt; # its line is https://tenant.example")]),
    row(list!("cors_origin_list tenants star.txt;"), LIST_OF_FILE)
        .in_http()
        .mended(&["server { {server}\nlocation / {\ncors on;\ncors_allow_origin *;\n}\n}"]),
    row(list!("cors_origin_list tenants null.txt;"), LIST_OF_FILE)
        .in_http()
        .mended(&["cors_origin_list tenants tenants.txt;\nserver { {server}\nlocation / {\ncors on;\ncors_allow_origin @tenants;\ncors_allow_origin null;\n}\n}"]),
    row(list!("cors_origin_list tenants variable.txt;"), LIST_OF_FILE)
        .in_http()
        .mended(&[list!("cors_origin_list tenants tenants.txt;")]),
    row(list!("cors_origin_list tenants large.txt size=64k;"), "A list has to fit into its memory twice: the old one is served while the new one is built.")
        .in_http()
        .mended(&[list!("cors_origin_list tenants large.txt size=2m;")]),
    row(
        "cors_origin_list tenants insecure.txt;\nserver { {server}\nlocation / {\ncors on;\ncors_allow_origin @tenants;\ncors_allow_credentials on;\n}\n}",
        CREDENTIALS,
    )
    .in_http()
    .mended(&["cors_origin_list tenants insecure.txt;\nserver { {server}\nlocation / {\ncors on;\ncors_allow_origin @tenants;\ncors_allow_credentials on;\ncors_unsafe insecure_origins;\n}\n}"]),
    // cors_zone and cors_status
    row("cors_zone cors;\nserver { {server} }", "The zone is shared by all workers, and has a size.").in_http(),
    row("cors_zone cors:many;\nserver { {server} }", "The zone is shared by all workers, and has a size.").in_http(),
    row("cors_zone cors:1k;\nserver { {server} }", "The zone has to hold some counters.").in_http(),
    row("cors_zone cors:32k;\nserver { {server}\n{many locations}\n}", "Each policy has counters of its own.")
        .in_http()
        .mended(&["cors_zone cors:48k;\nserver { {server}\n{many locations}\n}"]),
    row("cors_zone a:1m b:1m;\nserver { {server} }", ONE_VALUE).in_http(),
    row("cors_zone a:1m;\ncors_zone b:1m;\nserver { {server} }", "All requests are counted in one zone.")
        .in_http()
        .mended(&["cors_zone a:1m;\nserver { {server} }"]),
    row("server { {server}\nlocation = /cors { cors_status; }\n}", "There are no figures without a zone.")
        .in_http()
        .mended(&["cors_zone cors:256k;\nserver { {server}\nlocation = /cors { cors_status; }\n}"]),
    row("cors_zone cors:256k;\nserver { {server}\nlocation = /cors {\ncors_status xml;\n}\n}", WORD).in_http(),
    row("cors_zone cors:256k;\nserver { {server}\nlocation = /cors {\ncors_status json html;\n}\n}", ONE_VALUE).in_http(),
    row("cors_zone cors:256k;\nserver { {server}\nlocation = /cors {\ncors_status;\ncors_status;\n}\n}", ONCE)
        .in_http()
        .mended(&["cors_zone cors:256k;\nserver { {server}\nlocation = /cors {\ncors_status;\n}\n}"]),
];

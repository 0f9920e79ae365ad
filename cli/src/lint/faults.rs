//! The table of faults. `docs/lint.md` is made of it.

use std::fmt;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look: whether it does harm depends on what the configuration does not show.
    Note,
    /// Some requests are not answered as they were meant.
    Warning,
    /// A stranger gets in, no browser takes the answer, or nginx refuses the configuration.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A kind of fault.
#[derive(Debug)]
pub struct Fault {
    /// By which it is allowed and denied, and found in the documentation.
    pub id: &'static str,
    pub severity: Severity,
    pub title: &'static str,
    pub why: &'static str,
    /// Lines that have it, and may have others.
    pub broken: &'static str,
    /// The same without it.
    pub mended: &'static str,
}

impl Fault {
    /// The fault of this identifier.
    pub fn find(id: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|fault| fault.id == id)
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

macro_rules! faults {
    ($($name:ident $id:literal $severity:ident $title:literal
        why $why:literal
        broken $broken:literal
        mended $mended:literal)+) => {
        $(pub static $name: Fault = Fault {
            id: $id,
            severity: Severity::$severity,
            title: $title,
            why: $why,
            broken: $broken,
            mended: $mended,
        };)+

        /// All of them, in the order of the documentation.
        pub static ALL: &[&Fault] = &[$(&$name,)+];
    };
}

faults! {
// Who is let in.

REFLECTED_WITH_CREDENTIALS "reflected-with-credentials" Error
    "Every site may read what a signed-in user may read"
    why "The request's own `Origin` is sent back, whatever it is, together with `Access-Control-Allow-Credentials: true`. Any page that a user visits can then ask with the user's cookies, and read the answer."
    broken r#"add_header Access-Control-Allow-Origin $http_origin always;
add_header Access-Control-Allow-Credentials true always;
add_header Vary Origin always;"#
    mended r#"cors on;
cors_allow_origin https://app.example.com;
cors_allow_credentials on;"#

REFLECTED "reflected-origin" Warning
    "Every origin is sent back"
    why "The request's own `Origin` is sent back, whatever it is: that allows everyone, as `*` does. But what looks like a list is none, caches need `Vary: Origin` for it, and the day somebody adds `Access-Control-Allow-Credentials` every site is let in with the user's cookies."
    broken r#"add_header Access-Control-Allow-Origin $http_origin always;
add_header Vary Origin always;"#
    mended r#"add_header Access-Control-Allow-Origin * always;"#

NULL_ORIGIN "null-origin" Error
    "The origin \"null\" is allowed"
    why "Every site can make itself the origin `null`, with a sandboxed frame: who allows `null` allows everyone."
    broken r#"map $http_origin $cors {
    https://app.example.com $http_origin;
    null $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Vary Origin always;
}"#
    mended r#"map $http_origin $cors {
    https://app.example.com $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Vary Origin always;
}"#

REGEX_ADMITS_STRANGERS "regex-admits-strangers" Error
    "A regular expression lets strangers in"
    why "nginx searches for the expression anywhere in the `Origin`, and an unescaped dot stands for any character. So it matches origins that somebody else can register."
    broken r#"map $http_origin $cors {
    ~https://.*.example.com $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Vary Origin always;
}"#
    mended r#"map $http_origin $cors {
    ~^https://([a-z0-9-]+\.)+example\.com$ $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Vary Origin always;
}"#

INSECURE_WITH_CREDENTIALS "insecure-origin-with-credentials" Warning
    "An origin without TLS gets credentials"
    why "Whoever is on the network path can put a page of their own on an `http://` origin, and reads with it what the signed-in user may read."
    broken r#"map $http_origin $cors {
    ~^https?://app\.example\.com$ $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Access-Control-Allow-Credentials true always;
    add_header Vary Origin always;
}"#
    mended r#"map $http_origin $cors {
    ~^https://app\.example\.com$ $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Access-Control-Allow-Credentials true always;
    add_header Vary Origin always;
}"#

REGEX_MATCHES_NOTHING "regex-matches-nothing" Warning
    "A regular expression matches no origin"
    why "Browsers send an origin as scheme, host, and a port that is not the default one, in lower case, without a slash at its end. The expression matches nothing that a browser sends: who was meant is not allowed."
    broken r#"map $http_origin $cors {
    ~^https://app\.example\.com/$ $http_origin;
}"#
    mended r#"map $http_origin $cors {
    ~^https://app\.example\.com$ $http_origin;
}"#

REGEX_DEAD_BRANCH "regex-dead-branch" Warning
    "A branch of a regular expression matches no origin"
    why "Browsers send an origin as scheme, host, and a port that is not the default one, in lower case, without a slash at its end. One branch of the expression matches nothing that a browser sends: who was meant is not allowed."
    broken r#"map $http_origin $cors {
    ~^(https://app\.example\.com|https://www\.example\.com/)$ $http_origin;
}"#
    mended r#"map $http_origin $cors {
    ~^(https://app\.example\.com|https://www\.example\.com)$ $http_origin;
}"#

REGEX_NOT_JUDGED "regex-not-judged" Note
    "A regular expression cannot be judged"
    why "It has look-around or back references, or is too large: which origins it matches cannot be found out. A simpler one can be checked, by people too."
    broken r#"map $http_origin $cors {
    ~^https://(?!old)[a-z]+\.example\.com$ $http_origin;
}"#
    mended r#"map $http_origin $cors {
    https://old.example.com "";
    ~^https://[a-z]+\.example\.com$ $http_origin;
}"#

ORIGIN_NEVER_SENT "origin-never-sent" Warning
    "No browser sends this origin"
    why "What is compared with `Origin` has to be as browsers send it: scheme, host, and a port that is not the default one, without a path or a slash at its end. This never matches: who was meant is not allowed."
    broken r#"map $http_origin $cors {
    https://app.example.com/ $http_origin;
}"#
    mended r#"map $http_origin $cors {
    https://app.example.com $http_origin;
}"#

ORIGIN_OF_ANOTHER_HEADER "origin-of-another-header" Warning
    "Access-Control-Allow-Origin is taken from something else in the request"
    why "Only `Origin` says which page asks. `Referer` ends with a path, so no browser takes it for an origin; a host, an argument or a cookie is what the client likes it to be."
    broken r#"add_header Access-Control-Allow-Origin $http_referer always;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;"#

// What the headers say.

WILDCARD_WITH_CREDENTIALS "wildcard-with-credentials" Error
    "\"*\" and credentials exclude each other"
    why "Browsers refuse a response to a request with credentials whose `Access-Control-Allow-Origin` is `*` (Fetch, CORS check, step 4). The page gets nothing."
    broken r#"add_header Access-Control-Allow-Origin * always;
add_header Access-Control-Allow-Credentials true always;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;
add_header Access-Control-Allow-Credentials true always;"#

WILDCARD_LIST_WITH_CREDENTIALS "wildcard-list-with-credentials" Warning
    "\"*\" means nothing where there are credentials"
    why "Where a request has credentials, `*` in `Access-Control-Allow-Methods`, `-Allow-Headers` and `-Expose-Headers` is a method or a header of that name, which nobody has (Fetch, CORS-preflight fetch)."
    broken r#"add_header Access-Control-Allow-Origin https://app.example.com always;
add_header Access-Control-Allow-Credentials true always;
add_header Access-Control-Allow-Headers * always;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;
add_header Access-Control-Allow-Credentials true always;
add_header Access-Control-Allow-Headers "Authorization, Content-Type" always;"#

SEVERAL_ORIGINS_IN_A_VALUE "several-origins-in-a-value" Error
    "Access-Control-Allow-Origin holds a list"
    why "The header takes one origin, or `*`. Browsers compare its value with the page's origin as a whole: a list equals none."
    broken r#"add_header Access-Control-Allow-Origin "https://a.example.com, https://b.example.com" always;"#
    mended r#"cors on;
cors_allow_origin https://a.example.com https://b.example.com;"#

SEVERAL_ORIGIN_LINES "several-origin-lines" Error
    "Access-Control-Allow-Origin is sent twice"
    why "Each `add_header` adds a line of its own. Browsers put the lines together with a comma, and the result is no origin: every page is refused."
    broken r#"add_header Access-Control-Allow-Origin https://a.example.com always;
add_header Access-Control-Allow-Origin https://b.example.com always;"#
    mended r#"cors on;
cors_allow_origin https://a.example.com https://b.example.com;"#

ORIGIN_PATTERN "origin-pattern" Error
    "Browsers know no patterns"
    why "`*` stands for every origin when it stands alone; within a value it is a character that no origin has."
    broken r#"add_header Access-Control-Allow-Origin https://*.example.com always;"#
    mended r#"cors on;
cors_allow_origin https://*.example.com;"#

MALFORMED_ORIGIN "malformed-origin" Error
    "Access-Control-Allow-Origin is no origin"
    why "Browsers compare the value with the page's origin byte for byte: scheme, host, and a port that is not the default one, in lower case, without a path or a slash at its end. This equals none."
    broken r#"add_header Access-Control-Allow-Origin https://app.example.com/ always;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;"#

CREDENTIALS_NOT_TRUE "credentials-not-true" Warning
    "Access-Control-Allow-Credentials is not \"true\""
    why "Browsers know one value of this header, `true` in lower case. Any other means the same as no header."
    broken r#"add_header Access-Control-Allow-Origin https://app.example.com always;
add_header Access-Control-Allow-Credentials True always;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;
add_header Access-Control-Allow-Credentials true always;"#

MALFORMED_LIST "malformed-list" Error
    "A list is not separated by commas"
    why "Methods and headers are lists with commas. A list with anything else in it cannot be read, and the browser takes the whole answer for a failure (Fetch, CORS-preflight fetch)."
    broken r#"add_header Access-Control-Allow-Methods "GET POST PUT" always;"#
    mended r#"add_header Access-Control-Allow-Methods "GET, POST, PUT" always;"#

METHOD_IN_LOWER_CASE "method-in-lower-case" Warning
    "A method is written in lower case"
    why "Methods are compared byte for byte, and browsers send those of HTTP in upper case."
    broken r#"add_header Access-Control-Allow-Methods "get, post, put" always;"#
    mended r#"add_header Access-Control-Allow-Methods "GET, POST, PUT" always;"#

MALFORMED_MAX_AGE "malformed-max-age" Warning
    "Access-Control-Max-Age is no number of seconds"
    why "The header takes seconds without a unit. Browsers ignore anything else, and keep the answer for five seconds."
    broken r#"add_header Access-Control-Max-Age 1h always;"#
    mended r#"add_header Access-Control-Max-Age 3600 always;"#

MAX_AGE_TOO_LONG "max-age-too-long" Note
    "No browser keeps the answer so long"
    why "Chromium keeps the answer to a preflight for 7200 seconds at most, Firefox for 86400, Safari for 600. More promises nothing, and hides what is in force."
    broken r#"add_header Access-Control-Max-Age 1728000 always;"#
    mended r#"add_header Access-Control-Max-Age 7200 always;"#

MISSPELT_HEADER "misspelt-header" Error
    "There is no such header"
    why "Browsers ignore an `Access-Control-*` header that the Fetch standard does not name: what was meant is not allowed."
    broken r#"add_header Access-Control-Allow-Method "GET, POST" always;"#
    mended r#"add_header Access-Control-Allow-Methods "GET, POST" always;"#

REQUEST_HEADER_IN_RESPONSE "request-header-in-response" Warning
    "A header of requests is sent in responses"
    why "`Access-Control-Request-Method` and `-Headers` are what browsers ask with. In a response they mean nothing."
    broken r#"add_header Access-Control-Request-Method "GET, POST" always;"#
    mended r#"add_header Access-Control-Allow-Methods "GET, POST" always;"#

PRIVATE_NETWORK "private-network" Note
    "Browsers have given up Access-Control-Allow-Private-Network"
    why "Chromium 142 and Firefox ask the person instead, and send no such preflight any more. The header means nothing."
    broken r#"add_header Access-Control-Allow-Private-Network true always;"#
    mended r#"add_header Access-Control-Allow-Methods "GET, POST" always;"#

// Which responses have them.

MISSING_ALWAYS "missing-always" Warning
    "Errors have no CORS headers"
    why "Without `always`, `add_header` adds a header to statuses 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308 alone. On any other, the page sees a network error instead of the answer, and the console speaks of CORS."
    broken r#"add_header Access-Control-Allow-Origin https://app.example.com;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;"#

MISSING_VARY "missing-vary" Warning
    "Caches mix up the answers for different origins"
    why "`Access-Control-Allow-Origin` depends on the request's `Origin`, and nothing tells caches so. A browser or a CDN that has kept the answer for one origin, or for none, gives it to a page of another one, which is then refused."
    broken r#"map $http_origin $cors {
    https://a.example.com $http_origin;
    https://b.example.com $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
}"#
    mended r#"map $http_origin $cors {
    https://a.example.com $http_origin;
    https://b.example.com $http_origin;
}
server {
    add_header Access-Control-Allow-Origin $cors always;
    add_header Vary Origin always;
}"#

LOST_BY_INHERITANCE "lost-by-inheritance" Warning
    "An add_header of an inner block drops the CORS headers of the outer one"
    why "A block inherits the `add_header` lines of the block around it only if it has none of its own. One line for something else takes all CORS headers away."
    broken r#"server {
    add_header Access-Control-Allow-Origin https://app.example.com always;
    location /static/ {
        add_header Cache-Control "public, max-age=3600";
    }
}"#
    mended r#"server {
    add_header Access-Control-Allow-Origin https://app.example.com always;
    location /static/ {
        add_header Access-Control-Allow-Origin https://app.example.com always;
        add_header Cache-Control "public, max-age=3600";
    }
}"#

LOST_IN_IF "lost-in-if" Warning
    "A second if drops the headers of the first"
    why "Of several `if` blocks whose conditions hold, the last one is in force, with its own `add_header` lines alone. What the others add is lost."
    broken r#"location / {
    if ($http_origin = https://app.example.com) {
        add_header Access-Control-Allow-Origin https://app.example.com always;
        add_header Vary Origin always;
    }
    if ($request_method = GET) {
        add_header X-Read 1 always;
    }
}"#
    mended r#"location / {
    if ($http_origin = https://app.example.com) {
        add_header Access-Control-Allow-Origin https://app.example.com always;
        add_header Vary Origin always;
    }
}"#

SECURITY_HEADERS_LOST "security-headers-lost" Note
    "The block with the CORS headers drops headers that protect the site"
    why "A block inherits the `add_header` lines of the block around it only if it has none of its own. The CORS headers of this one take `Strict-Transport-Security` or the like away."
    broken r#"server {
    add_header Strict-Transport-Security "max-age=31536000" always;
    location /api/ {
        add_header Access-Control-Allow-Origin https://app.example.com always;
    }
}"#
    mended r#"server {
    add_header Strict-Transport-Security "max-age=31536000" always;
    location /api/ {
        add_header Strict-Transport-Security "max-age=31536000" always;
        add_header Access-Control-Allow-Origin https://app.example.com always;
    }
}"#

METHOD_LEFT_OUT "method-left-out" Warning
    "A method is allowed, and its response has no CORS headers"
    why "`Access-Control-Allow-Methods` names the method, so the browser sends the request; but the headers are added under `if ($request_method = ...)` for other methods alone. The request is carried out, and the page may not read the answer."
    broken r#"location / {
    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin https://app.example.com;
        add_header Access-Control-Allow-Methods "GET, POST, DELETE";
        return 204;
    }
    if ($request_method = GET) {
        add_header Access-Control-Allow-Origin https://app.example.com always;
    }
}"#
    mended r#"location / {
    add_header Access-Control-Allow-Origin https://app.example.com always;
    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin https://app.example.com;
        add_header Access-Control-Allow-Methods "GET, POST, DELETE";
        return 204;
    }
}"#

WITHOUT_ALLOW_ORIGIN "without-allow-origin" Warning
    "CORS headers without Access-Control-Allow-Origin"
    why "All other `Access-Control-*` headers count only beside `Access-Control-Allow-Origin`. Without it the page may not read the response."
    broken r#"add_header Access-Control-Allow-Methods "GET, POST" always;
add_header Access-Control-Allow-Headers Content-Type always;"#
    mended r#"add_header Access-Control-Allow-Origin https://app.example.com always;
add_header Access-Control-Allow-Methods "GET, POST" always;
add_header Access-Control-Allow-Headers Content-Type always;"#

TRY_FILES_IN_IF "try-files-in-if" Warning
    "try_files is not run where an if with headers holds"
    why "An `if` whose condition holds takes the location's place, and does not inherit its `try_files`. Requests from other origins get the file itself, or 404, instead of what `try_files` leads to."
    broken r#"location / {
    try_files $uri /index.html;
    if ($http_origin = https://app.example.com) {
        add_header Access-Control-Allow-Origin https://app.example.com always;
        add_header Vary Origin always;
    }
}"#
    mended r#"map $http_origin $cors {
    https://app.example.com $http_origin;
}
server {
    location / {
        try_files $uri /index.html;
        add_header Access-Control-Allow-Origin $cors always;
        add_header Vary Origin always;
    }
}"#

UPSTREAM_MAY_SEND_IT_TOO "upstream-may-send-it-too" Note
    "The application may send the header, too"
    why "`add_header` adds a line beside what the application sends. Where both send `Access-Control-Allow-Origin`, browsers see two, and refuse every page. If the application has nothing to do with CORS, all is well; to be sure, hide what it sends."
    broken r#"location /api/ {
    proxy_pass http://127.0.0.1:8080;
    add_header Access-Control-Allow-Origin https://app.example.com always;
}"#
    mended r#"location /api/ {
    proxy_pass http://127.0.0.1:8080;
    proxy_hide_header Access-Control-Allow-Origin;
    add_header Access-Control-Allow-Origin https://app.example.com always;
}"#

HIDDEN_HEADER_LOST "hidden-header-lost" Warning
    "A proxy_hide_header of an inner block drops that of the outer one"
    why "A block inherits `proxy_hide_header` only if it has none of its own. The `Access-Control-Allow-Origin` of the application, which the outer block hides, comes through here beside the one that nginx adds; browsers refuse two."
    broken r#"server {
    proxy_hide_header Access-Control-Allow-Origin;
    add_header Access-Control-Allow-Origin https://app.example.com always;
    location /api/ {
        proxy_hide_header X-Powered-By;
        proxy_pass http://127.0.0.1:8080;
    }
}"#
    mended r#"server {
    add_header Access-Control-Allow-Origin https://app.example.com always;
    location /api/ {
        proxy_hide_header Access-Control-Allow-Origin;
        proxy_hide_header X-Powered-By;
        proxy_pass http://127.0.0.1:8080;
    }
}"#

// Preflights.

PREFLIGHT_WITHOUT_ORIGIN "preflight-without-origin" Error
    "The answer to preflights has no Access-Control-Allow-Origin"
    why "An `if` with an `add_header` of its own inherits none from the location. So the answer to a preflight lacks the headers that all other responses have, and the browser never sends the request."
    broken r#"location / {
    add_header Access-Control-Allow-Origin https://app.example.com always;
    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Methods "GET, PUT";
        return 204;
    }
}"#
    mended r#"location / {
    add_header Access-Control-Allow-Origin https://app.example.com always;
    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin https://app.example.com;
        add_header Access-Control-Allow-Methods "GET, PUT";
        return 204;
    }
}"#

PREFLIGHT_REDIRECTED "preflight-redirected" Error
    "Preflights are redirected"
    why "nginx carries out `return` and `rewrite` before anything that answers preflights, and browsers follow no redirect of a preflight: \"Redirect is not allowed for a preflight request\"."
    broken r#"location /old/ {
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_methods PUT;
    return 308 /new/;
}"#
    mended r#"location /old/ {
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_methods PUT;
    cors_preflight early;
    return 308 /new/;
}"#

PREFLIGHT_NOT_OK "preflight-not-ok" Error
    "Preflights are answered with an error"
    why "A preflight whose status is not 2xx fails, whatever headers it has: \"It does not have HTTP ok status\". Something answers it before what was meant to."
    broken r#"location /api/ {
    cors on;
    cors_allow_origin https://app.example.com;
    if ($request_method = OPTIONS) {
        return 405;
    }
}"#
    mended r#"location /api/ {
    cors on;
    cors_allow_origin https://app.example.com;
}"#

PREFLIGHT_TAKEN "preflight-taken" Warning
    "An if answers preflights before the policy can"
    why "nginx carries out `if` and `return` before the module sees the request. The module still adds its headers, but the lists of methods and headers, and the refusal of strangers, are left to what stands here."
    broken r#"location /api/ {
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_methods PUT;
    if ($request_method = OPTIONS) {
        return 204;
    }
}"#
    mended r#"location /api/ {
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_methods PUT;
}"#

PREFLIGHT_BEHIND_AUTHENTICATION "preflight-behind-authentication" Error
    "Preflights have to be signed in"
    why "Browsers never send credentials with a preflight. It gets 401 or 403, and the request that would have had them is never sent."
    broken r#"location /api/ {
    auth_basic "api";
    auth_basic_user_file users;
    add_header Access-Control-Allow-Origin https://app.example.com always;
    add_header Access-Control-Allow-Headers Authorization always;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_pass http://127.0.0.1:8080;
}"#
    mended r#"location /api/ {
    auth_basic "api";
    auth_basic_user_file users;
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_headers Authorization;
    proxy_pass http://127.0.0.1:8080;
}"#

PREFLIGHT_FORBIDDEN "preflight-forbidden" Error
    "limit_except forbids preflights"
    why "`limit_except` names the methods that are free; `OPTIONS` is not among them, and preflights get 403."
    broken r#"location /api/ {
    limit_except GET POST {
        deny all;
    }
    add_header Access-Control-Allow-Origin https://app.example.com always;
    add_header Access-Control-Allow-Headers Content-Type always;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_pass http://127.0.0.1:8080;
}"#
    mended r#"location /api/ {
    limit_except GET POST OPTIONS {
        deny all;
    }
    add_header Access-Control-Allow-Origin https://app.example.com always;
    add_header Access-Control-Allow-Headers Content-Type always;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_pass http://127.0.0.1:8080;
}"#

PREFLIGHT_LIMITED "preflight-limited" Note
    "Preflights count against a limit"
    why "`limit_req` and `limit_conn` run before anything that answers preflights. A page that is told to wait gets 503 for its preflight, and the browser reports an error of CORS."
    broken r#"limit_req_zone $binary_remote_addr zone=api:1m rate=10r/s;
server {
    location /api/ {
        limit_req zone=api;
        cors on;
        cors_allow_origin https://app.example.com;
    }
}"#
    mended r#"map $cors_preflight $key {
    1 "";
    default $binary_remote_addr;
}
limit_req_zone $key zone=api:1m rate=10r/s;
server {
    location /api/ {
        limit_req zone=api;
        cors on;
        cors_allow_origin https://app.example.com;
    }
}"#

PREFLIGHT_UNANSWERED "preflight-unanswered" Error
    "Nobody answers preflights"
    why "nginx answers `OPTIONS` for files with 405, and a preflight whose status is not 2xx fails. The headers that say what is allowed never count."
    broken r#"location /files/ {
    root /srv;
    add_header Access-Control-Allow-Origin https://app.example.com always;
    add_header Access-Control-Allow-Methods "GET, HEAD" always;
    add_header Access-Control-Allow-Headers Range always;
}"#
    mended r#"location /files/ {
    root /srv;
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_headers Range;
}"#

OPTIONS_SWALLOWED "options-swallowed" Note
    "Every OPTIONS is answered here, also one that is no preflight"
    why "A preflight is an `OPTIONS` with `Origin` and `Access-Control-Request-Method`. Others belong to the application, which never sees them: WebDAV, discovery of an API, health checks."
    broken r#"location /api/ {
    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin https://app.example.com;
        return 204;
    }
    proxy_pass http://127.0.0.1:8080;
}"#
    mended r#"location /api/ {
    cors on;
    cors_allow_origin https://app.example.com;
    proxy_pass http://127.0.0.1:8080;
}"#

// The directives of the module.

NGINX_REFUSES "nginx-refuses" Error
    "nginx -t refuses a cors_* directive"
    why "It is what `nginx -t` says with the module loaded; docs/messages.md explains each message."
    broken r#"location / {
    cors on;
    cors_allow_origin app.example.com;
}"#
    mended r#"location / {
    cors on;
    cors_allow_origin https://app.example.com;
}"#

NGINX_WARNS "nginx-warns" Warning
    "nginx -t warns of a cors_* directive"
    why "It is what `nginx -t` says with the module loaded; docs/messages.md explains each message."
    broken r#"location / {
    cors on;
    cors_allow_origin https://app.example.com https://app.example.com;
}"#
    mended r#"location / {
    cors on;
    cors_allow_origin https://app.example.com;
}"#

UNKNOWN_DIRECTIVE "unknown-directive" Error
    "There is no such cors_* directive"
    why "nginx refuses a directive that no module has."
    broken r#"cors on;
cors_allow_orign https://app.example.com;"#
    mended r#"cors on;
cors_allow_origin https://app.example.com;"#

POLICY_DEAD "policy-dead" Warning
    "A policy that no request comes under"
    why "The first location with `cors on` that a request reaches governs it to its end. This policy stands in a named location that is entered from locations with a policy of their own."
    broken r#"location / {
    cors on;
    cors_allow_origin *;
    try_files $uri @app;
}
location @app {
    cors on;
    cors_allow_origin https://app.example.com;
    proxy_pass http://127.0.0.1:8080;
}"#
    mended r#"location / {
    cors on;
    cors_allow_origin https://app.example.com;
    try_files $uri @app;
}
location @app {
    proxy_pass http://127.0.0.1:8080;
}"#

SET_UNDER_EARLY "set-under-early" Error
    "A variable has no value yet when preflights are answered"
    why "With `cors_preflight early` a preflight is answered before `set` has run: the variable is empty, and every origin is refused."
    broken r#"server {
    set $allowed https://app.example.com;
    cors on;
    cors_allow_origin $allowed;
    cors_preflight early;
}"#
    mended r#"map $host $allowed {
    default https://app.example.com;
}
server {
    cors on;
    cors_allow_origin $allowed;
    cors_preflight early;
}"#

HEADER_BESIDE_POLICY "header-beside-policy" Warning
    "An add_header for CORS has no effect beside a policy"
    why "Where `cors` is on, the module writes all `Access-Control-*` headers, and takes away those of others (`cors_override on`). The line only misleads who reads it."
    broken r#"location / {
    cors on;
    cors_allow_origin https://app.example.com;
    add_header Access-Control-Allow-Origin * always;
}"#
    mended r#"location / {
    cors on;
    cors_allow_origin https://app.example.com;
}"#

// What was looked at.

INCLUDE_NOT_READ "include-not-read" Note
    "An included file was not looked at"
    why "It is not there, or may not be read. What it says is not known. `--prefix` names the directory to which relative names belong."
    broken r#"include nowhere/cors.conf;"#
    mended r#"include nowhere/*.conf;"#

UNKNOWN_ALLOW "unknown-allow" Warning
    "A comment allows something that there is not"
    why "`# nginx-cors: allow` names the identifiers of faults. This one is not among them, so that the comment allows nothing."
    broken r#"add_header Access-Control-Allow-Origin * always; # nginx-cors: allow missing-allways"#
    mended r#"add_header Access-Control-Allow-Origin *; # nginx-cors: allow missing-always"#

USELESS_ALLOW "useless-allow" Warning
    "A comment allows a fault that is not there"
    why "What it was for has been mended, or stands on another line. It would hide the fault if it came back."
    broken r#"add_header Access-Control-Allow-Origin * always; # nginx-cors: allow missing-always"#
    mended r#"add_header Access-Control-Allow-Origin *; # nginx-cors: allow missing-always"#
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_an_identifier_of_its_own() {
        let ids: std::collections::BTreeSet<_> = ALL.iter().map(|fault| fault.id).collect();
        assert_eq!(ids.len(), ALL.len());
        let is_plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(ids.into_iter().all(is_plain));
    }
}

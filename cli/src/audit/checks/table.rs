//! The table of checks. `docs/audit.md` is made of it.

use super::check::Check;
use super::{access, caches, origins, other_answers, preflights, values};
use crate::lint::Severity;

/// The check of this identifier.
pub fn find(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id == id)
}

macro_rules! checks {
    ($($id:literal $severity:ident $family:ident::$look:ident
        $title:literal
        why $why:literal
        remedy $remedy:literal)+) => {
        /// All of them, in the order of the documentation.
        pub static ALL: &[&Check] = &[$(&Check {
            id: $id,
            severity: Severity::$severity,
            title: $title,
            why: $why,
            remedy: $remedy,
            look: $family::$look,
        },)+];
    };
}

checks! {
// Who is let in.

"allowed-origin-refused" Error origins::allowed_origin_refused
    "A page that is to be allowed is refused"
    why "The page is given an `Access-Control-Allow-Origin` other than its own origin, or none: the browser keeps the answer from it (Fetch, CORS check)."
    remedy "allow the origin where this path is served: \"cors_allow_origin https://app.example.com;\""

"credentials-missing" Error origins::credentials_missing
    "A page that asks with cookies is refused"
    why "Without `Access-Control-Allow-Credentials: true` the browser keeps the answer to a request with cookies, a client certificate or HTTP authentication from the page (Fetch, CORS check, steps 5 to 7)."
    remedy "allow credentials for the origins that need them: \"cors_allow_credentials on;\""

"reflected-with-credentials" Error origins::reflected_with_credentials
    "Every site may read what a signed-in user may read"
    why "The request's own `Origin` is sent back, whatever it is, together with `Access-Control-Allow-Credentials: true`. Any page that a user visits can then ask with the user's cookies, and read the answer."
    remedy "name the origins to trust: \"cors on; cors_allow_origin https://app.example.com; cors_allow_credentials on;\""

"reflected-origin" Warning origins::reflected_origin
    "Every origin is sent back"
    why "The request's own `Origin` is sent back, whatever it is: that allows everyone, as `*` does. But what looks like a list is none, caches need `Vary: Origin` for it, and the day somebody adds `Access-Control-Allow-Credentials` every site is let in with the user's cookies."
    remedy "send \"*\", if everyone may read this; if not, name the origins to trust: \"cors_allow_origin https://app.example.com;\""

"null-origin" Error origins::null_origin
    "The origin \"null\" is allowed"
    why "Every site can make itself the origin `null`, with a sandboxed frame: who allows `null` allows everyone."
    remedy "remove it; an app that has no other origin needs a scheme of its own, such as \"capacitor://localhost\""

"loopback-origin" Warning origins::loopback_origin
    "Programs on the user's own machine are allowed"
    why "`http://localhost` is whatever listens on the machine of the user: a developer's server, or a program that another account has started. It belongs to tests, and not to a server that people use."
    remedy "remove it from the list of the server that people use"

"origin-with-suffix" Error origins::origin_with_suffix
    "A name that begins with an allowed one is allowed"
    why "The beginning of the origin is compared, and not the end, as by a regular expression without `$`. Anyone can register a name that goes on behind it."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\"; a regular expression ends with \"$\""

"origin-with-prefix" Error origins::origin_with_prefix
    "A name that ends with an allowed one is allowed"
    why "The end of the origin is compared, and not what stands before it. `strangerexample.com` ends with `example.com`, and anyone can register it."
    remedy "compare whole origins, or whole labels: \"cors_allow_origin https://*.example.com;\"; a regular expression begins with \"^https://\", and has \"\\.\" before the domain"

"other-top-level-domain" Error origins::other_top_level_domain
    "The same name below another top-level domain is allowed"
    why "What stands behind the name is not compared. Somebody else can register it below `.net`, or below the top-level domain that is a letter shorter."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\""

"dot-for-any-character" Error origins::dot_for_any_character
    "A dot stands for any character"
    why "In a regular expression a dot matches any character. `appxexample.com` is a domain of its own, and anyone can register it."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\"; in a regular expression, write \"\\.\""

"subdomain-allowed" Note origins::subdomain_allowed
    "Each name below an allowed one is allowed"
    why "Whoever controls one of them, an old campaign site, a name that points to a cloud service that was given up, or a page with a hole, reads what the allowed page reads. It may be meant: then pass it with `--allow`."
    remedy "list the names that ask: \"cors_allow_origin https://app.example.com;\""

"other-port-allowed" Warning origins::other_port_allowed
    "Each port of an allowed host is allowed"
    why "Another port is another server, by other people perhaps, and another origin: what is compared leaves the port out."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\" is the default port alone"

"insecure-origin-allowed" Warning origins::insecure_origin_allowed
    "An origin without TLS is allowed"
    why "Whoever is on the network path can put a page of their own on an `http://` origin, and reads with it what the user may read."
    remedy "allow \"https://\" alone"

"user-info-allowed" Warning origins::user_info_allowed
    "An allowed origin is taken for what is a user name"
    why "`https://app.example.com@stranger.example` is on the host `stranger.example`. No browser sends it; that it is taken shows that the beginning of the origin is compared, or that it is read as a URL by other rules than browsers have."
    remedy "compare whole origins, byte for byte: \"cors_allow_origin https://app.example.com;\""

"upper-case-allowed" Note origins::upper_case_allowed
    "An origin in upper case is sent back"
    why "Browsers write origins in lower case, and compare byte for byte. That another form is sent back shows that it is compared by other rules than browsers have."
    remedy "compare origins byte for byte"

"trailing-dot-allowed" Note origins::trailing_dot_allowed
    "An origin with a dot at its end is allowed"
    why "`https://app.example.com.` is another origin than the one without the dot, with cookies and storage of its own."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\""

"path-allowed" Note origins::path_allowed
    "An origin with a path is sent back"
    why "An origin has no path, and no browser sends one. That it is sent back shows that the beginning is compared."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\"; a regular expression ends with \"$\""

"malformed-origin-sent-back" Warning origins::malformed_origin_sent_back
    "What is no origin is sent back"
    why "The value of `Origin` is searched for an allowed one, and sent back as a whole. No browser sends such a value; a client that is no browser puts into a cache what it likes."
    remedy "compare whole origins: \"cors_allow_origin https://app.example.com;\""

"second-origin-sent-back" Warning origins::second_origin_sent_back
    "The second of two Origin lines is sent back"
    why "One of the lines is compared, and the other, or both, are sent back. No browser sends two; a client that is no browser puts into a cache what it likes."
    remedy "refuse a request with two Origin lines, or take it for one without an allowed origin"

// What caches make of it.

"missing-vary" Warning caches::missing_vary
    "Caches mix up the answers for different origins"
    why "`Access-Control-Allow-Origin` depends on the request's `Origin`, and nothing tells caches so. A browser or a CDN that has kept the answer for one origin gives it to a page of another one, which is then refused."
    remedy "send \"Vary: Origin\" with each answer: \"add_header Vary Origin always;\"; cors_allow_origin does so by itself"

"missing-vary-for-strangers" Warning caches::missing_vary_for_strangers
    "A cache may give the answer for a stranger to an allowed page"
    why "The answer to an origin that is not allowed has no `Vary: Origin`. A cache that has kept it gives it to a page that is allowed, which is refused then. Any visitor can bring that about."
    remedy "send \"Vary: Origin\" with answers that allow nobody, too: \"add_header Vary Origin always;\""

"missing-vary-without-origin" Warning caches::missing_vary_without_origin
    "A cache may give the answer without CORS to an allowed page"
    why "The answer to a request without `Origin`, as an image or a visit sends it, has no `Vary: Origin`. A cache that has kept it gives it to a script of an allowed page, which is refused then."
    remedy "send \"Vary: Origin\" with answers to requests without Origin, too: \"add_header Vary Origin always;\""

"shared-cache-mixes-origins" Error caches::shared_cache_mixes_origins
    "Shared caches are told to keep what is for one origin"
    why "`Cache-Control`, or a header for CDNs, has caches keep the answer that many people share; it depends on `Origin`, and has no `Vary: Origin`. One visitor is enough to have all others refused, or let in."
    remedy "send \"Vary: Origin\" with each answer, or \"Cache-Control: private\""

"missing-vary-on-preflight" Note caches::missing_vary_on_preflight
    "Answers to preflights do not say that they depend on the origin"
    why "Caches do not keep answers to `OPTIONS` (RFC 9110, section 9.3.7), but some CDNs can be told to."
    remedy "send \"Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\" with answers to preflights"

"preflight-cached" Warning caches::preflight_cached
    "A CDN may keep the answer to a preflight for another origin"
    why "The answer to a preflight says by `Cache-Control`, or a header for CDNs, that it may be kept by caches that many people share, and does not say that it depends on `Origin`. Some CDNs keep answers to `OPTIONS`. Browsers go by `Access-Control-Max-Age` instead."
    remedy "remove Cache-Control from answers to preflights, or send \"Vary: Origin\" with them"

"vary-doubled" Note caches::vary_doubled
    "Vary names a header twice"
    why "Two parts of the server add it, and neither knows of the other: when one of them changes, the answers change with it."
    remedy "send it from one place alone"

// Answers other than a whole document.

"not-found-without-headers" Warning other_answers::not_found_without_headers
    "Errors have no CORS headers"
    why "The page sees a network error instead of the status, and the console speaks of CORS. In nginx `add_header` without `always` leaves errors out."
    remedy "send the headers with each status: \"add_header Access-Control-Allow-Origin $cors_origin always;\""

"method-refused-without-headers" Warning other_answers::method_refused_without_headers
    "The answer to a method that is refused has no CORS headers"
    why "The page sees a network error instead of 405 or 501, and the console speaks of CORS."
    remedy "send the headers with each status: \"add_header Access-Control-Allow-Origin $cors_origin always;\""

"server-error-without-headers" Warning other_answers::server_error_without_headers
    "Errors of the server have no CORS headers"
    why "The page sees a network error instead of the status. Whoever looks for the fault looks at CORS, and not at the server."
    remedy "send the headers with each status, also where the application does not answer: \"add_header Access-Control-Allow-Origin $cors_origin always;\""

"partial-without-headers" Warning other_answers::partial_without_headers
    "Parts of documents have no CORS headers"
    why "A player or a viewer of PDF documents asks for parts, and gets 206. Without the headers it may not read them, though it may read the whole."
    remedy "send the headers with 206, too"

"not-modified-without-headers" Note other_answers::not_modified_with_other_origin
    "A 304 has no CORS headers"
    why "A cache updates what it has kept by the headers of a 304. What it has kept may be the answer to a request without `Origin`; only the headers of the 304 make it one that the page may read."
    remedy "send the headers with 304, too"

"method-without-headers" Warning other_answers::method_without_headers
    "A method is carried out, and its answer has no CORS headers"
    why "The request is carried out, and the page may not read what came of it."
    remedy "send the headers with each method: in nginx, outside of \"if ($request_method = ...)\""

"redirect-without-headers" Warning other_answers::redirect_without_headers
    "A redirect has no CORS headers"
    why "Browsers check each answer on the way: a page does not get beyond a redirect that it may not read (Fetch, HTTP fetch)."
    remedy "send the headers with redirects, too, or give pages the address to which it leads"

"redirected-elsewhere" Note other_answers::redirected_elsewhere
    "A redirect leads to another origin"
    why "Behind a redirect from one foreign origin to another one, browsers ask with `Origin: null` (Fetch, HTTP-redirect fetch). The page is refused there, unless everyone is allowed."
    remedy "give pages the address to which it leads"

"head-differs" Note other_answers::head_differs
    "HEAD has other CORS headers than GET"
    why "`HEAD` is to be answered with the headers of `GET` (RFC 9110, section 9.3.2). A page that may read one may not read the other."
    remedy "send the headers with each method: in nginx, outside of \"if ($request_method = ...)\""

"versions-differ" Warning other_answers::versions_differ
    "HTTP/1.1 and HTTP/2 are answered differently"
    why "Which version is spoken depends on the browser, on proxies and on chance. A page works for some, and for others it does not."
    remedy "make sure that both come to the same server block, and that nothing in between answers for it"

// Preflights.

"preflight-redirected" Error preflights::preflight_redirected
    "Preflights are redirected"
    why "A browser follows no redirect of a preflight (Fetch, CORS-preflight fetch): the request is never sent."
    remedy "answer preflights before the redirect: \"cors_preflight early;\"; or give pages the address to which it leads"

"preflight-behind-authentication" Error preflights::preflight_behind_authentication
    "Preflights have to be signed in"
    why "Browsers send no cookies, no `Authorization` and no client certificate with a preflight. It is refused, and the request is never sent."
    remedy "answer preflights before authentication; \"cors_preflight answer;\" does, and is the default"

"preflight-not-ok" Error preflights::preflight_not_ok
    "Preflights are answered with an error"
    why "A browser takes a status from 200 to 299 alone for success (Fetch, CORS-preflight fetch, step 7): the request is never sent."
    remedy "answer preflights with 204: \"cors on;\""

"preflight-without-origin" Error preflights::preflight_without_origin
    "The answer to preflights does not allow the origin"
    why "The answer to a preflight has to pass the same check as any other (Fetch, CORS check): the request is never sent."
    remedy "send Access-Control-Allow-Origin with answers to preflights, too: in nginx, also inside of \"if ($request_method = OPTIONS)\""

"preflight-with-body" Note preflights::preflight_with_body
    "The answer to preflights has content"
    why "Browsers throw it away. That there is content mostly means that the application, or a page for people, answers."
    remedy "answer preflights with 204: \"cors_preflight_status 204;\""

"method-not-granted" Error preflights::method_not_granted
    "A method is not granted"
    why "The page uses the method, and `Access-Control-Allow-Methods` does not name it (Fetch, CORS-preflight fetch): the request is never sent."
    remedy "name it: \"cors_allow_methods GET POST PUT DELETE;\""

"header-not-granted" Error preflights::header_not_granted
    "A header is not granted"
    why "The page sets the header, and `Access-Control-Allow-Headers` does not name it (Fetch, CORS-preflight fetch): the request is never sent."
    remedy "name it: \"cors_allow_headers Content-Type Authorization;\""

"authorization-under-wildcard" Warning preflights::authorization_under_wildcard
    "\"*\" does not stand for Authorization"
    why "`Authorization` has to be named in `Access-Control-Allow-Headers`; `*` stands for all others (Fetch, CORS non-wildcard request-header name). Browsers still let it pass, and say that they will stop."
    remedy "name it beside \"*\": \"cors_allow_headers * Authorization;\""

"any-method-granted" Note preflights::any_method_granted
    "Any method is granted"
    why "`Access-Control-Request-Method` is sent back, whatever it is: what looks like a list is none."
    remedy "name the methods that there are: \"cors_allow_methods GET POST PUT DELETE;\""

"two-methods-taken" Note preflights::two_methods_taken
    "A request with two Access-Control-Request-Method lines is taken for a preflight"
    why "No browser sends it. Two servers behind each other may each go by another one of the lines."
    remedy "take it for an OPTIONS that is no preflight"

"options-swallowed" Note preflights::options_swallowed
    "Every OPTIONS is answered here, also one that is no preflight"
    why "A preflight has `Origin` and `Access-Control-Request-Method`. Any other `OPTIONS` is for the application: WebDAV, or a client that asks which methods there are."
    remedy "answer preflights alone; \"cors on;\" does"

"private-network" Note preflights::private_network
    "Browsers have given up Access-Control-Allow-Private-Network"
    why "Chromium 142 and Firefox ask the person instead, and send no such preflight any more. The header means nothing."
    remedy "remove it"

"preflight-headers-on-actual" Note preflights::preflight_headers_on_actual
    "Headers for preflights are sent with other answers"
    why "`Access-Control-Allow-Methods`, `-Allow-Headers` and `-Max-Age` count on answers to preflights alone. On others they are bytes, and hide where the policy is."
    remedy "send them with answers to preflights alone"

"without-allow-origin" Note preflights::without_allow_origin
    "CORS headers without Access-Control-Allow-Origin"
    why "All other `Access-Control-*` headers count only beside `Access-Control-Allow-Origin`. Without it they tell strangers what the policy is, and nobody else anything."
    remedy "leave them out where the origin is not allowed"

// What the headers say.

"several-origins-in-a-value" Error values::several_origins_in_a_value
    "Access-Control-Allow-Origin holds a list"
    why "The header takes one origin, or `*`. Browsers compare its value with the page's origin as a whole: a list equals none."
    remedy "send back the one that has asked: \"cors_allow_origin https://a.example.com https://b.example.com;\""

"several-origin-lines" Error values::several_origin_lines
    "Access-Control-Allow-Origin is sent twice"
    why "Browsers put the lines together with a comma, and the result is no origin: every page is refused. Mostly the proxy and the application both send one."
    remedy "send it from one place alone: \"cors on;\" replaces what the application sends, as does \"proxy_hide_header Access-Control-Allow-Origin;\" beside add_header"

"slash-after-origin" Error values::slash_after_origin
    "Access-Control-Allow-Origin ends with a slash"
    why "An origin has no path, and so no slash at its end. Browsers compare byte for byte: the value equals none."
    remedy "remove the slash"

"malformed-origin" Error values::malformed_origin
    "Access-Control-Allow-Origin is no origin"
    why "Browsers compare the value with the page's origin byte for byte: scheme, host, and a port that is not the default one, in lower case. Patterns they do not know. This equals none."
    remedy "send back the origin that has asked: \"cors_allow_origin https://app.example.com;\""

"wildcard-with-credentials" Error values::wildcard_with_credentials
    "\"*\" and credentials exclude each other"
    why "Browsers refuse a response to a request with credentials whose `Access-Control-Allow-Origin` is `*` (Fetch, CORS check, step 4). The page gets nothing."
    remedy "if pages need the user's cookies, name their origins: \"cors_allow_origin https://app.example.com; cors_allow_credentials on;\"; if not, remove Access-Control-Allow-Credentials"

"wildcard-methods-with-credentials" Warning values::wildcard_methods_with_credentials
    "\"*\" is no list of methods where there are credentials"
    why "Where a request has credentials, `*` in `Access-Control-Allow-Methods` is a method of that name, which nobody has (Fetch, CORS-preflight fetch)."
    remedy "name the methods that are meant: \"cors_allow_methods GET POST PUT DELETE;\""

"wildcard-headers-with-credentials" Warning values::wildcard_headers_with_credentials
    "\"*\" is no list of headers where there are credentials"
    why "Where a request has credentials, `*` in `Access-Control-Allow-Headers` is a header of that name, which nobody has (Fetch, CORS-preflight fetch)."
    remedy "name the headers that are meant: \"cors_allow_headers Content-Type Authorization;\""

"wildcard-exposed-with-credentials" Warning values::wildcard_exposed_with_credentials
    "\"*\" exposes no header where there are credentials"
    why "Where a request has credentials, `*` in `Access-Control-Expose-Headers` is a header of that name, which nobody has (Fetch, main fetch)."
    remedy "name the headers that are meant: \"cors_expose_headers X-Total-Count;\""

"credentials-not-true" Warning values::credentials_not_true
    "Access-Control-Allow-Credentials is not \"true\""
    why "Browsers know one value of this header, `true` in lower case, sent once. Any other means the same as no header."
    remedy "send \"true\", or leave it out"

"malformed-max-age" Warning values::malformed_max_age
    "Access-Control-Max-Age is no number of seconds"
    why "The header takes seconds without a unit. Browsers ignore anything else, and keep the answer for five seconds."
    remedy "send the number alone, as in \"7200\""

"negative-max-age" Note values::negative_max_age
    "Access-Control-Max-Age is negative"
    why "Browsers keep the answer not at all: each request is preceded by a preflight. `-1` says so on purpose in some servers; the standard has `0` for it."
    remedy "send \"7200\", or \"0\" if nothing is to be kept"

"max-age-too-long" Note values::max_age_too_long
    "No browser keeps the answer so long"
    why "Chromium keeps the answer to a preflight for 7200 seconds at most, Firefox for 86400, Safari for 600. More promises nothing, and hides what is in force."
    remedy "send \"7200\", which Chromium keeps, or \"86400\", which Firefox does"

"method-in-lower-case" Warning values::method_in_lower_case
    "A method is written in lower case"
    why "Methods are compared byte for byte, and browsers send those of HTTP in upper case."
    remedy "write methods in upper case"

"malformed-list" Error values::malformed_list
    "A list is not separated by commas"
    why "Methods and headers are lists with commas. A list with anything else in it cannot be read, and the browser takes the whole answer for a failure (Fetch, CORS-preflight fetch)."
    remedy "separate the names by commas, as in \"GET, POST, PUT\""

"misspelt-header" Error values::misspelt_header
    "There is no such header"
    why "Browsers ignore an `Access-Control-*` header that the Fetch standard does not name: what was meant is not allowed."
    remedy "write the name as the Fetch standard does"

"request-header-in-response" Warning values::request_header_in_response
    "A header of requests is sent in responses"
    why "`Access-Control-Request-Method` and `-Headers` are what browsers ask with. In a response they mean nothing."
    remedy "write \"Access-Control-Allow-Methods\" and \"Access-Control-Allow-Headers\", or remove the line"

// Requests beyond CORS.

"same-origin-refused" Error access::same_origin_refused
    "A page of the server itself is refused"
    why "Browsers send `Origin` with requests to the own server, too: with each `POST`, with fonts, with module scripts. A list that leaves out the own origin, and a rule that refuses what is not listed, refuse the own page."
    remedy "refuse strangers alone; \"cors_enforce on;\" lets requests of the own origin through"

"websocket-for-strangers" Error access::websocket_for_strangers
    "Any page may open a WebSocket"
    why "CORS does not guard WebSockets: the browser sends the user's cookies with the handshake, whatever page opens it, and the page reads what comes. Only the server can compare `Origin` (RFC 6455, section 10.2)."
    remedy "refuse handshakes of origins that are not allowed: \"cors_enforce websocket;\""

"no-answer" Warning access::no_answer
    "A request has no answer"
    why "Others were answered. What is odd about this one makes the server, or something before it, fail; a page sees a network error."
    remedy "look at the server's error log for the time of the audit"
}

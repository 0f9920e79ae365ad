//! The recipes of `docs/cookbook.md`: each file and each snippet does what its page says.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use harness::{workspace_root, Connection, Nginx, Page, Request, Response, Upstream};

use crate::{all_causes, assert_allows, assert_silent, assert_status, APP, STRANGER};

/// A recipe's nginx in front of an application.
fn serve(file: &str, application: &Upstream) -> Nginx {
    Nginx::from_file(format!("nginx-conf/{file}"))
        .port("8081", application.port())
        .start()
}

fn ask(nginx: &Nginx, request: &Request) -> Response {
    nginx.send_to("8080", request)
}

const PAGE: &str = "docs/cookbook.md";

/// An nginx with a snippet of the page in front of an application.
fn serve_snippet(snippet: &str, application: &Upstream) -> Nginx {
    all_causes::nginx(snippet, "{listen}", application).start()
}

fn recipe(heading: &str) -> String {
    Page::read(PAGE).block(&format!("### {heading}"), "nginx")
}

#[test]
fn each_recipe_is_a_file_and_each_file_is_listed() {
    let read = |name: &str| fs::read_to_string(workspace_root().join(name)).expect("a document");
    let (cookbook, list) = (read("docs/cookbook.md"), read("nginx-conf/README.md"));
    for entry in fs::read_dir(workspace_root().join("nginx-conf")).expect("the configurations") {
        let name = entry
            .expect("a file")
            .file_name()
            .into_string()
            .expect("a name in UTF-8");
        if name.ends_with(".conf") {
            assert!(list.contains(&format!("({name})")), "{name} is not listed");
            let recipe = !matches!(&*name, "demo.conf" | "mod_perl.conf" | "pnotes.conf");
            assert_eq!(cookbook.contains(&format!("(../nginx-conf/{name})")), recipe, "{name}");
        }
    }
}

#[test]
fn public_api() {
    let application = Upstream::with_headers(&["X-Total: 7"]);
    let nginx = serve("public-api.conf", &application);
    let response = ask(
        &nginx,
        &Request::preflight("/", STRANGER, "PATCH")
            .header("Access-Control-Request-Headers", "authorization,x-anything"),
    );
    assert_status(&response, 204);
    assert_allows(&response, "*");
    assert_eq!(response.list("Access-Control-Allow-Headers"), ["*", "authorization"]);
    assert_eq!(response.only("Access-Control-Max-Age"), "7200");
    assert!(application.requests().is_empty());

    let response = ask(&nginx, &Request::get("/").origin(STRANGER));
    assert_allows(&response, "*");
    assert_eq!(response.only("Access-Control-Expose-Headers"), "*");
    // One copy serves all.
    assert_eq!(response.get("Vary"), None);
}

#[test]
fn spa() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve("spa.conf", &application);
    let response = ask(&nginx, &Request::post("/").origin(APP));
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");

    let preview = "https://pr-7.preview.example.com";
    let response = ask(&nginx, &Request::get("/").origin(preview));
    assert_allows(&response, preview);
    assert_eq!(response.get("Access-Control-Allow-Credentials"), None);
    assert_eq!(application.requests().len(), 2);

    let response = ask(&nginx, &Request::post("/").origin(STRANGER));
    assert_status(&response, 403);
    assert_eq!(application.requests().len(), 2);
}

#[test]
fn tenants() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve("tenants.conf", &application);
    for origin in ["https://www.acme.example", "https://shop.acme.example"] {
        let response = ask(&nginx, &Request::preflight("/acme/", origin, "PUT"));
        assert_allows(&response, origin);
        assert_eq!(response.only("Access-Control-Allow-Methods"), "GET, POST, PUT, DELETE");
        assert_silent(&ask(&nginx, &Request::get("/globex/").origin(origin)));
    }
    let globex = "https://eu.globex.example";
    let response = ask(&nginx, &Request::get("/globex/").origin(globex));
    assert_allows(&response, globex);
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
    assert_silent(&ask(&nginx, &Request::get("/acme/").origin(globex)));
    let response = ask(&nginx, &Request::get("/").origin(globex));
    assert_status(&response, 404);
    assert_silent(&response);
}

#[test]
fn tenants_whose_origins_change() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve("live-tenants.conf", &application);
    let of = |host: &str, origin: &str| {
        let host = format!("{host}.tenants.example.com");
        ask(&nginx, &Request::get("/").header("Host", host).origin(origin))
    };
    for (host, origin, other) in [
        ("acme", "https://www.acme.example", "globex"),
        ("acme", "https://pr-7.preview.acme.example", "globex"),
        ("globex", "https://shop.globex.example", "acme"),
    ] {
        let response = of(host, origin);
        assert_allows(&response, origin);
        assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
        assert_silent(&of(other, origin));
    }
    let new = nginx.prefix().join("new.txt");
    fs::write(&new, "initech.tenants.example.com https://initech.example\n").expect("a file");
    fs::rename(&new, nginx.prefix().join("live-tenants.txt")).expect("a file to replace");
    let allowed = harness::poll(|| {
        let response = of("initech", "https://initech.example");
        (!response.access_control().is_empty()).then_some(())
    });
    assert!(allowed.is_some(), "{}", nginx.error_log());
    assert_silent(&of("acme", "https://www.acme.example"));
}

#[test]
fn fonts_and_video() {
    const WATCH: &str = "https://watch.example.com";
    let nginx = Nginx::from_file("nginx-conf/media.conf")
        .file("media/fonts/a.woff2", "font")
        .file("media/video/a.mp4", "0123456789")
        .start();
    let response = ask(&nginx, &Request::get("/fonts/a.woff2").origin(STRANGER));
    assert_allows(&response, "*");
    assert_eq!(response.get("Vary"), None);

    let part = Request::get("/video/a.mp4").header("Range", "bytes=2-4");
    let response = ask(&nginx, &part.clone().origin(WATCH));
    assert_status(&response, 206);
    assert_eq!(response.text(), "234");
    assert_allows(&response, WATCH);
    assert_eq!(response.only("Timing-Allow-Origin"), WATCH);
    assert_eq!(
        response.list("Access-Control-Expose-Headers"),
        ["accept-ranges", "content-length", "content-range"]
    );

    let tag = response.only("ETag").to_owned();
    let known = Request::get("/video/a.mp4").header("If-None-Match", tag);
    let response = ask(&nginx, &known.origin(WATCH));
    assert_status(&response, 304);
    assert_allows(&response, WATCH);

    let asked = Request::preflight("/video/a.mp4", WATCH, "GET").header("Access-Control-Request-Headers", "range");
    let response = ask(&nginx, &asked);
    assert_status(&response, 204);
    assert_eq!(response.list("Access-Control-Allow-Headers"), ["if-range", "range"]);
    assert_silent(&ask(&nginx, &part.origin(STRANGER)));
}

#[test]
fn grpc_web() {
    // A call that failed: its status is in the headers.
    let application = Upstream::with_headers(&["Content-Type: application/grpc-web+proto", "Grpc-Status: 5"]);
    let nginx = serve("grpc-web.conf", &application);
    let asked = Request::preflight("/notes.Notes/Get", APP, "POST")
        .header("Access-Control-Request-Headers", "content-type,x-grpc-web,x-user-agent");
    let response = ask(&nginx, &asked);
    assert_status(&response, 204);
    let allowed = response.list("Access-Control-Allow-Headers");
    for name in ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout"] {
        assert!(allowed.iter().any(|allowed| allowed == name), "{response}");
    }

    let call = Request::post("/notes.Notes/Get")
        .origin(APP)
        .header("Content-Type", "application/grpc-web+proto")
        .body([0, 0, 0, 0, 0]);
    let response = ask(&nginx, &call);
    assert_allows(&response, APP);
    assert_eq!(response.only("Grpc-Status"), "5");
    let exposed = response.list("Access-Control-Expose-Headers");
    assert!(exposed.contains(&"grpc-status".to_owned()), "{response}");
}

#[test]
fn websocket() {
    let application = Upstream::start(|_| {
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".to_vec()
    });
    let nginx = serve("websocket.conf", &application);
    // A request for an upgrade does not ask to close the connection.
    let ask = |request: &Request| Connection::open(nginx.port_named("8080")).send(request);
    let open = Request::get("/live")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    assert_status(&ask(&open.clone().origin(APP)), 101);
    assert_status(&ask(&open.clone().origin(STRANGER)), 403);
    // A page of the server itself, and a client that is no browser.
    let own = open.clone().origin("http://localhost");
    assert_status(&ask(&own.header("Sec-Fetch-Site", "same-origin")), 101);
    assert_status(&ask(&open), 101);
    assert_eq!(application.requests().len(), 3);
}

#[test]
fn tls_termination() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve("tls-termination.conf", &application);
    let asked = |origin: &str| Request::post("/").header("Host", "api.example.com").origin(origin);
    for origin in ["https://api.example.com", APP] {
        let response = ask(&nginx, &asked(origin));
        assert_status(&response, 200);
        assert_allows(&response, origin);
    }
    assert_status(&ask(&nginx, &asked(STRANGER)), 403);
    assert_eq!(application.requests()[0].get("X-Forwarded-Proto"), Some("https"));
}

#[test]
fn moving_from_add_header() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: https://old.example"]);
    let nginx = serve("add_header.conf", &application);
    for target in ["/", "/old/"] {
        let response = ask(&nginx, &Request::get(target).origin(APP));
        assert_allows(&response, APP);
        assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
        assert_eq!(response.list("Vary"), ["origin"]);
        assert_silent(&ask(&nginx, &Request::get(target).origin(STRANGER)));

        let response = ask(&nginx, &Request::preflight(target, APP, "PUT"));
        assert_status(&response, 204);
        assert_eq!(response.only("Access-Control-Max-Age"), "3600");
    }
    let response = ask(&nginx, &Request::get("/old/").origin(APP));
    assert_eq!(response.only("X-Frame-Options"), "DENY");
}

#[test]
fn dry_run() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: *"]);
    let nginx = serve("dry-run.conf", &application);
    for origin in [APP, STRANGER] {
        let response = ask(&nginx, &Request::get("/").origin(origin));
        assert_status(&response, 200);
        assert_eq!(response.access_control(), [("Access-Control-Allow-Origin", "*")]);
    }
    // Refused is only what the policy would refuse, and it stands in the log.
    let lines = nginx.log_lines("logs/denied.log", 1);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains(&format!("origin=\"{STRANGER}\" origin_denied: ")),
        "{lines:#?}"
    );
}

#[test]
fn mcp() {
    let application = Upstream::with_headers(&["Mcp-Session-Id: 7"]);
    let nginx = serve("mcp.conf", &application);
    for origin in [APP, "http://localhost:6274"] {
        let asked = Request::preflight("/mcp", origin, "DELETE").header(
            "Access-Control-Request-Headers",
            "authorization,content-type,last-event-id,mcp-protocol-version,mcp-session-id",
        );
        let response = ask(&nginx, &asked);
        assert_status(&response, 204);
        assert_allows(&response, origin);
        assert!(response
            .list("Access-Control-Allow-Methods")
            .contains(&"delete".to_owned()));
        assert_eq!(
            response.list("Access-Control-Allow-Headers"),
            [
                "authorization",
                "content-type",
                "last-event-id",
                "mcp-protocol-version",
                "mcp-session-id"
            ]
        );
    }
    let response = ask(&nginx, &Request::post("/mcp").origin(APP));
    assert_eq!(response.only("Mcp-Session-Id"), "7");
    assert!(response
        .list("Access-Control-Expose-Headers")
        .contains(&"mcp-session-id".to_owned()));

    assert_status(&ask(&nginx, &Request::post("/mcp").origin(STRANGER)), 403);
    // A stranger's name that has come to mean this server.
    let rebound = Request::post("/mcp").header("Host", "stranger.example:8080");
    let response = ask(&nginx, &rebound.origin("http://stranger.example:8080"));
    assert_status(&response, 421);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn rate_limit() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve("rate-limit.conf", &application);
    for _ in 0..20 {
        assert_status(&ask(&nginx, &Request::preflight("/", APP, "PUT")), 204);
    }
    let statuses: Vec<_> = (0..20)
        .map(|_| {
            let response = ask(&nginx, &Request::new("PUT", "/").origin(APP));
            assert_allows(&response, APP);
            response.status
        })
        .collect();
    // The preflights have left the whole burst to the requests.
    assert_eq!(statuses[..3], [200; 3]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_status(&ask(&nginx, &Request::preflight("/", APP, "PUT")), 204);
}

#[test]
fn client_certificates() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve("client-certificates.conf", &application);
    let put = Request::new("PUT", "/").origin(APP);
    let response = nginx.send_tls_to("8080", &Request::preflight("/", APP, "PUT"));
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");

    let response = nginx.send_tls_to("8080", &put);
    assert_status(&response, 403);
    assert_allows(&response, APP);
    assert!(application.requests().is_empty());

    let response = nginx.send_tls_with_certificate_to("8080", &put);
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn client_certificates_that_nginx_itself_insists_on() {
    let snippet = recipe("Client certificates where `ssl_verify_client` has to stay `on`");
    let start = |snippet: &str, application: &Upstream| {
        let snippet = snippet.replace("listen 443 ssl;", "");
        all_causes::nginx(&snippet, "listen 127.0.0.1:{port} ssl;", application).start()
    };
    let application = Upstream::with_headers(&[]);
    let preflight = Request::preflight("/api/", APP, "PUT");
    let put = Request::new("PUT", "/api/").origin(APP);

    let nginx = start(&snippet, &application);
    let response = nginx.send_tls_to("default", &preflight);
    assert_status(&response, 204);
    assert_allows(&response, APP);
    let response = nginx.send_tls_to("default", &put);
    assert_status(&response, 403);
    assert_allows(&response, APP);
    assert!(application.requests().is_empty());
    let response = nginx.send_tls_with_certificate_to("default", &put);
    assert_status(&response, 200);
    assert_allows(&response, APP);

    // What the recipe is for.
    let nginx = start(
        &snippet.replace("error_page 495 496 = @no_certificate;", ""),
        &application,
    );
    let response = nginx.send_tls_to("default", &preflight);
    assert_status(&response, 400);
    assert!(
        response.text().contains("No required SSL certificate was sent"),
        "{response}"
    );
}

/// `user` and `secret`.
const PASSWORD: &str = "Basic dXNlcjpzZWNyZXQ=";

#[test]
fn preflights_for_the_application_behind_a_password() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve_snippet(
        &recipe("The application answers preflights, behind a password"),
        &application,
    );
    let asked = Request::preflight("/api/", APP, "GET").header("Access-Control-Request-Headers", "authorization");
    let response = nginx.send(&asked);
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(response.list("Access-Control-Allow-Headers"), ["authorization"]);

    for request in [
        Request::get("/api/").origin(APP),
        Request::new("OPTIONS", "/api/").origin(APP),
    ] {
        assert_status(&nginx.send(&request), 401);
    }
    let request = Request::get("/api/").origin(APP).header("Authorization", PASSWORD);
    assert_status(&nginx.send(&request), 200);
    let methods: Vec<_> = application
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert_eq!(methods, ["OPTIONS", "GET"]);
}

#[test]
fn preflights_for_the_application_behind_auth_request() {
    let (application, guard) = (
        Upstream::with_headers(&[]),
        Upstream::start(|request| {
            let status = if request.get("Authorization").is_some() {
                "204 No Content"
            } else {
                "401 Unauthorized"
            };
            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
        }),
    );
    let snippet = recipe("The application answers preflights, behind `auth_request`");
    let snippet = snippet.replace("127.0.0.1:3001", &format!("127.0.0.1:{}", guard.port()));
    let nginx = serve_snippet(&snippet, &application);
    let asked = Request::preflight("/api/", APP, "GET").header("Access-Control-Request-Headers", "authorization");
    let response = nginx.send(&asked);
    assert_status(&response, 200);
    assert_allows(&response, APP);
    let get = Request::get("/api/").origin(APP);
    assert_status(&nginx.send(&get), 401);
    assert_status(&nginx.send(&get.header("Authorization", PASSWORD)), 200);
    assert_eq!(application.requests().len(), 2);
}

const CONTAINER: &str = "Origins from the environment of a container";
const ADMIN: &str = "https://admin.example.com";

/// What `envsubst` of the official image makes of a template.
fn substituted(template: &str, variable: &str, value: &str) -> String {
    let mut envsubst = Command::new("envsubst")
        .arg(format!("${{{variable}}}"))
        .env(variable, value)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("envsubst, of the package gettext-base");
    let mut input = envsubst.stdin.take().expect("a pipe");
    input.write_all(template.as_bytes()).expect("an open pipe");
    drop(input);
    let output = envsubst.wait_with_output().expect("a child");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn origins_from_the_environment() {
    let page = Page::read(PAGE);
    let [template, map] = &page.blocks_under(&format!("### {CONTAINER}"), "nginx")[..] else {
        panic!("two snippets")
    };
    let application = Upstream::with_headers(&[]);
    for snippet in [
        substituted(template, "CORS_ORIGINS", &format!("{APP} {ADMIN}")),
        map.clone(),
    ] {
        let nginx = serve_snippet(&snippet, &application);
        for origin in [APP, ADMIN] {
            assert_allows(&nginx.send(&Request::get("/api/").origin(origin)), origin);
            assert_status(&nginx.send(&Request::preflight("/api/", origin, "GET")), 204);
        }
        assert_silent(&nginx.send(&Request::get("/api/").origin(STRANGER)));
    }
    // A list as other software has it is noticed, before anything is served.
    let wrong = substituted(template, "CORS_ORIGINS", &format!("{APP}, {ADMIN}"));
    let check = all_causes::nginx(&wrong, "{listen}", &application).check();
    assert!(
        check.error_at("cors_allow_origin").contains("comma"),
        "{}",
        check.stderr
    );
}

#[test]
fn cross_origin_resource_policy() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve_snippet(
        &recipe("`Cross-Origin-Resource-Policy` that follows the policy"),
        &application,
    );
    let get = Request::get("/hello.txt");
    for (request, policy) in [
        (get.clone(), "same-site"),
        (get.clone().origin(APP), "cross-origin"),
        (get.origin(STRANGER), "same-origin"),
    ] {
        let response = nginx.send(&request);
        assert_eq!(response.only("Cross-Origin-Resource-Policy"), policy, "{response}");
    }
}

#[test]
fn a_list_that_depends_on_another_header() {
    let application = Upstream::with_headers(&[]);
    let nginx = serve_snippet(
        &recipe("A list of origins that depends on another header"),
        &application,
    );
    let ask = |tenant: &str, origin: &str| {
        let request = Request::get("/hello.txt").header("X-Tenant", tenant).origin(origin);
        nginx.send(&request)
    };
    let (acme, globex) = ("https://www.acme.example", "https://www.globex.example");
    for (tenant, own, other) in [("acme", acme, globex), ("globex", globex, acme)] {
        let response = ask(tenant, own);
        assert_allows(&response, own);
        let mut vary: Vec<_> = response.all("Vary").iter().flat_map(|line| line.split(", ")).collect();
        vary.sort_unstable();
        assert_eq!(vary, ["Origin", "X-Tenant"]);
        assert_silent(&ask(tenant, other));
    }
}

#[test]
fn dns_rebinding() {
    let application = Upstream::with_headers(&[]);
    let snippet = recipe("`cors_enforce` against DNS rebinding").replace("127.0.0.1:8080", "127.0.0.1:{port}");
    let nginx = all_causes::nginx(&snippet, "", &application).start();
    let post = |host: &str, origin: &str| {
        let request = Request::post("/hello.txt").header("Host", host).origin(origin);
        nginx.send(&request).status
    };
    let rebound = ("stranger.example:8080", "http://stranger.example:8080");
    assert_eq!(post(rebound.0, rebound.1), 421);
    assert_eq!(post("localhost:8080", STRANGER), 403);
    // What nginx says of a POST to a file.
    assert_eq!(post("localhost:8080", APP), 405);
    assert_eq!(post("localhost:8080", "http://localhost:8080"), 405);

    // What the recipe is for: without a server for other names, the stranger's counts as the server's own.
    let only = snippet.split_inclusive("\n}\n").nth(1).expect("the second server");
    let nginx = all_causes::nginx(only, "", &application).start();
    let request = Request::post("/hello.txt").header("Host", rebound.0).origin(rebound.1);
    assert_status(&nginx.send(&request), 405);
}

#[test]
fn braces_in_a_regular_expression() {
    let application = Upstream::with_headers(&[]);
    let snippet = recipe("A regular expression with braces");
    let nginx = serve_snippet(&snippet, &application);
    let preview = "https://pr-17.preview.example.com";
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(preview)), preview);
    let long = "https://pr-123456.preview.example.com";
    assert_silent(&nginx.send(&Request::get("/hello.txt").origin(long)));

    let unquoted = snippet.replace('"', "");
    assert_ne!(unquoted, snippet);
    let check = all_causes::nginx(&unquoted, "{listen}", &application).check();
    assert!(!check.accepted(), "{}", check.stderr);
}

/// Also one that no test above knows by its heading, and what mends a cause.
#[test]
fn every_snippet_is_accepted() {
    let page = Page::read(PAGE);
    let (snippets, causes) = (page.blocks("nginx"), page.causes());
    assert!(snippets.len() >= 9, "{}", snippets.len());
    assert_eq!(page.blocks("diff").len(), causes.len());
    let mended = causes.into_iter().map(|cause| cause.mended);
    let application = Upstream::with_headers(&[]);
    for snippet in snippets.into_iter().chain(mended) {
        let (snippet, listen) = if snippet.contains("listen ") {
            (snippet.replace("listen 443", "listen 127.0.0.1:8080"), "")
        } else {
            (snippet, "{listen}")
        };
        let snippet = snippet
            .replace("127.0.0.1:8080", "127.0.0.1:{port}")
            .replace("${CORS_ORIGINS}", APP);
        let check = all_causes::nginx(&snippet, listen, &application).check();
        assert!(
            check.accepted() && !check.stderr.contains("[warn]"),
            "{snippet}\n{}",
            check.stderr
        );
    }
}

//! The recipes of `docs/cookbook.md`: each file does what its page says.

use std::fs;

use harness::{workspace_root, Connection, Nginx, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// A recipe's nginx in front of an application.
fn serve(file: &str, application: &Upstream) -> Nginx {
    Nginx::from_file(format!("nginx-conf/{file}"))
        .port("8081", application.port())
        .start()
}

fn ask(nginx: &Nginx, request: &Request) -> Response {
    nginx.send_to("8080", request)
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

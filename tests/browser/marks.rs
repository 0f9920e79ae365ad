//! What makes a preflight: `OPTIONS`, `Origin` and `Access-Control-Request-Method`, all three. With one
//! of them missing it is a request like any other, and the application answers it.

use harness::{Nginx, Request, Response};

const NOTE: &str = "/notes/7";

fn answer(of: impl Fn(&str) -> Request) -> (String, Response) {
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    let page = format!("http://127.0.0.1:{}", nginx.port_of(8080));
    let response = nginx.send_to("8081", &of(&page));
    (page, response)
}

#[track_caller]
fn assert_from_the_application(response: &Response) {
    assert_eq!(response.status, 200, "{response}");
    assert!(response.text().starts_with(r#"{"saved":true"#), "{response}");
}

#[test]
fn with_all_three_it_is_a_preflight() {
    let (page, response) = answer(|page| Request::preflight(NOTE, page, "DELETE"));
    assert_eq!(response.status, 204, "{response}");
    assert!(response.body.is_empty(), "{response}");
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE"),
            ("Access-Control-Allow-Origin", &page),
            ("Access-Control-Max-Age", "600"),
        ]
    );
}

#[test]
fn without_an_origin_it_is_none() {
    let (_, response) = answer(|_| Request::new("OPTIONS", NOTE).header("Access-Control-Request-Method", "DELETE"));
    assert_from_the_application(&response);
    assert!(response.access_control().is_empty(), "{response}");
}

#[test]
fn with_another_method_it_is_none() {
    let (page, response) = answer(|page| {
        Request::get(NOTE)
            .origin(page)
            .header("Access-Control-Request-Method", "DELETE")
    });
    assert_from_the_application(&response);
    assert_eq!(response.access_control(), [("Access-Control-Allow-Origin", &*page)]);
}

#[test]
fn without_the_requested_method_it_is_none() {
    let (page, response) = answer(|page| Request::new("OPTIONS", NOTE).origin(page));
    assert_from_the_application(&response);
    assert_eq!(response.access_control(), [("Access-Control-Allow-Origin", &*page)]);
}

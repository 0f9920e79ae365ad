//! What becomes of configurations.

use std::fs;

use super::*;

/// The conversion of a file, without `load_module`.
fn conversion(files: &[(&str, &str)]) -> Conversion {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let options = Options {
        prefix: None,
        load_module: None,
        limits: Limits::default(),
    };
    convert(&directory.path().join(files[0].0), &options).unwrap()
}

/// The inside of a server, converted; as it was, if nothing is.
fn server(text: &str) -> String {
    const HEAD: &str = "server {\n";
    let conversion = conversion(&[("site.conf", &format!("{HEAD}{text}}}\n"))]);
    match conversion.files.first() {
        None => text.to_owned(),
        Some(changed) => {
            let after = String::from_utf8(changed.after.clone()).unwrap();
            let inside = after.strip_prefix(HEAD).unwrap().strip_suffix("}\n").unwrap();
            inside.to_owned()
        }
    }
}

/// The lines of a location of an application, converted.
fn location(lines: &str) -> String {
    const TAIL: &str = "proxy_pass http://127.0.0.1:1;\n}\n";
    let converted = server(&format!("location / {{\n{lines}{TAIL}"));
    let inside = converted.strip_prefix("location / {\n").unwrap();
    inside.strip_suffix(TAIL).unwrap().to_owned()
}

/// Why the lines of a location are left as they are.
fn left(lines: &str) -> String {
    let text = format!("location / {{\n{lines}proxy_pass http://127.0.0.1:1;\n}}\n");
    let conversion = conversion(&[("site.conf", &format!("server {{\n{text}}}\n"))]);
    assert!(
        conversion.files.is_empty(),
        "it is converted: {:?}",
        conversion.converted
    );
    let reasons: Vec<_> = conversion.left.iter().map(|left| left.reason.as_str()).collect();
    reasons.join("\n")
}

#[test]
fn a_header_becomes_a_policy() {
    assert_eq!(
        location("add_header Access-Control-Allow-Origin https://app.example.com always;\n"),
        "cors on;\ncors_allow_origin https://app.example.com;\n"
    );
}

#[test]
fn the_if_that_answers_preflights_goes_with_its_headers() {
    assert_eq!(
        location(
            "if ($request_method = OPTIONS) {\n\
             add_header Access-Control-Allow-Origin * always;\n\
             add_header Access-Control-Allow-Methods 'GET, PUT';\n\
             add_header Access-Control-Allow-Headers 'DNT,Content-Type';\n\
             add_header Access-Control-Max-Age 1728000;\n\
             add_header Content-Length 0;\n\
             return 204;\n\
             }\n\
             add_header Access-Control-Allow-Origin * always;\n\
             add_header Access-Control-Expose-Headers X-Total always;\n"
        ),
        "cors on;\ncors_allow_origin *;\ncors_allow_methods GET PUT;\ncors_allow_headers Content-Type;\n\
         cors_expose_headers X-Total;\ncors_max_age 1d;\n"
    );
}

#[test]
fn a_map_that_nobody_needs_any_more_goes() {
    let text = "map $http_origin $cors {\nhttps://a.example.com $http_origin;\n~^https://[a-z]+\\.example\\.net$ $http_origin;\n}\n\
                server {\nadd_header Access-Control-Allow-Origin $cors always;\nadd_header Vary Origin always;\n}\n";
    let conversion = conversion(&[("site.conf", text)]);
    assert_eq!(
        String::from_utf8_lossy(&conversion.files[0].after),
        "server {\ncors on;\ncors_allow_origin https://a.example.com ~^https://[a-z]+\\.example\\.net$;\n}\n"
    );
}

#[test]
fn a_map_that_somebody_needs_stays() {
    let text = "map $http_origin $cors {\nhttps://a.example.com $http_origin;\n}\nlog_format x $cors;\n\
                server {\nadd_header Access-Control-Allow-Origin $cors always;\n}\n";
    let conversion = conversion(&[("site.conf", text)]);
    let after = String::from_utf8_lossy(&conversion.files[0].after).into_owned();
    assert!(after.starts_with("map $http_origin $cors {"), "{after}");
    assert!(after.contains("cors_allow_origin https://a.example.com;"), "{after}");
}

#[test]
fn variables_that_are_set_by_conditions_go_with_them() {
    assert_eq!(
        location(
            "set $cors '';\n\
             if ($http_origin ~* ^https://(app|www)\\.example\\.com$) {\nset $cors $http_origin;\n}\n\
             add_header Access-Control-Allow-Origin $cors always;\n\
             add_header Access-Control-Allow-Credentials true always;\n"
        ),
        "cors on;\ncors_allow_origin ~^https://(app|www)\\.example\\.com$;\ncors_allow_credentials on;\n"
    );
}

#[test]
fn flags_that_are_put_together_are_followed() {
    assert_eq!(
        location(
            "set $case '';\n\
             if ($request_method = OPTIONS) {\nset $case \"${case}o\";\n}\n\
             if ($http_origin = https://a.example.com) {\nset $case \"${case}a\";\n}\n\
             if ($case = oa) {\nadd_header Access-Control-Allow-Origin $http_origin;\n\
             add_header Access-Control-Allow-Methods PUT;\nreturn 200;\n}\n\
             if ($case = a) {\nadd_header Access-Control-Allow-Origin $http_origin always;\n}\n"
        ),
        "cors on;\ncors_allow_origin https://a.example.com;\ncors_allow_methods PUT;\ncors_preflight_status 200;\n"
    );
}

#[test]
fn an_origin_that_is_sent_back_to_everyone_without_credentials_is_a_star() {
    assert_eq!(
        location("add_header Access-Control-Allow-Origin $http_origin always;\n"),
        "cors on;\ncors_allow_origin *;\n"
    );
}

#[test]
fn reflection_with_credentials_is_left_with_what_to_decide() {
    let why = left(
        "add_header Access-Control-Allow-Origin $http_origin always;\nadd_header Access-Control-Allow-Credentials true always;\n",
    );
    assert!(why.contains("decide which origins to trust"), "{why}");
}

#[test]
fn an_expression_that_admits_strangers_is_left_with_its_mistake() {
    let why = left(
        "if ($http_origin ~ '^https://app.example.com') {\nadd_header Access-Control-Allow-Origin $http_origin always;\n}\n",
    );
    assert!(why.contains("in, too: a \".\" stands for any character"), "{why}");
}

#[test]
fn what_only_a_running_nginx_knows_is_left() {
    for lines in [
        "add_header Access-Control-Allow-Origin $upstream_http_x_origin always;\n",
        "add_header Access-Control-Allow-Origin \"$scheme://$host\" always;\n",
        "if ($host = a.example.com) {\nadd_header Access-Control-Allow-Origin * always;\n}\n",
    ] {
        let why = left(lines);
        assert!(why.contains("running nginx alone"), "{lines}: {why}");
    }
}

#[test]
fn an_if_that_does_other_things_as_well_is_left() {
    let why = left(
        "add_header Access-Control-Allow-Origin * always;\nif ($request_method = OPTIONS) {\nproxy_pass http://127.0.0.1:2;\nreturn 204;\n}\n",
    );
    assert!(why.contains("has a \"proxy_pass\" as well"), "{why}");
}

#[test]
fn what_turns_strangers_away_is_more_than_cors() {
    let why = left(
        "if ($http_origin !~ '^https://([a-z]+\\.)*example\\.com$') {\nreturn 403;\n}\n\
         add_header Access-Control-Allow-Origin $http_origin always;\n",
    );
    assert!(why.contains("more than CORS"), "{why}");
}

#[test]
fn a_policy_for_some_methods_is_left() {
    let why = left("if ($request_method = GET) {\nadd_header Access-Control-Allow-Origin * always;\n}\n");
    assert!(why.contains("a policy is for all methods"), "{why}");
}

#[test]
fn what_browsers_do_not_understand_is_left_for_its_author() {
    for header in [
        "Access-Control-Allow-Method 'GET, PUT'",
        "Access-Control-Allow-Methods 'GET PUT'",
        "Access-Control-Allow-Methods 'get, put'",
        "Access-Control-Max-Age '20 days'",
        "Access-Control-Allow-Credentials True",
    ] {
        let why = left(&format!(
            "add_header Access-Control-Allow-Origin * always;\nadd_header {header} always;\n"
        ));
        assert!(why.contains("put it right first"), "{header}: {why}");
    }
}

#[test]
fn insecure_origins_with_credentials_are_left_with_what_nginx_says() {
    let why = left(
        "add_header Access-Control-Allow-Origin http://app.example.com always;\nadd_header Access-Control-Allow-Credentials true always;\n",
    );
    assert!(why.contains("nginx would refuse the policy"), "{why}");
    assert!(why.contains("insecure_origins"), "{why}");
}

#[test]
fn echoed_headers_are_all_headers() {
    assert_eq!(
        location(
            "add_header Access-Control-Allow-Origin * always;\n\
             add_header Access-Control-Allow-Headers $http_access_control_request_headers always;\n"
        ),
        "cors on;\ncors_allow_origin *;\ncors_allow_headers * Authorization;\n"
    );
}

#[test]
fn entries_that_no_browser_sends_are_kept_in_a_comment() {
    let text =
        "map $http_origin $cors {\nhttps://a.example.com $http_origin;\nhttps://b.example.com/ $http_origin;\n}\n\
                server {\nadd_header Access-Control-Allow-Origin $cors always;\n}\n";
    let conversion = conversion(&[("site.conf", text)]);
    assert_eq!(
        String::from_utf8_lossy(&conversion.files[0].after),
        "server {\n# left out, as no browser sends it: https://b.example.com/\ncors on;\ncors_allow_origin https://a.example.com;\n}\n"
    );
}

#[test]
fn other_locations_of_a_server_stay_without_headers() {
    assert_eq!(
        server(
            "add_header Access-Control-Allow-Origin * always;\n\
             location /static/ {\nadd_header Cache-Control public;\n}\n\
             location /fonts/ {\n}\n"
        ),
        "cors on;\ncors_allow_origin *;\n\
         location /static/ {\ncors off;\nadd_header Cache-Control public;\n}\n\
         location /fonts/ {\n}\n"
    );
}

#[test]
fn a_location_within_a_policy_says_what_is_different() {
    assert_eq!(
        server(
            "add_header Access-Control-Allow-Origin https://a.example.com always;\n\
             add_header Access-Control-Allow-Credentials true always;\n\
             location /b/ {\nadd_header Access-Control-Allow-Origin https://b.example.com always;\n}\n"
        ),
        "cors on;\ncors_allow_origin https://a.example.com;\ncors_allow_credentials on;\n\
         location /b/ {\ncors on;\ncors_allow_origin https://b.example.com;\ncors_allow_credentials off;\n}\n"
    );
}

#[test]
fn where_a_list_cannot_be_taken_back_the_outer_block_is_left() {
    let outer = "add_header Access-Control-Allow-Origin https://a.example.com always;\n\
                 add_header Access-Control-Expose-Headers X-A always;\n";
    let inner = "add_header Access-Control-Allow-Origin https://b.example.com always;\n";
    assert_eq!(
        server(&format!("{outer}location /b/ {{\n{inner}}}\n")),
        format!("{outer}location /b/ {{\ncors on;\ncors_allow_origin https://b.example.com;\n}}\n")
    );
}

#[test]
fn a_header_that_an_inner_block_would_inherit_again_keeps_it_as_it_is() {
    let text = "add_header Cache-Control public;\n\
                location / {\nadd_header Access-Control-Allow-Origin * always;\n}\n";
    assert_eq!(server(text), text);
}

#[test]
fn vary_stays_where_it_keeps_other_headers_away() {
    assert_eq!(
        server(
            "add_header Cache-Control public;\n\
             location / {\nadd_header Access-Control-Allow-Origin $http_origin always;\nadd_header Vary Origin always;\n}\n"
        ),
        "add_header Cache-Control public;\n\
         location / {\ncors on;\ncors_allow_origin *;\nadd_header Vary Origin always;\n}\n"
    );
}

#[test]
fn a_named_location_without_headers_stays_so() {
    assert_eq!(
        server(
            "location / {\nadd_header Access-Control-Allow-Origin * always;\ntry_files $uri @app;\n}\n\
             location @app {\nproxy_pass http://127.0.0.1:1;\n}\n"
        ),
        "location / {\ncors on;\ncors_allow_origin *;\ntry_files $uri @app;\n}\n\
         location @app {\ncors off;\nproxy_pass http://127.0.0.1:1;\n}\n"
    );
}

#[test]
fn a_snippet_of_several_locations_is_changed_once() {
    let conversion = conversion(&[
        (
            "site.conf",
            "server {\nlocation /a/ {\ninclude cors.conf;\n}\nlocation /b/ {\ninclude cors.conf;\n}\n}\n",
        ),
        ("cors.conf", "add_header Access-Control-Allow-Origin * always;\n"),
    ]);
    assert_eq!(conversion.files.len(), 1);
    assert!(conversion.files[0].path.ends_with("cors.conf"));
    assert_eq!(conversion.converted.len(), 1);
    assert_eq!(conversion.converted[0].locations, ["location /a/", "location /b/"]);
    assert_eq!(
        String::from_utf8_lossy(&conversion.files[0].after),
        "cors on;\ncors_allow_origin *;\n"
    );
}

#[test]
fn a_snippet_that_means_something_else_elsewhere_is_left() {
    let conversion = conversion(&[
        (
            "site.conf",
            "server {\nlocation /a/ {\nset $o https://a.example.com;\ninclude cors.conf;\n}\n\
             location /b/ {\nset $o https://b.example.com;\ninclude cors.conf;\n}\n}\n",
        ),
        ("cors.conf", "add_header Access-Control-Allow-Origin $o always;\n"),
    ]);
    assert!(conversion.files.is_empty(), "{:?}", conversion.converted);
    assert!(!conversion.left.is_empty());
}

#[test]
fn the_rest_of_a_file_stays_byte_by_byte() {
    let text = b"# caf\xe9\r\nserver {\r\n\tadd_header Access-Control-Allow-Origin *; # why\r\n\troot  /srv ;\r\n}\r\n";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.conf");
    fs::write(&file, text).unwrap();
    let options = Options {
        prefix: None,
        load_module: None,
        limits: Limits::default(),
    };
    let conversion = convert(&file, &options).unwrap();
    assert_eq!(
        conversion.files[0].after.escape_ascii().to_string(),
        b"# caf\xe9\r\nserver {\r\n\tcors on;\r\n\tcors_allow_origin *;\r\n\troot  /srv ;\r\n}\r\n"
            .escape_ascii()
            .to_string()
    );
}

#[test]
fn the_module_is_loaded_by_a_whole_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nginx.conf");
    let options = Options {
        prefix: None,
        load_module: Some("modules/ngx_http_cors_module.so"),
        limits: Limits::default(),
    };
    let http = "http {\nserver {\nadd_header Access-Control-Allow-Origin *;\n}\n}\n";
    for (text, head) in [
        (
            http.to_owned(),
            "load_module modules/ngx_http_cors_module.so;\n\nhttp {",
        ),
        (
            format!("load_module a.so;\n{http}"),
            "load_module a.so;\nload_module modules/ngx_http_cors_module.so;\nhttp {",
        ),
        (
            format!("load_module x/ngx_http_cors_module.so;\n{http}"),
            "load_module x/ngx_http_cors_module.so;\nhttp {",
        ),
        (
            format!("include /etc/nginx/modules-enabled/*.conf;\n{http}"),
            "include /etc/nginx/modules-enabled/*.conf;\nhttp {",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let after = convert(&file, &options).unwrap().files.remove(0).after;
        let after = String::from_utf8(after).unwrap();
        assert!(after.starts_with(head), "{after}");
    }
}

#[test]
fn a_comment_that_allows_a_fault_goes_with_it() {
    assert_eq!(
        location(
            "# nginx-cors: allow missing-always\nadd_header Access-Control-Allow-Origin *;\n\
             # why\nadd_header Access-Control-Allow-Headers X-A;\n"
        ),
        "cors on;\ncors_allow_origin *;\ncors_allow_headers X-A;\n# why\n"
    );
}

#[test]
fn lists_for_preflights_that_get_no_further_are_kept() {
    assert_eq!(
        server(
            "if ($request_method !~ ^(GET|HEAD|POST)$) {\nreturn 405;\n}\n\
             location / {\nadd_header Access-Control-Allow-Origin * always;\nadd_header Access-Control-Allow-Headers X-A always;\n}\n"
        ),
        "if ($request_method !~ ^(GET|HEAD|POST)$) {\nreturn 405;\n}\n\
         location / {\ncors on;\ncors_allow_origin *;\ncors_allow_headers X-A;\n}\n"
    );
}

#[test]
fn with_a_file_that_was_not_read_all_is_left() {
    let conversion = conversion(&[(
        "site.conf",
        "server {\ninclude snippets/more.conf;\nadd_header Access-Control-Allow-Origin *;\n}\n",
    )]);
    assert!(conversion.files.is_empty());
    assert!(
        conversion.left[0].reason.contains("was not read"),
        "{:?}",
        conversion.left
    );
}

#[test]
fn what_takes_headers_away_is_left() {
    let why = left("add_header Access-Control-Allow-Origin *;\nmore_clear_headers 'Access-Control-*';\n");
    assert!(why.contains("takes headers away"), "{why}");
}

#[test]
fn a_map_of_thousands_of_origins_is_for_a_list() {
    let entries: String = (0..1_500)
        .map(|n| format!("https://t{n}.example.com $http_origin;\n"))
        .collect();
    let text = format!(
        "map $http_origin $cors {{\n{entries}}}\nserver {{\nadd_header Access-Control-Allow-Origin $cors always;\n}}\n"
    );
    let conversion = conversion(&[("site.conf", &text)]);
    assert!(
        conversion.left[0].reason.contains("cors_origin_list"),
        "{:?}",
        conversion.left
    );
}

#[test]
fn a_location_that_cannot_be_converted_leaves_the_others_alone() {
    let locations: String = (0..150)
        .map(|n| format!("location /{n}/ {{\nadd_header Access-Control-Allow-Origin * always;\n}}\n"))
        .collect();
    let text = format!(
        "server {{\nadd_header Cache-Control public;\n{locations}\
         location /a/ {{\nadd_header X-A a;\nadd_header Access-Control-Allow-Origin * always;\n}}\n}}\n"
    );
    let conversion = conversion(&[("site.conf", &text)]);
    assert_eq!(conversion.left.len(), 150);
    assert_eq!(conversion.converted.len(), 1);
}

#[test]
fn what_was_converted_stays() {
    let converted = server("location / {\nadd_header Access-Control-Allow-Origin *;\n}\n");
    assert_eq!(server(&converted), converted);
}

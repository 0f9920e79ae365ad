//! Small crates, and the circles in them.

use super::*;

/// A crate whose files have these contents; the root is `lib.rs`.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let known = Crate::read(&directory.path().join("lib.rs"), directory.path()).unwrap();
    circles(&known)
}

/// Two files in a circle, if `code` in `a.rs` is an import of `b.rs`.
fn imports_b(code: &str) -> bool {
    let circles = circles_of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", code),
        ("b.rs", "use crate::a::A; pub mod inner { pub struct C; } pub mod deep;"),
        ("b/deep.rs", ""),
    ]);
    circles.iter().any(|circle| circle.contains("a.rs:"))
}

#[test]
fn a_circle_is_printed_with_its_lines() {
    let circles = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "\nuse crate::b::B;"),
        ("b.rs", "fn f() {\n\n    crate::c::g();\n}"),
        ("c.rs", "use super::a::A;"),
    ]);
    assert_eq!(
        circles,
        ["  a.rs:2 imports b.rs: crate::b::B\n  b.rs:3 imports c.rs: crate::c::g\n  c.rs:1 imports a.rs: super::a::A\n"]
    );
}

#[test]
fn what_only_goes_down_is_no_circle() {
    let circles = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c; use a::A;"),
        ("a.rs", "use crate::{b::B, c::C};"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", ""),
    ]);
    assert_eq!(circles, [""; 0]);
}

#[test]
fn the_shortest_circle_is_printed_and_the_others_are_named() {
    let circles = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::{a::A, b::B};"),
    ]);
    let [circle] = &circles[..] else { panic!("{circles:#?}") };
    assert!(circle.starts_with("  b.rs:1 imports c.rs"), "{circle}");
    assert!(
        circle.ends_with("1 files more reach it and are reached from it: a.rs\n"),
        "{circle}"
    );
}

#[test]
fn two_circles_are_two() {
    let circles = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; use crate::c::C;"),
        ("b.rs", "use crate::a::A;"),
        ("c.rs", "use crate::d::D;"),
        ("d.rs", "use crate::c::C;"),
    ]);
    assert_eq!(circles.len(), 2, "{circles:#?}");
}

#[test]
fn an_import_is_a_use_in_any_spelling() {
    assert!(imports_b("use crate::b::B;"));
    assert!(imports_b("use crate::b::{B, inner::C as D};"));
    assert!(imports_b("use crate::b::*;"));
    assert!(imports_b("use crate::{b};"));
    assert!(imports_b("use crate::b::{self};"));
    assert!(imports_b("use super::b::B;"));
    assert!(imports_b("pub(crate) use crate::b::B;"));
    assert!(imports_b("fn f() { use crate::b::B; }"));
    assert!(imports_b("mod inside { use super::super::b::B; }"));
    assert!(imports_b("use crate::b::inner::C;"), "a module within the file b.rs");
}

#[test]
fn an_import_is_a_path_in_the_code() {
    assert!(imports_b("fn f() { crate::b::g() }"));
    assert!(imports_b("fn f(b: &crate::b::B) {}"));
    assert!(imports_b("impl crate::b::Trait for A {}"));
    assert!(imports_b("fn f() { let super::b::B { .. } = x; }"));
    assert!(imports_b("fn f() { crate::b::say!() }"));
    assert!(imports_b("fn f() { println!(\"{}\", crate::b::NAME) }"));
    assert!(imports_b("macro_rules! m { () => { $crate::b::g() } }"));
    assert!(imports_b("const _: () = assert!({ let x = [crate::b::N]; true });"));
}

#[test]
fn a_path_may_go_through_an_imported_module() {
    let circle_through = |a: &str| {
        circles_of(&[
            ("lib.rs", "mod a; mod c;"),
            ("a.rs", a),
            ("c.rs", "pub mod deep;"),
            ("c/deep.rs", "use crate::a::A;"),
        ])
        .concat()
    };
    let imports = |path: &str| format!("  a.rs:2 imports c/deep.rs: {path}\n  c/deep.rs:1 imports a.rs: crate::a::A\n");
    assert_eq!(
        circle_through("use crate::c;\nfn f() { c::deep::g() }"),
        imports("c::deep::g")
    );
    assert_eq!(
        circle_through("use crate::c::{self};\nfn f() { c::deep::g() }"),
        imports("c::deep::g")
    );
    assert_eq!(
        circle_through("use crate::c as other;\nfn f() { other::deep::g() }"),
        imports("other::deep::g")
    );
    assert_eq!(circle_through("use crate::c;\nfn f() { c::g() }"), "");
}

#[test]
fn no_import_is_what_names_no_other_file() {
    assert!(!imports_b(""));
    assert!(!imports_b("use b::B;"), "another crate, which is called b");
    assert!(!imports_b("use ::b::B;"));
    assert!(!imports_b("fn f() { let b = 1; b.g() }"));
    assert!(!imports_b("fn f() { println!(\"crate::b::B\", ::b::B) }"));
    assert!(!imports_b("/// [`crate::b::B`]\nfn f() {}"));
    assert!(!imports_b("pub(in crate::b) fn f() {}"));
    assert!(
        !imports_b("use crate::b::deep::D;"),
        "a file of its own, which does not import a.rs"
    );
}

#[test]
fn tests_do_not_count() {
    assert!(!imports_b("#[cfg(test)] mod tests { use crate::b::B; }"));
    assert!(!imports_b("#[cfg(test)] use crate::b::B;"));
    assert!(!imports_b("#[test] fn f() { crate::b::g() }"));
    assert!(!imports_b("#[cfg(all(test, unix))] use crate::b::B;"));
    assert!(!imports_b("impl A { #[cfg(test)] fn f() { crate::b::g() } }"));
    assert!(!imports_b("fn f() { #[cfg(test)] let x = crate::b::g(); }"));
}

#[test]
fn what_is_not_for_tests_alone_counts() {
    assert!(imports_b("#[cfg(not(test))] use crate::b::B;"));
    assert!(imports_b("#[cfg(any(test, feature = \"x\"))] use crate::b::B;"));
    assert!(imports_b("#[cfg(feature = \"test\")] use crate::b::B;"));
}

#[test]
fn a_parent_and_its_children_are_files_like_others() {
    let with = |parent: &str, child: &str| {
        circles_of(&[("lib.rs", "mod a;"), ("a/mod.rs", parent), ("a/child.rs", child)]).len()
    };
    assert_eq!(with("mod child;", "use super::A;"), 0, "a declaration is no import");
    assert_eq!(with("mod child; fn f() { child::g() }", ""), 0);
    assert_eq!(with("mod child; fn f() { child::g() }", "use super::A;"), 1);
    assert_eq!(with("mod child; pub use self::child::C;", "use super::*;"), 1);
}

#[test]
fn files_are_found_where_the_compiler_finds_them() {
    let circles = circles_of(&[
        ("lib.rs", "mod a; #[path = \"other.rs\"] mod b; mod inside { mod c; }"),
        ("a.rs", "use crate::b::B;"),
        ("other.rs", "use crate::inside::c::C;"),
        ("inside/c.rs", "use crate::a::A;"),
    ]);
    assert_eq!(circles.len(), 1, "{circles:#?}");
}

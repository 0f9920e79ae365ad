//! Tells the module what the nginx that it is built for is like, and builds the C shim for that nginx.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let nginx = Nginx::from_nginx_sys()?;
    println!("cargo::rerun-if-changed=src/nginx/shim.h");
    println!("cargo::rerun-if-changed=src/nginx/shim.c");
    let out = PathBuf::from(variable("OUT_DIR")?);
    nginx.compile_shim();
    nginx.compile_parts_for_tests(&out);
    nginx.declare_shim(&out)?;
    check_layout(&out)
}

/// Makes the build fail where the bindings do not agree with the C compiler on a structure that the shim lists.
fn check_layout(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut checks = String::new();
    for line in fs::read_to_string("src/nginx/shim.h")?.lines() {
        let Some(listed) = line.trim().strip_prefix("X(").and_then(|line| line.split(')').next()) else {
            continue;
        };
        let (actual, expected) = match listed.split_once(", ") {
            Some((ty, field)) => (format!("offset_of!({ty}, {field})"), format!("OFFSETOF_{ty}_{field}")),
            None => (format!("size_of::<{listed}>()"), format!("SIZEOF_{listed}")),
        };
        writeln!(
            checks,
            "const _: () = assert!(core::mem::{actual} == NGX_HTTP_CORS_{expected} as usize, \"{listed}\");"
        )?;
    }
    fs::write(out.join("layout.rs"), checks)?;
    Ok(())
}

/// What the build script of nginx-sys found out (`DEP_NGINX_*`).
struct Nginx {
    include: Vec<PathBuf>,
    defines: Vec<String>,
}

impl Nginx {
    fn from_nginx_sys() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            include: env::split_paths(&variable("DEP_NGINX_INCLUDE")?).collect(),
            defines: variable("DEP_NGINX_CFLAGS")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }

    fn compile_shim(&self) {
        self.compiler()
            .file("src/nginx/shim.c")
            .warnings_into_errors(true)
            .compile("ngx_http_cors_shim");
    }

    /// Compiles what the unit tests use of nginx, and the shim once more, as a library that only they are linked with.
    /// Some have but the headers of their nginx: the unit tests can then not be linked, and all else can.
    fn compile_parts_for_tests(&self, out: &Path) {
        const PARTS: [&str; 4] = ["ngx_palloc.c", "ngx_list.c", "ngx_array.c", "ngx_string.c"];
        let find = |part: &&str| {
            let mut paths = self.include.iter().map(|include| include.join(part));
            paths.find(|path| path.exists())
        };
        let Some(parts) = PARTS.iter().map(find).collect::<Option<Vec<_>>>() else {
            return;
        };
        self.compiler()
            .files(parts)
            .files(["src/nginx/shim.c", "src/nginx/test_stubs.c"])
            .cargo_metadata(false)
            .warnings(false)
            .compile("ngx_parts");
        println!("cargo::rerun-if-changed=src/nginx/test_stubs.c");
        println!("cargo::rustc-link-arg-tests={}", out.join("libngx_parts.a").display());
    }

    fn compiler(&self) -> cc::Build {
        let mut build = cc::Build::new();
        build.includes(&self.include);
        for define in &self.defines {
            build.flag(define);
        }
        // What watches the module is to see what C does, too.
        if env::var("CARGO_CFG_SANITIZE").is_ok_and(|sanitizers| sanitizers.contains("address")) {
            build.flag("-fsanitize=address");
        }
        build
    }

    /// Writes the declarations of the shim; nginx's own types come from nginx-sys.
    fn declare_shim(&self, out: &Path) -> Result<(), Box<dyn Error>> {
        let include = self.include.iter().map(|path| format!("-I{}", path.display()));
        bindgen::Builder::default()
            .header("src/nginx/shim.h")
            .clang_args(include)
            .clang_args(&self.defines)
            .allowlist_function("ngx_http_cors_.*")
            .allowlist_var("NGX_HTTP_CORS_.*")
            .allowlist_type("ngx_http_cors_.*")
            .allowlist_recursively(false)
            .default_enum_style(bindgen::EnumVariation::Consts)
            .prepend_enum_name(false)
            .raw_line("use nginx_sys::*;")
            .use_core()
            .generate()?
            .write_to_file(out.join("shim.rs"))?;
        Ok(())
    }
}

fn variable(name: &str) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

//! Hashes what the page's `Content-Security-Policy` lets in: its style and its script, nothing else.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/page");
    // Set by whoever has the shared memory model-checked; see src/sync.rs.
    println!("cargo::rustc-check-cfg=cfg(loom)");
    let read = |name: &str| fs::read_to_string(Path::new("src/page").join(name));
    let (style, script) = (read("page.css")?, read("page.js")?);
    let page = read("page.html")?
        .replace("{style}", &style)
        .replace("{script}", &script);
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(&style),
        hash(&script)
    );
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("page.html"), page)?;
    fs::write(Path::new(&out).join("page.csp"), policy)?;
    Ok(())
}

//! `cargo xtask check-module`: a released module is stripped and exports what nginx looks up in it, nothing more, as
//! every other symbol could clash with another module's.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use object::{Object, ObjectSection, ObjectSymbol};

const LOOKED_UP: [&str; 3] = ["ngx_module_names", "ngx_module_order", "ngx_modules"];

pub fn check(module: &Path) -> Result<()> {
    check_with(module, Symbols::Stripped)
}

/// Whether the module still has what debuggers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbols {
    Stripped,
    /// The package that is being built moves them into one of its own.
    Kept,
}

/// Checks what the module exports, and the rest unless symbols are kept.
pub fn check_with(module: &Path, symbols: Symbols) -> Result<()> {
    let content = fs::read(module).with_context(|| module.display().to_string())?;
    check_content(&content, symbols).with_context(|| module.display().to_string())
}

fn check_content(content: &[u8], symbols: Symbols) -> Result<()> {
    let file = object::File::parse(content).context("is no object file")?;
    let mut exported: Vec<&str> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    exported.sort_unstable();
    ensure!(
        exported == LOOKED_UP,
        "exports {exported:?}, but nginx looks up {LOOKED_UP:?} and nothing else"
    );
    if symbols == Symbols::Kept {
        return Ok(());
    }
    ensure!(
        file.symbols().next().is_none(),
        "has a table of symbols: it is not stripped"
    );
    let debug = file
        .sections()
        .find(|section| section.name().is_ok_and(|name| name.starts_with(".debug_")));
    ensure!(debug.is_none(), "has debug information: it is not stripped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    use xshell::{cmd, Shell};

    /// A shared object of the C compiler.
    fn compile(source: &str, arguments: &[&str]) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let module = directory.path().join("module.so");
        let sh = Shell::new().unwrap();
        cmd!(sh, "cc -shared -nostdlib -x c {arguments...} -o {module} -")
            .stdin(source)
            .quiet()
            .run()
            .unwrap();
        fs::read(module).unwrap()
    }

    const MODULE: &str = "int ngx_modules, ngx_module_names, ngx_module_order; static int own;";

    fn complaint(content: &[u8]) -> String {
        check_content(content, Symbols::Stripped).unwrap_err().to_string()
    }

    #[test]
    fn a_stripped_module_passes() {
        check_content(&compile(MODULE, &["-s"]), Symbols::Stripped).unwrap();
    }

    #[test]
    fn a_package_of_symbols_gets_them() {
        check_content(&compile(MODULE, &["-g"]), Symbols::Kept).unwrap();
        let surprise = compile(&format!("{MODULE} int ngx_surprise;"), &["-g"]);
        assert!(check_content(&surprise, Symbols::Kept).is_err());
    }

    #[test]
    fn a_symbol_more_is_named() {
        let module = compile(&format!("{MODULE} int ngx_surprise;"), &["-s"]);
        assert!(complaint(&module).contains("ngx_surprise"), "{}", complaint(&module));
    }

    #[test]
    fn a_symbol_that_is_missing_is_seen() {
        let module = compile("int ngx_modules, ngx_module_names;", &["-s"]);
        assert!(complaint(&module).contains(r#"exports ["ngx_module_names", "ngx_modules"]"#));
    }

    #[test]
    fn what_is_not_stripped_is_refused() {
        assert!(complaint(&compile(MODULE, &[])).contains("table of symbols"));
        assert!(complaint(&compile(MODULE, &["-g"])).contains("not stripped"));
    }
}

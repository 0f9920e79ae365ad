//! The configured sources of an nginx: of an installed one, or of one that is built from a directory of sources. nginx
//! refuses a module of another version or configuration, so that is found out here, before the build.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{bail, ensure, Context, Result};
use xshell::{cmd, Shell};

use crate::workspace::{link, require, root, target_directory, variable};

/// A directory that holds, as `source` and `objs`, the configured sources of the nginx `binary`.
pub fn configured_tree(sh: &Shell, binary: &Path) -> Result<PathBuf> {
    let version = version(sh, binary)?;
    let Sources { directory, arguments } = Sources::find(sh, binary)?;

    let directory = sources_in(&directory)?;
    let include = directory.join("src");
    let source_version = source_version(sh, &directory)?;
    ensure!(
        source_version == version,
        "{} is {version}, but {} is {source_version}: name the sources of {version}, NGINX_SOURCE_DIR=...",
        binary.display(),
        directory.display()
    );

    let build = variable("NGINX_BUILD_DIR").unwrap_or_default();
    let mut inputs = fs::read(binary)?;
    inputs.extend(contents(&include, |path| {
        path.extension().is_some_and(|extension| extension == "h")
    })?);
    inputs.extend(format!("{} {}", root().display(), build.to_string_lossy()).bytes());
    let tree = tree_of(sh, &version, inputs)?;
    if let Some(build) = variable("NGINX_BUILD_DIR") {
        fs::create_dir_all(&tree)?;
        link(&directory, &tree.join("source"))?;
        link(&sh.current_dir().join(build).canonicalize()?, &tree.join("objs"))?;
    } else if !tree.join("configured").exists() {
        configure(sh, &directory, &arguments, &tree).with_context(|| {
            format!(
                "{} cannot be configured as {} was: configure it yourself and name the result, NGINX_BUILD_DIR=...",
                directory.display(),
                binary.display()
            )
        })?;
    }
    check_signature(sh, binary, &tree)?;
    Ok(tree)
}

/// A directory that holds, as `source` and `objs`, an nginx built from the sources in a directory. That one is left as it
/// is. Only another content of it, or other arguments, have nginx built anew.
pub fn built_tree(sh: &Shell, source: &Path, arguments: &str) -> Result<PathBuf> {
    let source = sources_in(&sh.current_dir().join(source))?;
    let mut inputs = contents(&source.join("src"), |_| true)?;
    inputs.extend(contents(&source.join("auto"), |_| true)?);
    inputs.extend(arguments.bytes());
    let tree = tree_of(sh, &source_version(sh, &source)?, inputs)?;
    if !tree.join("configured").exists() {
        let arguments: Vec<String> = arguments.split_ascii_whitespace().map(str::to_owned).collect();
        configure(sh, &source, &arguments, &tree)
            .with_context(|| format!("the nginx in {} cannot be configured", source.display()))?;
    }
    let _in_source = sh.push_dir(tree.join("source"));
    let makefile = tree.join("objs/Makefile");
    let jobs = thread::available_parallelism().map_or(1, NonZero::get).to_string();
    // The make that builds nginx is not to take up the flags and the job server of another one.
    cmd!(sh, "make -s -j {jobs} -f {makefile} binary")
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .quiet()
        .run()
        .with_context(|| format!("the nginx in {} cannot be built", source.display()))?;
    Ok(tree)
}

/// The directory, if it has sources of nginx.
fn sources_in(directory: &Path) -> Result<PathBuf> {
    let header = directory.join("src/core/nginx.h");
    ensure!(header.is_file(), "no sources of nginx: {}", directory.display());
    Ok(fs::canonicalize(directory)?)
}

/// Such as `nginx/1.22.1`.
fn source_version(sh: &Shell, source: &Path) -> Result<String> {
    let (compiler, own_flags) = compiler();
    let include = source.join("src");
    let preprocessed = cmd!(sh, "{compiler} {own_flags...} -E -P -I {include} -")
        .stdin("#include \"core/nginx.h\"\nNGINX_VER\n")
        .quiet()
        .read()
        .context("the C compiler cannot read nginx.h")?;
    Ok(preprocessed.lines().last().unwrap_or_default().replace(['"', ' '], ""))
}

/// The target directory for this version, whose name tells all that decides what is in it.
fn tree_of(sh: &Shell, version: &str, inputs: Vec<u8>) -> Result<PathBuf> {
    let name: String = version
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let sum = cmd!(sh, "sha256sum").stdin(inputs).quiet().read()?;
    let digest: String = sum.chars().take(12).collect();
    Ok(target_directory(&format!("{name}-{digest}")))
}

/// Such as `nginx/1.22.1`.
fn version(sh: &Shell, binary: &Path) -> Result<String> {
    first_line_after(&read_stderr(sh, binary, "-v")?, "nginx version: ")
        .and_then(|rest| rest.split(' ').next())
        .map(str::to_owned)
        .with_context(|| format!("NGINX_BINARY is not nginx: {}", binary.display()))
}

/// The C compiler and the flags that CC names beside it.
fn compiler() -> (String, Vec<String>) {
    let command = variable("CC").unwrap_or_else(|| "cc".into());
    let command = command.to_string_lossy();
    let mut words = command.split_ascii_whitespace().map(str::to_owned);
    (words.next().unwrap_or_default(), words.collect())
}

fn read_stderr(sh: &Shell, binary: &Path, argument: &str) -> Result<String> {
    // nginx takes a variable of the name NGINX for the list of the sockets that it inherits.
    Ok(cmd!(sh, "{binary} {argument}")
        .env_remove("NGINX")
        .quiet()
        .read_stderr()?)
}

fn first_line_after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(start))
}

struct Sources {
    directory: PathBuf,
    /// How the binary was configured.
    arguments: Vec<String>,
}

impl Sources {
    fn find(sh: &Shell, binary: &Path) -> Result<Self> {
        let named = variable("NGINX_SOURCE_DIR").map(PathBuf::from);
        match named.or_else(|| variable("NGINX_BUILD_DIR").map(|build| Path::new(&build).join(".."))) {
            Some(directory) => Ok(Self {
                directory: sh.current_dir().join(directory),
                arguments: arguments(&read_stderr(sh, binary, "-V")?)?,
            }),
            None => Self::of_debian(sh, binary),
        }
    }

    /// Debian's nginx-dev holds the sources with all of Debian's patches: one version of it fits, no other.
    fn of_debian(sh: &Shell, binary: &Path) -> Result<Self> {
        let name_them = "name the directory of its sources, NGINX_SOURCE_DIR=...";
        let real = fs::canonicalize(binary)?;
        let owner = cmd!(sh, "dpkg-query -S {real}")
            .quiet()
            .ignore_stderr()
            .read()
            .with_context(|| format!("no package of this system has {}: {name_them}", binary.display()))?;
        let package = owner.split([':', ',']).next().unwrap_or_default();
        let format = "-f=${Version}";
        let version = cmd!(sh, "dpkg-query -W {format} {package}").quiet().read()?;
        let wanted = format!("nginx-dev={}", without_binary_rebuild(&version));
        require(sh, &[&wanted])
            .with_context(|| format!("no nginx-dev to be had for {}: {name_them}", binary.display()))?;

        let directory = PathBuf::from("/usr/share/nginx/src");
        // An array of bash, which only bash can read.
        let script = r#"source "$1/conf_flags" && printf '%s\n' "${NGX_CONF_FLAGS[@]}""#;
        let arguments = cmd!(sh, "bash -euc {script} bash {directory}").quiet().read()?;
        Ok(Self {
            directory,
            arguments: arguments.lines().map(str::to_owned).collect(),
        })
    }
}

/// A package that was rebuilt without a change of its sources (`+b1`) has the sources of the first build.
fn without_binary_rebuild(version: &str) -> &str {
    match version.rsplit_once("+b") {
        Some((source, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => source,
        _ => version,
    }
}

/// The arguments of configure that `nginx -V` prints, quoted for a shell.
fn arguments(printed: &str) -> Result<Vec<String>> {
    let line = first_line_after(printed, "configure arguments:").unwrap_or_default();
    shlex::split(line).context("nginx -V prints arguments of configure that no shell can read")
}

/// Whether an argument of configure concerns what a module must fit. Modules with a `.so` of their own do not, nor do
/// the directories that libraries were linked in from, which often are not there.
fn matters(argument: &str) -> bool {
    let names_a_place = [
        "--add-dynamic-module=",
        "--with-openssl=",
        "--with-pcre=",
        "--with-zlib=",
        "--builddir=",
    ];
    !argument.ends_with("=dynamic") && !names_a_place.iter().any(|start| argument.starts_with(start))
}

/// The bytes of the files below a directory, in the order of their names.
fn contents(directory: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<u8>> {
    let mut directories = vec![directory.to_owned()];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if wanted(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut bytes = Vec::new();
    for file in files {
        bytes.extend(fs::read(file)?);
    }
    Ok(bytes)
}

fn configure(sh: &Shell, source: &Path, arguments: &[String], tree: &Path) -> Result<()> {
    for stale in ["source", "objs"] {
        sh.remove_path(tree.join(stale))?;
    }
    // A copy, since configure writes beside the sources.
    let copy = sh.create_dir(tree.join("source"))?;
    cmd!(sh, "cp -R {source}/auto {source}/src {copy}").quiet().run()?;
    if source.join("configure").exists() {
        fs::copy(source.join("configure"), copy.join("auto/configure"))?;
    }
    let _in_copy = sh.push_dir(&copy);
    let objs = tree.join("objs");
    let arguments = arguments.iter().filter(|argument| matters(argument));
    let output = cmd!(sh, "auto/configure {arguments...} --builddir={objs}")
        .quiet()
        .ignore_status()
        .output()?;
    let log: String = [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat();
    fs::write(tree.join("configure.log"), &log)?;
    if !output.status.success() {
        let lines: Vec<&str> = log.lines().collect();
        let end = lines
            .iter()
            .skip(lines.len().saturating_sub(5))
            .copied()
            .collect::<Vec<_>>();
        bail!("{}", end.join("\n"));
    }
    fs::write(tree.join("configured"), "")?;
    Ok(())
}

/// nginx compares this text of a module, which tells how it was configured, with its own.
fn check_signature(sh: &Shell, binary: &Path, tree: &Path) -> Result<()> {
    let (compiler, own_flags) = compiler();
    let _in_source = sh.push_dir(tree.join("source"));
    let makefile = tree.join("objs/Makefile");
    let cflags = cmd!(sh, "make -s -f - cflags")
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .stdin(format!(
            "include {}\ncflags:;@echo $(CFLAGS) $(ALL_INCS)\n",
            makefile.display()
        ))
        .quiet()
        .read()
        .with_context(|| format!("{} cannot be read", makefile.display()))?;
    let cflags = cflags.split_ascii_whitespace();
    let preprocessed = cmd!(sh, "{compiler} {own_flags...} {cflags...} -E -P -")
        .stdin("#include <ngx_config.h>\n#include <ngx_core.h>\nsignature NGX_MODULE_SIGNATURE\n")
        .quiet()
        .read()
        .with_context(|| format!("the headers in {}/objs cannot be read", tree.display()))?;
    let signature = first_line_after(&preprocessed, "signature ")
        .map(|pieces| pieces.replace(['"', ' '], ""))
        .with_context(|| format!("the headers in {}/objs name no signature", tree.display()))?;

    let content = fs::read(binary)?;
    ensure!(
        contains(&content, signature.as_bytes()),
        "{binary} was configured as {}, but its sources as {signature}\n\
         configure the sources with what '{binary} -V' prints and name the result, NGINX_BUILD_DIR=...",
        find_signature(&content).unwrap_or("something unknown"),
        binary = binary.display()
    );
    Ok(())
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len()).any(|window| window == wanted)
}

/// Three digits and a bit with commas between them, then at least twenty bits more.
fn find_signature(content: &[u8]) -> Option<&str> {
    content
        .split(|byte| !matches!(byte, b'0'..=b'9' | b','))
        .filter_map(|run| std::str::from_utf8(run).ok())
        .find(|run| {
            let mut parts = run.splitn(4, ',');
            let digits = parts.by_ref().take(3).filter(|part| part.len() == 1).count();
            let bits = parts.next().unwrap_or_default();
            digits == 3 && bits.len() > 20 && bits.bytes().all(|bit| matches!(bit, b'0' | b'1'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_configure_are_read_as_a_shell_does() {
        let printed = "nginx version: nginx/1.22.1\n\
            configure arguments: --with-cc-opt='-g -O2' --prefix=/usr/share/nginx --with-http_v2_module\n";
        assert_eq!(
            arguments(printed).unwrap(),
            [
                "--with-cc-opt=-g -O2",
                "--prefix=/usr/share/nginx",
                "--with-http_v2_module"
            ]
        );
    }

    #[test]
    fn an_nginx_configured_without_arguments_has_none() {
        assert_eq!(arguments("configure arguments:\n").unwrap(), [""; 0]);
    }

    #[test]
    fn other_modules_and_places_of_libraries_are_left_out() {
        assert!(!matters("--with-stream=dynamic"));
        assert!(!matters("--add-dynamic-module=/build/lua"));
        assert!(!matters("--with-openssl=/build/openssl"));
        assert!(matters("--with-compat"));
        assert!(matters("--with-openssl-opt=no-ssl3"));
    }

    #[test]
    fn a_rebuilt_package_has_the_sources_of_the_first_build() {
        assert_eq!(without_binary_rebuild("1.26.3-3+deb13u1+b2"), "1.26.3-3+deb13u1");
        assert_eq!(without_binary_rebuild("1.22.1-9+deb12u4"), "1.22.1-9+deb12u4");
        assert_eq!(without_binary_rebuild("1.22.1-9+build"), "1.22.1-9+build");
    }

    #[test]
    fn a_signature_is_found_in_a_binary() {
        let binary = b"\x007,8,9\x008,4,8,0011111111010111001111111111110111\x00rest";
        assert_eq!(find_signature(binary), Some("8,4,8,0011111111010111001111111111110111"));
        assert_eq!(find_signature(b"8,4,8,0011"), None);
    }
}

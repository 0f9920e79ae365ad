//! The table of the supported nginx, `nginx-versions.toml`: which there are, and how each is to be had. What names a
//! version asks here, and `cargo xtask versions` prints what CI and scripts need of it.

use std::fs;
use std::path::Path;

use anyhow::{bail, ensure, Context, Result};
use serde_json::json;
use toml::{Table, Value};

use crate::workspace::root;

const FILE: &str = "nginx-versions.toml";
const KEYS: [&str; 13] = [
    "name",
    "version",
    "source",
    "release",
    "image",
    "users",
    "libc",
    "architectures",
    "supported_until",
    "tarball",
    "sha512",
    "tag",
    "commit",
];

/// How a build gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The crate nginx-src carries its sources.
    Vendored,
    /// This release of Debian packages it.
    Debian(String),
    /// A directory with its sources, which NGINX_SOURCE_DIR names.
    Directory,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Supported {
    pub name: String,
    pub version: String,
    pub source: Source,
    pub image: Option<String>,
    pub users: String,
    pub libc: String,
    pub architectures: Vec<String>,
    /// The last day on which those who make it mend it; none is known of what changes from day to day.
    pub until: Option<String>,
}

/// All of them, in the order of the table.
pub fn supported() -> Result<Vec<Supported>> {
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    parse(&text).with_context(|| path.display().to_string())
}

/// The one of this name.
pub fn named(name: &str) -> Result<Supported> {
    let all = supported()?;
    let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    let found = all.into_iter().find(|one| one.name == name);
    found.with_context(|| format!("no nginx '{name}' in {FILE}: it has {}", names.join(", ")))
}

/// Prints the rows of one kind: `debian` and `images` as the matrix of a workflow, `compatibility` as a table in Markdown.
pub fn print(kind: &str) -> Result<()> {
    let all = supported()?;
    let text = match kind {
        "debian" => matrix(&all, |one| matches!(one.source, Source::Debian(_))),
        "images" => matrix(&all, |one| one.source == Source::Directory),
        "compatibility" => compatibility(&all),
        _ => bail!("it is debian, images or compatibility, not '{kind}'"),
    };
    println!("{}", text.trim_end());
    Ok(())
}

/// What a workflow takes as `matrix.include`.
fn matrix(all: &[Supported], wanted: impl Fn(&Supported) -> bool) -> String {
    let rows = all.iter().filter(|one| wanted(one));
    let rows: Vec<_> = rows.map(|one| json!({"name": one.name, "image": one.image})).collect();
    json!(rows).to_string()
}

/// The table of docs/compatibility.md.
fn compatibility(all: &[Supported]) -> String {
    let mut text =
        "| nginx | who runs it | mended until | tested on | how the build gets it |\n|---|---|---|---|---|\n"
            .to_owned();
    for one in all {
        let platforms: Vec<String> = one
            .architectures
            .iter()
            .map(|machine| format!("{}, {machine}", one.libc))
            .collect();
        let source = match &one.source {
            Source::Vendored => "the crate `nginx-src`: `make`".to_owned(),
            Source::Debian(_) => "the packages `nginx` and `nginx-dev`: `make deb`".to_owned(),
            Source::Directory => "its sources: `make NGINX_SOURCE_DIR=<directory>`".to_owned(),
        };
        let until = one.until.as_deref().unwrap_or("-");
        text.push_str(&format!(
            "| {} | {} | {until} | {} | {source} |\n",
            one.version,
            one.users,
            platforms.join("; ")
        ));
    }
    text
}

fn parse(text: &str) -> Result<Vec<Supported>> {
    let mut table: Table = text.parse()?;
    let rows = match table.remove("nginx") {
        Some(Value::Array(rows)) => rows,
        _ => bail!("it has no [[nginx]]"),
    };
    if let Some(key) = table.keys().next() {
        bail!("'{key}' is not known");
    }
    let mut all: Vec<Supported> = Vec::new();
    for row in rows {
        let Value::Table(row) = row else {
            bail!("'nginx' is no list of tables");
        };
        let one = read(&row).with_context(|| {
            format!(
                "in the [[nginx]] of the name {:?}",
                row.get("name").and_then(Value::as_str)
            )
        })?;
        ensure!(
            all.iter().all(|other| other.name != one.name),
            "two are named '{}'",
            one.name
        );
        all.push(one);
    }
    Ok(all)
}

fn read(row: &Table) -> Result<Supported> {
    if let Some(key) = row.keys().find(|key| !KEYS.contains(&key.as_str())) {
        bail!("'{key}' is not known");
    }
    let text = |key: &str| match row.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => bail!("'{key}' is no text but a {}", other.type_str()),
        None => bail!("'{key}' is missing"),
    };
    let optional = |key: &str| row.get(key).map(|_| text(key)).transpose();
    let source = match text("source")?.as_str() {
        "vendored" => Source::Vendored,
        "debian" => Source::Debian(text("release")?),
        "directory" => Source::Directory,
        other => bail!("'source' is vendored, debian or directory, not '{other}'"),
    };
    ensure!(
        row.contains_key("tarball") == row.contains_key("sha512")
            && row.contains_key("tag") == row.contains_key("commit"),
        "what is fetched is checked: a tarball needs its sha512, and a tag its commit"
    );
    let architectures = match row.get("architectures") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => bail!("'architectures' is missing"),
    };
    Ok(Supported {
        name: text("name")?,
        version: text("version")?,
        source,
        image: optional("image")?,
        users: text("users")?,
        libc: text("libc")?,
        architectures,
        until: match row.get("supported_until") {
            Some(Value::Datetime(date)) => Some(date.to_string()),
            Some(other) => bail!("'supported_until' is no date but a {}", other.type_str()),
            None => None,
        },
    })
}

/// Whether sources of nginx are those of this version, by the header that names it.
pub fn is_version_of(source: &Path, version: &str) -> Result<bool> {
    let header = source.join("src/core/nginx.h");
    let content = fs::read_to_string(&header).with_context(|| format!("no sources of nginx: {}", header.display()))?;
    let named = content
        .lines()
        .find_map(|line| line.strip_prefix("#define NGINX_VERSION"));
    Ok(named.is_some_and(|rest| rest.trim() == format!("\"{version}\"")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::env;
    use std::path::PathBuf;

    use super::*;

    const ROW: &str = "[[nginx]]\nname = 'a'\nversion = '1.2.3'\nsource = 'vendored'\nusers = 'all'\n\
        libc = 'glibc'\narchitectures = ['amd64']\n";

    fn complaint(text: &str) -> String {
        format!("{:#}", parse(text).unwrap_err())
    }

    #[test]
    fn a_key_that_is_misspelt_is_an_error() {
        assert!(parse(ROW).is_ok());
        assert!(complaint(&format!("{ROW}supported_untill = 2030-01-01\n")).contains("'supported_untill' is not known"));
    }

    #[test]
    fn a_tarball_needs_its_digest() {
        assert!(complaint(&format!("{ROW}tarball = 'https://nginx.org/a.tar.gz'\n")).contains("needs its sha512"));
        assert!(complaint(&format!("{ROW}tag = 'release'\n")).contains("a tag its commit"));
    }

    #[test]
    fn names_are_unique() {
        assert!(complaint(&format!("{ROW}{ROW}")).contains("two are named 'a'"));
    }

    #[test]
    fn a_workflow_gets_one_job_for_each_row() {
        let debian = ROW.replace("'vendored'", "'debian'\nrelease = 'b'\nimage = 'debian:1'");
        let all = parse(&format!("{ROW}{}", debian.replace("'a'", "'b'"))).unwrap();
        let jobs = matrix(&all, |one| matches!(one.source, Source::Debian(_)));
        assert_eq!(jobs, r#"[{"image":"debian:1","name":"b"}]"#);
    }

    /// Cargo.lock names the sources that nginx-sys builds as the build metadata of the crate's version.
    #[test]
    fn the_vendored_version_is_that_of_the_crate() {
        let lock: Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
        let packages = lock.get("package").and_then(Value::as_array).unwrap();
        let version = packages
            .iter()
            .find(|package| package.get("name").and_then(Value::as_str) == Some("nginx-src"))
            .and_then(|package| package.get("version")?.as_str()?.split_once('+'))
            .map(|(_, nginx)| nginx.to_owned());
        assert_eq!(version, Some(named("vendored").unwrap().version));
    }

    #[test]
    fn the_documents_have_the_table() {
        const MARKS: (&str, &str) = (
            "<!-- made by tests: UPDATE_DOCS=1 cargo test -p xtask versions -->\n",
            "<!-- end -->\n",
        );
        let path = root().join("docs/compatibility.md");
        let page = fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(MARKS.0).unwrap();
        let (written, after) = rest.split_once(MARKS.1).unwrap();
        let table = compatibility(&supported().unwrap());
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, format!("{before}{}{table}{}{after}", MARKS.0, MARKS.1)).unwrap();
        } else {
            assert_eq!(
                written,
                table,
                "{} is out of step: UPDATE_DOCS=1 writes it anew",
                path.display()
            );
        }
    }

    /// The files below a place that is one itself or a directory.
    fn files(place: &Path) -> Vec<PathBuf> {
        if place.is_file() {
            return vec![place.to_owned()];
        }
        let Ok(entries) = fs::read_dir(place) else {
            return Vec::new();
        };
        entries.flat_map(|entry| files(&entry.unwrap().path())).collect()
    }

    /// What was measured or changed with a certain version says so for ever, and a test may make one up; all else asks
    /// the table.
    #[test]
    fn no_other_file_names_a_version() {
        const PLACES: [&str; 17] = [
            ".ci",
            ".github",
            "CONTRIBUTING.md",
            "Makefile",
            "README.md",
            "SECURITY.md",
            "config",
            "config.make",
            // Not what packaging leaves beside them.
            "debian/control",
            "debian/rules",
            "debian/tests",
            "deploy",
            "docs",
            "nginx-conf",
            "packaging",
            "src",
            "tools",
        ];
        let minor = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
        let minors: BTreeSet<String> = supported().unwrap().iter().map(|one| minor(&one.version)).collect();
        let names_one = |line: &str| {
            let mut words = line.split(|c: char| !c.is_ascii_digit() && c != '.');
            words.any(|word| minors.contains(&minor(word.trim_end_matches('.'))))
        };
        let mut found = Vec::new();
        for path in PLACES.iter().flat_map(|place| files(&root().join(place))) {
            if path.ends_with("docs/compatibility.md") {
                continue;
            }
            let content = fs::read_to_string(&path).unwrap_or_default();
            let lines = content.lines().enumerate().filter(|(_, line)| names_one(line));
            found.extend(lines.map(|(number, line)| format!("{}:{}: {line}", path.display(), number + 1)));
        }
        assert!(
            found.is_empty(),
            "a version of nginx belongs in {FILE}:\n{}",
            found.join("\n")
        );
    }
}

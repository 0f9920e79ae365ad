//! The files that are named, and those of directories.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use super::node::Node;
use super::{toml, yaml};

/// The bytes of all files together, as `lint` has it for configurations of nginx.
const BYTES: u64 = 8 << 20;

/// How deep directories may lie in the one that is named.
const DEPTH: usize = 20;

/// A document with the name of its file, as messages show it.
#[derive(Debug)]
pub struct Document {
    pub file: String,
    pub root: Node,
}

/// Whether a path names something that is read here, and no configuration of nginx.
pub fn is_ours(path: &Path) -> bool {
    path.as_os_str() == "-" || path.is_dir() || has_known_ending(path)
}

fn has_known_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml" | "json" | "toml"))
}

/// Reads all documents, in the order of the paths; the files of a directory in that of their names.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    let mut left = BYTES;
    for path in paths {
        if path.as_os_str() == "-" {
            let text = read_to_end(io::stdin().lock(), &mut left).context("standard input")?;
            documents.extend(parse("-", Format::of_text(&text), &text)?);
            continue;
        }
        let mut files = Vec::new();
        match path.is_dir() {
            true => collect(path, 0, &mut files)?,
            false => files.push(path.clone()),
        }
        for file in files {
            let name = file.display().to_string();
            let opened = File::open(&file).with_context(|| name.clone())?;
            let text = read_to_end(opened, &mut left).with_context(|| name.clone())?;
            let is_toml = file.extension().is_some_and(|ending| ending == "toml");
            let format = if is_toml { Format::Toml } else { Format::Yaml };
            documents.extend(parse(&name, format, &text)?);
        }
    }
    Ok(documents)
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let name = || directory.display().to_string();
    if depth > DEPTH {
        bail!("{}: it lies more than {DEPTH} directories deep", name());
    }
    let entries = fs::read_dir(directory).with_context(name)?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.with_context(name)?;
        // The directories of links may be others that are read as well, or themselves.
        let is_directory = entry.file_type().with_context(name)?.is_dir();
        paths.push((entry.path(), is_directory));
    }
    paths.sort();
    for (path, is_directory) in paths {
        if is_directory {
            collect(&path, depth + 1, files)?;
        } else if has_known_ending(&path) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn read_to_end(source: impl Read, left: &mut u64) -> Result<String> {
    let mut bytes = Vec::new();
    source.take(*left + 1).read_to_end(&mut bytes)?;
    *left = match left.checked_sub(bytes.len() as u64) {
        Some(left) => left,
        None => bail!("the files have more than {} MiB", BYTES >> 20),
    };
    String::from_utf8(bytes).context("it is no text in UTF-8")
}

#[derive(Clone, Copy)]
enum Format {
    Yaml,
    Toml,
}

impl Format {
    /// What standard input holds: a table of TOML has its name in brackets, on a line of its own.
    fn of_text(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        let is_table = |line: &str| line.starts_with('[') && line.ends_with(']') && !line.contains(['"', ',', '{']);
        match first.is_some_and(is_table) {
            true => Self::Toml,
            false => Self::Yaml,
        }
    }
}

fn parse(name: &str, format: Format, text: &str) -> Result<Vec<Document>> {
    let roots = match format {
        Format::Yaml => yaml::documents(text),
        Format::Toml => toml::document(text).map(|root| vec![root]),
    };
    let roots = match roots {
        Ok(roots) => roots,
        Err(fault) => bail!("{name}:{}: {}", fault.line, fault.why),
    };
    let mut documents = Vec::new();
    for root in roots {
        let is_list = root.text("kind").is_some_and(|kind| kind.ends_with("List"));
        let roots = match is_list && root.get("items").is_some() {
            // What `kubectl get -o yaml` writes.
            true => root.list("items").to_vec(),
            false => vec![root],
        };
        documents.extend(roots.into_iter().map(|root| Document {
            file: name.to_owned(),
            root,
        }));
    }
    Ok(documents)
}

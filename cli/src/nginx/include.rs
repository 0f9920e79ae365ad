//! The files of a configuration, put together as `include` does.

use std::collections::HashMap;
use std::fs::{self, File as OpenFile};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{bail, Context, Result};

use super::parse::{parse, File};
use super::source::{Sources, Span};
use super::tree::{Comment, Directive};

/// What a configuration may take, so that a wrong one ends with a message.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The bytes of all its files. Reading one takes up to 140 times as much memory.
    pub bytes: u64,
    /// How often blocks may stand in each other, and files include each other.
    pub depth: usize,
    /// The directives, counted as often as their file is included.
    pub directives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 8 << 20,
            depth: 100,
            directives: 2_000_000,
        }
    }
}

/// A configuration with the files that it includes.
#[derive(Debug)]
pub struct Configuration {
    pub sources: Sources,
    pub directives: Vec<Directive>,
    pub comments: Vec<Comment>,
    pub skipped: Vec<Skipped>,
    /// The names with wildcards by which files are included.
    pub patterns: Vec<String>,
}

/// An `include` whose file could not be read.
#[derive(Debug)]
pub struct Skipped {
    /// The file as it is named.
    pub span: Span,
    pub why: String,
}

/// Reads a configuration. `prefix` is the directory to which relative names of files belong; it is that of the file unless
/// it is named.
pub fn read(path: &Path, prefix: Option<&Path>, limits: Limits) -> Result<Configuration> {
    read_with(path, prefix, limits, HashMap::new())
}

/// The same, with other texts in the place of those of some files.
pub fn read_with(
    path: &Path,
    prefix: Option<&Path>,
    limits: Limits,
    replaced: HashMap<PathBuf, String>,
) -> Result<Configuration> {
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut reader = Reader {
        prefix: prefix.map_or(directory, Path::to_owned),
        limits,
        replaced,
        bytes: 0,
        directives: 0,
        sources: Sources::default(),
        files: HashMap::new(),
        comments: Vec::new(),
        skipped: Vec::new(),
        patterns: Vec::new(),
        open: Vec::new(),
    };
    let (number, file) = reader.file(path)?;
    let directives = reader.expand(number, &file.directives)?;
    Ok(Configuration {
        sources: reader.sources,
        directives,
        comments: reader.comments,
        skipped: reader.skipped,
        patterns: reader.patterns,
    })
}

struct Reader {
    prefix: PathBuf,
    limits: Limits,
    replaced: HashMap<PathBuf, String>,
    bytes: u64,
    directives: usize,
    sources: Sources,
    /// The files that were read, by their numbers.
    files: HashMap<usize, Rc<File>>,
    comments: Vec<Comment>,
    skipped: Vec<Skipped>,
    patterns: Vec<String>,
    /// The files that include each other at this place.
    open: Vec<usize>,
}

impl Reader {
    /// Reads a file, once.
    fn file(&mut self, path: &Path) -> Result<(usize, Rc<File>)> {
        if let Some(number) = self.sources.find(path) {
            if let Some(file) = self.files.get(&number) {
                return Ok((number, file.clone()));
            }
        }
        let name = path.display().to_string();
        let left = self.limits.bytes - self.bytes;
        let text = match self.replaced.remove(path) {
            Some(replaced) => Some(replaced).filter(|text| text.len() as u64 <= left),
            None => text(path, left).with_context(|| name.clone())?,
        };
        let Some(text) = text else {
            bail!(
                "{name}: the configuration is larger than {} MiB",
                self.limits.bytes >> 20
            );
        };
        self.bytes += text.len() as u64;
        let number = self.sources.add(path, text);
        let mut file = parse(number, &name, self.sources.text(number), self.limits.depth)?;
        self.comments.append(&mut file.comments);
        let file = Rc::new(file);
        self.files.insert(number, file.clone());
        Ok((number, file))
    }

    /// The directives of a file, with those that it includes in the place of each `include`.
    fn expand(&mut self, file: usize, directives: &[Directive]) -> Result<Vec<Directive>> {
        if self.open.contains(&file) {
            bail!("{} includes itself", self.sources.name(file));
        }
        if self.open.len() >= self.limits.depth {
            bail!(
                "{}: files include each other more than {} times",
                self.sources.name(file),
                self.limits.depth
            );
        }
        self.open.push(file);
        let expanded = self.expand_block(directives);
        self.open.pop();
        expanded
    }

    fn expand_block(&mut self, directives: &[Directive]) -> Result<Vec<Directive>> {
        let mut expanded = Vec::with_capacity(directives.len());
        for directive in directives {
            self.directives += 1;
            if self.directives > self.limits.directives {
                bail!("the configuration has more than {} directives", self.limits.directives);
            }
            let included = directive
                .arguments
                .first()
                .filter(|_| directive.is("include") && directive.block.is_none());
            if let Some(word) = included {
                expanded.extend(self.include(&word.value, word.span)?);
                continue;
            }
            let block = match &directive.block {
                Some(inner) => Some(self.expand_block(inner)?),
                None => None,
            };
            expanded.push(Directive {
                block,
                name: directive.name.clone(),
                arguments: directive.arguments.clone(),
                span: directive.span,
            });
        }
        Ok(expanded)
    }

    fn include(&mut self, named: &str, span: Span) -> Result<Vec<Directive>> {
        let path = self.prefix.join(named);
        let mut expanded = Vec::new();
        for path in self.named(&path)? {
            let read = match path.exists() {
                true => self.file(&path),
                false => Err(io::Error::from(io::ErrorKind::NotFound).into()),
            };
            let (number, file) = match read {
                Ok(read) => read,
                // What is not there at all is told, and the rest looked at: configurations are also checked elsewhere
                // than where they serve. What is there and is wrong ends it.
                Err(error) if is_not_there(&error) => {
                    self.skipped.push(Skipped {
                        span,
                        why: format!("{error:#}"),
                    });
                    continue;
                }
                Err(error) => return Err(error),
            };
            let directives = self.expand(number, &file.directives);
            let at = || {
                format!(
                    "included at {}:{}",
                    self.sources.name(span.file),
                    self.sources.line(span.file, span.start)
                )
            };
            expanded.extend(directives.with_context(at)?);
        }
        Ok(expanded)
    }

    /// The files that a name stands for: nginx has glob(3) look for it if it holds one of these characters.
    fn named(&mut self, path: &Path) -> Result<Vec<PathBuf>> {
        let text = path.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            return Ok(vec![path.to_owned()]);
        }
        if !self.patterns.iter().any(|known| *known == text) {
            self.patterns.push(text.clone().into_owned());
        }
        let found = glob::glob_with(&text, AS_GLOB_3).with_context(|| format!("include {text}"))?;
        // nginx reads them in the order of their names, as they come.
        Ok(found.filter_map(Result::ok).collect())
    }
}

/// The rules by which glob(3) finds files.
const AS_GLOB_3: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl Configuration {
    /// Whether an `include` would take in a file of this name.
    pub fn would_include(&self, path: &Path) -> bool {
        let mut patterns = self.patterns.iter().filter_map(|text| glob::Pattern::new(text).ok());
        patterns.any(|pattern| pattern.matches_path_with(path, AS_GLOB_3))
    }
}

fn is_not_there(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied))
}

/// The text of a file; none if it has more than `most` bytes. A byte that is no UTF-8 becomes a question mark, so that all
/// others stay in their places.
fn text(path: &Path, most: u64) -> Result<Option<String>> {
    if fs::metadata(path)?.is_dir() {
        bail!("it is a directory");
    }
    let mut bytes = Vec::new();
    OpenFile::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Ok(None);
    }
    if bytes.contains(&0) {
        bail!("it is no text: it holds zero bytes");
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    // Carriage returns are spaces for nginx.
    Ok(Some(text.replace('\r', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these files, of which `nginx.conf` is read.
    fn read_files(files: &[(&str, &str)], limits: Limits) -> Result<Configuration> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        read(&directory.path().join("nginx.conf"), None, limits)
    }

    fn names(directives: &[Directive]) -> Vec<&str> {
        directives.iter().map(|directive| &*directive.name.value).collect()
    }

    fn error(files: &[(&str, &str)], limits: Limits) -> String {
        format!("{:#}", read_files(files, limits).unwrap_err())
    }

    #[test]
    fn files_stand_in_the_place_of_their_include_in_the_order_of_their_names() {
        let files = [
            ("nginx.conf", "a; http { include conf.d/*.conf; z; }"),
            ("conf.d/2.conf", "c;"),
            ("conf.d/1.conf", "b;"),
            ("conf.d/.hidden.conf", "hidden;"),
            ("conf.d/sub/3.conf", "deeper;"),
        ];
        let configuration = read_files(&files, Limits::default()).unwrap();
        assert_eq!(names(&configuration.directives), ["a", "http"]);
        assert_eq!(names(configuration.directives[1].inner()), ["b", "c", "z"]);
    }

    #[test]
    fn names_belong_to_the_directory_of_the_main_file() {
        let files = [
            ("nginx.conf", "include sites/a.conf;"),
            ("sites/a.conf", "include snippets/b.conf;"),
            ("snippets/b.conf", "found;"),
        ];
        assert_eq!(
            names(&read_files(&files, Limits::default()).unwrap().directives),
            ["found"]
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_told_and_the_rest_is_read() {
        let files = [("nginx.conf", "include mime.types; include no/*.conf; a;")];
        let configuration = read_files(&files, Limits::default()).unwrap();
        assert_eq!(names(&configuration.directives), ["a"]);
        assert_eq!(configuration.skipped.len(), 1);
    }

    #[test]
    fn a_circle_of_files_ends_with_a_message() {
        let files = [("nginx.conf", "include a.conf;"), ("a.conf", "\ninclude nginx.conf;")];
        let error = error(&files, Limits::default());
        assert!(error.contains("nginx.conf includes itself"), "{error}");
        assert!(error.contains("a.conf:2"), "{error}");
    }

    #[test]
    fn files_that_multiply_end_with_a_message() {
        let names: Vec<_> = (0..30).map(|n| format!("{n}.conf")).collect();
        let texts: Vec<_> = (1..=30)
            .map(|n| format!("include {n}.conf; include {n}.conf;"))
            .collect();
        let mut files = vec![("nginx.conf", "include 0.conf;"), ("30.conf", "a;")];
        files.extend(names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)));
        let limits = Limits {
            directives: 10_000,
            ..Limits::default()
        };
        assert!(error(&files, limits).contains("more than 10000 directives"));
    }

    #[test]
    fn what_is_too_large_ends_with_a_message() {
        let large = "a b;\n".repeat(1 << 19);
        let limits = Limits {
            bytes: 1 << 20,
            ..Limits::default()
        };
        let error = error(&[("nginx.conf", &large)], limits);
        assert!(error.ends_with("larger than 1 MiB"), "{error}");
    }

    #[test]
    fn what_is_no_text_ends_with_a_message() {
        assert!(error(&[("nginx.conf", "\u{7f}ELF\0\0")], Limits::default()).contains("it is no text"));
    }

    #[test]
    fn bytes_of_another_encoding_move_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nginx.conf");
        fs::write(&path, b"# caf\xe9\r\na;").unwrap();
        let configuration = read(&path, None, Limits::default()).unwrap();
        assert_eq!(configuration.directives[0].span.start, 8);
    }
}

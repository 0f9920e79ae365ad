//! Pages of the documentation, and the configurations in them.

use std::fs;

use crate::binaries::workspace_root;

/// A page in Markdown.
pub struct Page(String);

/// A cause of what a browser says: the configuration that has it, and the one that does not.
pub struct Cause {
    /// Its heading.
    pub title: String,
    /// What Chromium says; `...` stands for what differs.
    pub chromium: String,
    /// What Firefox may say.
    pub firefox: Vec<String>,
    /// What Safari may say.
    pub safari: Vec<String>,
    /// The configuration with the lines to remove.
    pub broken: String,
    /// The configuration with the lines to write.
    pub mended: String,
}

impl Page {
    /// Reads a page by its path in the workspace.
    pub fn read(path: &str) -> Self {
        let file = workspace_root().join(path);
        Self(fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    }

    /// All code blocks of a language.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        blocks(&self.0, language)
    }

    /// The only code block of a language under a heading.
    #[track_caller]
    pub fn block(&self, heading: &str, language: &str) -> String {
        match <[String; 1]>::try_from(self.blocks_under(heading, language)) {
            Ok([block]) => block,
            Err(blocks) => panic!("{heading}: {} blocks", blocks.len()),
        }
    }

    /// The code blocks of a language under a heading.
    #[track_caller]
    pub fn blocks_under(&self, heading: &str, language: &str) -> Vec<String> {
        let (_, rest) = self
            .0
            .split_once(&format!("\n{heading}\n"))
            .unwrap_or_else(|| panic!("no heading {heading:?}"));
        blocks(rest.split("\n#").next().unwrap_or_default(), language)
    }

    /// What the page has under `## <words of the console>` and `### <cause>`, where that shows a difference.
    pub fn causes(&self) -> Vec<Cause> {
        let sections = self.0.split("\n## ").skip(1);
        sections.flat_map(causes_of).collect()
    }
}

fn causes_of(section: &str) -> Vec<Cause> {
    let words_of = |browser: &str| -> Vec<String> {
        let line = section
            .lines()
            .find_map(|line| line.strip_prefix(&format!("- {browser}: ")));
        let quoted = line.into_iter().flat_map(|line| line.split('`').skip(1).step_by(2));
        quoted.map(str::to_owned).collect()
    };
    let cause = |part: &str| {
        let diff = blocks(part, "diff").pop()?;
        let side = |other: char| -> String {
            let lines = diff.lines().filter(|line| !line.starts_with(other));
            lines
                .map(|line| line.get(1..).unwrap_or_default().to_owned() + "\n")
                .collect()
        };
        Some(Cause {
            title: part.lines().next()?.to_owned(),
            chromium: section.lines().next()?.to_owned(),
            firefox: words_of("Firefox"),
            safari: words_of("Safari"),
            broken: side('+'),
            mended: side('-'),
        })
    };
    section.split("\n### ").skip(1).filter_map(cause).collect()
}

fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let blocks = text.split(&opening).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

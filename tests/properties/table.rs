//! A table of what became of the configurations.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by row and column. Rows and columns are shown in the order of their first mention.
#[derive(Default)]
pub struct Table {
    rows: Vec<String>,
    columns: Vec<String>,
    counts: BTreeMap<(usize, usize), usize>,
}

impl Table {
    pub fn count(&mut self, row: &str, column: &str) {
        let row = place(&mut self.rows, row);
        let column = place(&mut self.columns, column);
        *self.counts.entry((row, column)).or_default() += 1;
    }

    /// How often this was counted, over all rows.
    pub fn total(&self, column: &str) -> usize {
        let counts = self.counts.iter();
        let counts = counts.filter(|((_, number), _)| self.columns[*number] == column);
        counts.map(|(_, count)| count).sum()
    }
}

fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|row| row.chars().count())
            .max()
            .unwrap_or_default();
        let header = format!("| {:width$} |", "");
        writeln!(
            f,
            "{}",
            self.columns
                .iter()
                .fold(header, |line, column| line + &format!(" {column} |"))
        )?;
        let rule = format!("|{}|", "-".repeat(width + 2));
        let rule = self.columns.iter().fold(rule, |line, column| {
            line + &"-".repeat(column.chars().count() + 1) + ":|"
        });
        writeln!(f, "{rule}")?;
        for (row, name) in self.rows.iter().enumerate() {
            write!(f, "| {name:width$} |")?;
            for (column, name) in self.columns.iter().enumerate() {
                let width = name.chars().count();
                match self.counts.get(&(row, column)) {
                    Some(count) => write!(f, " {count:width$} |")?,
                    None => write!(f, " {:width$} |", "")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

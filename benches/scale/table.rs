//! Medians of all rounds, row by row, and what they say of each other.

use std::fmt;

use crate::support::process::Measured;

/// What was measured on one kind of data.
pub struct Table {
    name: String,
    /// What stands above the last column.
    compared: &'static str,
    /// The number in the last column, from the medians of a row by their columns.
    compare: fn(&[(&str, f64)]) -> Option<f64>,
    columns: Vec<String>,
    /// By row, in the order they came; in each the values of one column after the other.
    rows: Vec<(String, Vec<Vec<f64>>)>,
}

impl Table {
    pub fn new(
        name: &str,
        columns: Vec<String>,
        compared: &'static str,
        compare: fn(&[(&str, f64)]) -> Option<f64>,
    ) -> Self {
        Self { name: name.to_owned(), compared, compare, columns, rows: Vec::new() }
    }

    pub fn add(&mut self, column: &str, row: &str, measured: Measured) {
        self.put(column, &format!("{row}, s"), measured.seconds);
        self.put(column, &format!("{row}, peak MB"), measured.peak_bytes as f64 / 1e6);
    }

    pub fn add_bytes(&mut self, column: &str, row: &str, bytes: u64) {
        self.put(column, &format!("{row}, MB"), bytes as f64 / 1e6);
    }

    pub fn put(&mut self, column: &str, row: &str, value: f64) {
        let number = self.columns.iter().position(|name| name == column).expect("a column of the table");
        let at = self.rows.iter().position(|(name, _)| name == row).unwrap_or_else(|| {
            self.rows.push((row.to_owned(), vec![Vec::new(); self.columns.len()]));
            self.rows.len() - 1
        });
        self.rows[at].1[number].push(value);
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## {}\n", self.name)?;
        writeln!(f, "| | {} | {} |", self.columns.join(" | "), self.compared)?;
        writeln!(f, "|---|{}---|", "---|".repeat(self.columns.len()))?;
        for (row, by_column) in &self.rows {
            write!(f, "| {row} |")?;
            let mut medians = Vec::new();
            for (name, values) in self.columns.iter().zip(by_column) {
                match median(values) {
                    Some(value) => {
                        medians.push((name.as_str(), value));
                        write!(f, " {value:.2} |")?;
                    }
                    None => write!(f, " |")?,
                }
            }
            match (self.compare)(&medians) {
                Some(ratio) => writeln!(f, " {ratio:.2} |")?,
                None => writeln!(f, " |")?,
            }
        }
        Ok(())
    }
}

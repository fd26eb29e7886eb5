//! Medians of all rounds, and how this program compares with the fastest and the smallest of the others.

use std::collections::BTreeMap;
use std::fmt;

use crate::measure::Measured;
use crate::tools::Tool;

/// What was measured on one kind of data.
pub struct Table {
    name: String,
    /// By row, in the order they came, and by tool.
    rows: Vec<(String, BTreeMap<String, Vec<f64>>)>,
    own: Option<String>,
}

impl Table {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: Vec::new(), own: None }
    }

    pub fn add(&mut self, tool: &Tool, row: &str, measured: Measured) {
        self.put(tool, &format!("{row}, s"), measured.seconds);
        self.put(tool, &format!("{row}, peak MB"), measured.peak_bytes as f64 / 1e6);
    }

    pub fn add_bytes(&mut self, tool: &Tool, row: &str, bytes: u64) {
        self.put(tool, &format!("{row}, MB"), bytes as f64 / 1e6);
    }

    fn put(&mut self, tool: &Tool, row: &str, value: f64) {
        if tool.is_own() {
            self.own = Some(tool.name.clone());
        }
        let at = self.rows.iter().position(|(name, _)| name == row).unwrap_or_else(|| {
            self.rows.push((row.to_owned(), BTreeMap::new()));
            self.rows.len() - 1
        });
        self.rows[at].1.entry(tool.name.clone()).or_default().push(value);
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tools: Vec<&String> = self.rows.iter().flat_map(|(_, by_tool)| by_tool.keys()).collect();
        tools.sort_unstable();
        tools.dedup();
        writeln!(f, "\n## {}\n", self.name)?;
        writeln!(
            f,
            "| | {} | ratio to the best of the others |",
            tools.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" | ")
        )?;
        writeln!(f, "|---|{}---|", "---|".repeat(tools.len()))?;
        for (row, by_tool) in &self.rows {
            write!(f, "| {row} |")?;
            for tool in &tools {
                match by_tool.get(*tool) {
                    Some(values) => write!(f, " {:.2} |", median(values))?,
                    None => write!(f, " |")?,
                }
            }
            let own = self.own.as_ref().and_then(|own| by_tool.get(own)).map(|values| median(values));
            let others = by_tool.iter().filter(|(name, _)| Some(*name) != self.own.as_ref());
            let best = others.map(|(_, values)| median(values)).min_by(f64::total_cmp);
            match (own, best) {
                (Some(own), Some(best)) => writeln!(f, " {:.2} |", own / best)?,
                _ => writeln!(f, " |")?,
            }
        }
        Ok(())
    }
}

//! Medians of all rounds, and how this program compares with the fastest and the smallest of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::measure::Measured;
use crate::tools::Tool;

/// What was measured on one kind of data.
pub struct Table {
    name: String,
    /// By row, in the order they came, and by tool.
    rows: Vec<(String, BTreeMap<String, Vec<f64>>)>,
    own: Option<String>,
    /// Tools that only make an archive: a floor, and no rival.
    archivers: BTreeSet<String>,
}

impl Table {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: Vec::new(), own: None, archivers: BTreeSet::new() }
    }

    pub fn add(&mut self, tool: &Tool, row: &str, measured: Measured) {
        self.put(tool, &format!("{row}, s"), measured.seconds);
        self.put(tool, &format!("{row}: peak, MB"), measured.peak_bytes as f64 / 1e6);
    }

    pub fn add_bytes(&mut self, tool: &Tool, row: &str, bytes: u64) {
        self.put(tool, &format!("{row}, MB"), bytes as f64 / 1e6);
    }

    fn put(&mut self, tool: &Tool, row: &str, value: f64) {
        if tool.is_own() {
            self.own = Some(tool.name.clone());
        }
        if tool.again.is_none() {
            self.archivers.insert(tool.name.clone());
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

/// A row, and how this program compares in it.
pub struct Ratio {
    pub row: String,
    /// To the best of the others.
    pub to_best: f64,
    /// To the best of those that store no more than a tenth more, where that is another one.
    pub to_best_as_small: Option<f64>,
}

impl Table {
    /// What the data are.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How this program compares with the others, row by row.
    pub fn ratios(&self) -> Vec<Ratio> {
        self.rows.iter().filter_map(|(row, _)| self.ratio(row)).collect()
    }

    fn ratio(&self, row: &str) -> Option<Ratio> {
        let own = self.of(row, self.own.as_ref()?)?;
        let best = |as_small: bool| {
            let (_, by_tool) = self.rows.iter().find(|(name, _)| name == row)?;
            let is_rival = |name: &String| Some(name) != self.own.as_ref() && !self.archivers.contains(name);
            let others = by_tool.iter().filter(|(name, _)| is_rival(name) && (!as_small || self.is_as_small(name)));
            others.map(|(_, values)| median(values)).min_by(f64::total_cmp)
        };
        let (all, as_small) = (best(false)?, best(true));
        let to_best_as_small = as_small.filter(|value| *value > all).map(|value| own / value);
        Some(Ratio { row: row.to_owned(), to_best: own / all, to_best_as_small })
    }

    fn is_as_small(&self, tool: &str) -> bool {
        let own = self.own.as_ref().and_then(|own| self.of("stored, MB", own));
        match (self.of("stored, MB", tool), own) {
            (Some(theirs), Some(own)) => theirs <= own * 1.1,
            _ => false,
        }
    }

    fn of(&self, row: &str, tool: &str) -> Option<f64> {
        let (_, by_tool) = self.rows.iter().find(|(name, _)| name == row)?;
        by_tool.get(tool).map(|values| median(values))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tools: Vec<&String> = self.rows.iter().flat_map(|(_, by_tool)| by_tool.keys()).collect();
        tools.sort_unstable_by_key(|name| (Some(*name) != self.own.as_ref(), *name));
        tools.dedup();
        let names = tools.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" | ");
        writeln!(f, "\n## {}\n\n| | {names} | ratio to the best | to the best as small |", self.name)?;
        writeln!(f, "|---|{}---|---|", "---|".repeat(tools.len()))?;
        for (row, _) in &self.rows {
            write!(f, "| {row} |")?;
            for tool in &tools {
                match self.of(row, tool) {
                    Some(value) => write!(f, " {value:.2} |")?,
                    None => write!(f, " |")?,
                }
            }
            match self.ratio(row) {
                Some(Ratio { to_best, to_best_as_small: Some(small), .. }) => {
                    writeln!(f, " {to_best:.2} | {small:.2} |")?
                }
                Some(Ratio { to_best, .. }) => writeln!(f, " {to_best:.2} | |")?,
                None => writeln!(f, " | |")?,
            }
        }
        Ok(())
    }
}

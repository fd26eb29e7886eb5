//! Tables: a heading, columns two blanks apart, no lines to draw.

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};

use super::output::{Output, Style};

/// A table in the making. Its cells must be safe to show.
pub struct Table {
    grid: Grid,
    heading: Vec<String>,
}

impl Table {
    /// A table with these headings; those that begin with `>` head a column of numbers.
    pub fn new(headings: &[&str]) -> Self {
        let heading: Vec<String> = headings.iter().map(|text| text.trim_start_matches('>').to_owned()).collect();
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        grid.set_content_arrangement(ContentArrangement::Disabled);
        // Two rows make every column known to the grid before the first real one.
        grid.set_header(heading.clone());
        for (column, text) in headings.iter().enumerate() {
            if let Some(column) = grid.column_mut(column) {
                column.set_padding((0, 2));
                column.set_cell_alignment(if text.starts_with('>') {
                    CellAlignment::Right
                } else {
                    CellAlignment::Left
                });
            }
        }
        Self { grid, heading }
    }

    /// Columns without headings, each line indented by one blank.
    pub fn bare(columns: usize) -> Self {
        let mut table = Self::new(&vec![""; columns]);
        table.heading.clear();
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.grid.add_row(cells);
    }

    /// The lines, without blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.grid.lines().map(|line| line.trim_end().to_owned());
        lines.skip(usize::from(self.heading.is_empty())).collect()
    }

    /// Writes it as a result.
    pub fn print(&self, out: &Output) {
        for (number, line) in self.lines().iter().enumerate() {
            let is_heading = number == 0 && !self.heading.is_empty();
            out.data(&if is_heading { out.paint(Style::Strong, line) } else { line.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let mut table = Table::new(&["Name", ">Size", "What"]);
        table.row(vec!["a".into(), "5".into(), "x".into()]);
        table.row(vec!["longer".into(), "1,234".into(), "y".into()]);
        assert_eq!(table.lines(), ["Name     Size  What", "a           5  x", "longer  1,234  y"]);
    }

    #[test]
    fn bare_tables_have_no_heading() {
        let mut table = Table::bare(2);
        table.row(vec!["🔌".into(), "usb".into()]);
        table.row(vec!["🖥️".into(), "here".into()]);
        assert_eq!(table.lines(), ["🔌  usb", "🖥️  here"]);
    }
}

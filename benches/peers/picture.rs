//! The ratios as bars in an SVG: what is left of the line is faster, or smaller, than the best of the others.

use std::fmt::Write;

use crate::table::Table;

const LABEL_WIDTH: f64 = 300.0;
/// Width of a ratio of one.
const UNIT: f64 = 300.0;
const LINE: f64 = 22.0;
/// A bar ends here, however long it would be.
const RATIO_MAX: f64 = 1.6;

/// One bar for every time and size of every table.
pub fn draw(tables: &[Table]) -> String {
    let mut body = String::new();
    let mut y = 30.0;
    for table in tables {
        let _ = writeln!(body, "<text x=\"10\" y=\"{y}\" font-weight=\"bold\">{}</text>", table.name());
        y += LINE;
        for ratio in table.ratios() {
            let width = ratio.to_best.min(RATIO_MAX) * UNIT;
            let colour = if ratio.to_best <= 1.0 { "#2e7d32" } else { "#c62828" };
            let (text, end) = (y + 12.0, LABEL_WIDTH + width + 6.0);
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>\n\
                 <rect x=\"{LABEL_WIDTH}\" y=\"{y}\" width=\"{width:.0}\" height=\"15\" fill=\"{colour}\"/>\n\
                 <text x=\"{end:.0}\" y=\"{text}\">{:.2}</text>",
                LABEL_WIDTH - 8.0,
                ratio.row,
                ratio.to_best
            );
            y += LINE;
        }
        y += LINE;
    }
    let line = LABEL_WIDTH + UNIT;
    let width = LABEL_WIDTH + UNIT * RATIO_MAX + 60.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{y}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}\
         <line x1=\"{line}\" y1=\"15\" x2=\"{line}\" y2=\"{}\" stroke=\"black\" stroke-dasharray=\"4 3\"/>\n\
         <text x=\"{line}\" y=\"12\" text-anchor=\"middle\">the best of the others</text>\n</svg>\n",
        y - LINE
    )
}

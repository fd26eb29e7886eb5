//! One command of one tool, measured.

pub use crate::support::process::Measured;

use crate::support::process;
use crate::tools::{Place, Tool};

/// Runs a command to its end.
pub fn measure(tool: &Tool, place: &Place, words: &[String]) -> Measured {
    let (measured, said) = process::measure(&mut place.command(tool, words));
    assert_eq!(measured.code, Some(0), "{words:?}: {said}");
    measured
}

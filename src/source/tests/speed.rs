//! How long a walk takes. Not a test to pass or fail: `cargo test --release --lib -- --ignored --nocapture speed`.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use super::{folder, options, walk};
use crate::source::{Event, WalkOptions, split_list};

/// A tree of the shape of a kernel's: 80,000 files in 5,200 folders, or what `CRYPTBACKUP_WALK` names.
#[test]
#[ignore = "measures, and makes 80,000 files"]
#[expect(clippy::print_stderr, reason = "it measures")]
fn a_walk_over_eighty_thousand_files() {
    let made = folder();
    let root = std::env::var_os("CRYPTBACKUP_WALK").map(PathBuf::from).unwrap_or_else(|| {
        for n in 0..80_000_u32 {
            let at = made.path().join(format!("part-{:02}/sub-{:03}", n % 40, n / 40 % 130));
            fs::create_dir_all(&at).expect("folders");
            fs::write(at.join(format!("a-source-file-{n}.c")), []).expect("a file");
        }
        made.path().to_path_buf()
    });
    let excludes = split_list("*.tmp,~*,desktop.ini,/build,*.{jpg,png}");
    for excludes in [Vec::new(), excludes] {
        for _ in 0..5 {
            let patterns = excludes.len();
            let start = Instant::now();
            let walk = walk(WalkOptions { excludes: excludes.clone(), ..options(&root) });
            let leaves = walk.filter(|event| matches!(event, Event::Leaf(_))).count();
            eprintln!("{leaves} leaves, {patterns} patterns: {:?}", start.elapsed());
        }
    }
}

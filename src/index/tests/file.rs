//! Numbers of pages that say another size than a page has.

use super::*;
use crate::format::RECORD_LEN_MAX;

const PAGE: usize = 4096;

/// Where in the file a number says how large a page is: in a branch for each child, in the definition of a table for its
/// root.
fn sizes(file: &[u8]) -> [Vec<usize>; 2] {
    let (mut children, mut roots) = (Vec::new(), Vec::new());
    for (start, page) in (0..).step_by(PAGE).zip(file.chunks(PAGE)).skip(1) {
        if page[0] == 2 {
            let count = usize::from(page[2]) + 1;
            children.extend((0..count).map(|child| start + 8 + 16 * count + 8 * child + 7));
        }
        let alignments = (52..PAGE - 8).filter(|&at| page[at..at + 8] == [1, 0, 0, 0, 1, 0, 0, 0]);
        roots.extend(alignments.filter(|at| page[at - 52] == 3 && page[at - 43] == 1).map(|at| start + at - 52 + 17));
    }
    [children, roots]
}

/// The most memory this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

/// What redb takes for a page it takes before it looks whether the file has it.
#[test]
fn a_page_of_a_size_that_none_has_is_an_error_and_takes_no_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    {
        let index = Index::open(&path, REPO, MEMORY).expect("a new index");
        let mut writer = index.writer().expect("a writer");
        let all: Vec<u8> = (0..=255).collect();
        let directory = directory(&all);
        writer.add_packs((1..4).map(|number| (number, info(number as u8), 500, &directory))).expect("added");
        writer.commit().expect("committed");
    }
    let whole = std::fs::read(&path).expect("readable");
    for places in sizes(&whole) {
        let mut refused = 0;
        for at in places {
            // The second is what one changed bit makes of a usual page.
            for order in [20, 16] {
                let mut bytes = whole.clone();
                bytes[at] = order << 3 | bytes[at] & 7;
                std::fs::write(&path, &bytes).expect("written");
                let written = Index::open(&path, REPO, MEMORY).and_then(|index| read_all(&index.reader()?));
                let read = Index::open_read_only(&path, REPO, MEMORY).and_then(|index| read_all(&index.reader()?));
                // Not every page is asked for: some are not in use any more, and some are for who writes.
                for error in [written, read].into_iter().filter_map(Result::err) {
                    assert_eq!(error.to_string(), "the index cannot be used: it is damaged", "{at} {order}");
                    refused += 1;
                }
            }
        }
        assert!(refused >= 20, "{refused}");
    }
    assert!(peak() < 2 << 30, "{} MiB", peak() >> 20);
}

/// The largest rows there can be are in pages that are larger than they are, and other rows may be there too.
#[test]
fn the_largest_rows_are_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    let row = |byte| {
        let (record, stored) = (vec![byte; RECORD_LEN_MAX], vec![byte; RECORD_LEN_MAX + 1000]);
        SnapshotRow { committed: 1, whole: 0, seen: 1, is_counted: false, record, stored }
    };
    let ids = [b"a", b"b", b"c"].map(|name| SnapshotId::of(name));
    {
        let index = Index::open(&path, REPO, MEMORY).expect("a new index");
        for (byte, id) in (1..).zip(&ids) {
            let mut writer = index.writer().expect("a writer");
            writer.put_snapshot(id, &row(byte)).expect("kept");
            writer.commit().expect("committed");
        }
    }
    let index = Index::open(&path, REPO, MEMORY).expect("the same index");
    let view = index.reader().expect("a view");
    for (byte, id) in (1..).zip(&ids) {
        assert!(view.snapshot(id).expect("readable") == Some(row(byte)));
    }
}

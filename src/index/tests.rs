//! The index against plain maps, and against damage of its own file.

mod file;
mod many;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::format::id::{ChunkId, SnapshotId};
use crate::format::pack::{BlockEntry, ChunkEntry, Compression, Directory};
use crate::format::record::Extra;

const MEMORY: u64 = 96 << 20;
const REPO: RepoId = RepoId::from_bytes([1; 16]);

fn info(seed: u8) -> PackInfo {
    PackInfo { id: PackId::of(&[seed]), len: 65536, kind: ChunkKind::Data, epoch: 1, salt: [seed; 32] }
}

fn directory(chunks: &[u8]) -> Directory {
    let entry = |id: &u8| ChunkEntry { id: ChunkId::from_bytes([*id; 32]), len: 10 };
    let blocks = chunks
        .chunks(3)
        .map(|ids| BlockEntry {
            sealed_len: 100,
            raw_len: 10 * ids.len() as u32,
            compression: Compression::Zstd,
            chunks: ids.iter().map(entry).collect(),
        })
        .collect();
    Directory { kind: ChunkKind::Data, blocks, extra: Extra::new() }
}

#[test]
fn another_process_reads_while_one_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    assert!(matches!(Index::open_read_only(&path, REPO, MEMORY), Err(IndexError::Missing)));
    let index = Index::open(&path, REPO, MEMORY).expect("a new index");
    let mut writer = index.writer().expect("a writer");
    writer.put_trees([(&ChunkId::from_bytes([1; 32]), &b"tree"[..])]).expect("kept");
    writer.commit().expect("committed");
    let reader = Index::open_read_only(&path, REPO, MEMORY).expect("readable meanwhile");
    let view = reader.reader().expect("a view");
    assert_eq!(view.tree(&ChunkId::from_bytes([1; 32])).expect("readable"), Some(b"tree".to_vec()));
    assert!(matches!(reader.writer(), Err(IndexError::Busy)));
    assert!(matches!(Index::open(&path, REPO, MEMORY), Err(IndexError::Busy)));
    drop((index, reader, view));
    let other = RepoId::from_bytes([2; 16]);
    assert!(matches!(Index::open(&path, other, MEMORY), Err(IndexError::Broken(_))));
    assert!(matches!(Index::open_read_only(&path, other, MEMORY), Err(IndexError::Broken(_))));
}

#[test]
fn a_damaged_file_is_an_error_and_nothing_worse() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    {
        let index = Index::open(&path, REPO, MEMORY).expect("a new index");
        let mut writer = index.writer().expect("a writer");
        let all: Vec<u8> = (0..=255).collect();
        writer.add_packs([(1, info(1), 500, &directory(&all))]).expect("added");
        writer.commit().expect("committed");
    }
    let whole = std::fs::read(&path).expect("readable");
    for damage in 0..200 {
        let mut bytes = whole.clone();
        match damage % 4 {
            0 => bytes.truncate(damage * bytes.len() / 200),
            1 => bytes[..64].fill(damage as u8),
            2 => bytes.fill(0xA5),
            _ => {
                let at = damage * bytes.len() / 200;
                let end = (at + 4096).min(bytes.len());
                bytes[at..end].fill(0xFF);
            }
        }
        std::fs::write(&path, &bytes).expect("written");
        // Whatever it answers, it answers.
        if let Ok(index) = Index::open(&path, REPO, MEMORY) {
            let Ok(view) = index.reader() else { continue };
            for id in 0..=255 {
                let _ = view.chunk_presence(&ChunkId::from_bytes([id; 32]));
            }
        }
    }
}

/// One byte after the other, where something is: pages are checked only when the database repairs itself, so most of these
/// are read as they are.
#[test]
fn a_changed_byte_is_an_error_or_another_answer_and_never_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    {
        let index = Index::open(&path, REPO, MEMORY).expect("a new index");
        let mut writer = index.writer().expect("a writer");
        let all: Vec<u8> = (0..=255).collect();
        writer.add_packs([(1, info(1), 500, &directory(&all))]).expect("added");
        let bit = writer.destination_bit(&DestinationId::from_bytes([1; 16])).expect("a bit");
        writer.set_present([1], bit, true).expect("present");
        let row = SnapshotRow { committed: 1, whole: 0, seen: 1, is_counted: false, record: vec![1], stored: vec![2] };
        writer.put_snapshot(&SnapshotId::of(b"s"), &row).expect("kept");
        writer.put_trees([(&ChunkId::from_bytes([1; 32]), &[9; 3000][..])]).expect("kept");
        writer.commit().expect("committed");
    }
    let whole = std::fs::read(&path).expect("readable");
    let used: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] != 0).collect();
    let mut answers = 0;
    for number in 0..200usize {
        let at = used[number * used.len() / 200] - number % 2;
        let mut bytes = whole.clone();
        bytes[at] ^= [1, 0x80, 0xFF, 0x10][number % 4];
        std::fs::write(&path, &bytes).expect("written");
        let Ok(index) = Index::open(&path, REPO, MEMORY) else { continue };
        if let Ok(view) = index.reader() {
            answers += usize::from(read_all(&view).is_ok());
        }
        let _ = index.writer().and_then(|mut writer| {
            writer.add_packs([(2, info(2), 500, &directory(&[1, 2, 3]))])?;
            writer.remove_packs(&BTreeMap::from([(1, info(1).id)]))?;
            writer.commit()
        });
    }
    assert!(answers > 20, "{answers}");
}

/// Everything a view can be asked.
fn read_all(view: &IndexReader) -> Result<(), IndexError> {
    for id in 0..=255 {
        view.chunk_presence(&ChunkId::from_bytes([id; 32]))?;
        view.tree(&ChunkId::from_bytes([id; 32]))?;
    }
    view.each_place(|_, _| Ok::<(), IndexError>(()))?;
    view.each_pack(|number, _, _| view.blocks_len(number).map(drop))?;
    view.each_snapshot(|_, _| Ok::<(), IndexError>(()))?;
    view.each_mark(|_, _| Ok::<(), IndexError>(()))?;
    view.destinations()?;
    view.next_pack_number()?;
    view.has_unsettled(1)?;
    view.damaged_on(1)?;
    view.retired(&[7; 32]).map(drop)
}

#[test]
fn bits_are_given_once_and_run_out_politely() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
    let mut writer = index.writer().expect("a writer");
    let mut seen = BTreeSet::new();
    for number in 0..64u8 {
        let id = DestinationId::from_bytes([number; 16]);
        let bit = writer.destination_bit(&id).expect("a bit");
        assert_eq!(writer.destination_bit(&id).expect("the same"), bit);
        assert!(seen.insert(bit) && bit.count_ones() == 1);
    }
    let one_more = writer.destination_bit(&DestinationId::from_bytes([99; 16]));
    assert!(matches!(one_more, Err(IndexError::TooManyDestinations)));
}

/// Whoever looked a number up in an older view may say something of a pack that was taken out since.
#[test]
fn what_is_said_of_a_pack_that_is_gone_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
    let mut writer = index.writer().expect("a writer");
    writer.add_packs([(1, info(1), 500, &directory(&[1]))]).expect("added");
    writer.set_damaged([1, 99], 1).expect("changed");
    writer.set_absent([98], 1).expect("changed");
    writer.commit().expect("committed");
    let view = index.reader().expect("a view");
    read_all(&view).expect("every row is of a pack");
    assert_eq!(view.damaged_on(1).expect("readable"), [1]);
}

#[test]
fn snapshots_and_retired_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
    let id = SnapshotId::of(b"s");
    let mut writer = index.writer().expect("a writer");
    let row = SnapshotRow { committed: 1, whole: 0, seen: 1, is_counted: false, record: vec![1], stored: vec![2] };
    writer.put_snapshot(&id, &row).expect("kept");
    assert!(writer.update_snapshot(&id, |row| row.whole = 1).expect("changed"));
    assert!(!writer.update_snapshot(&SnapshotId::of(b"x"), |_| {}).expect("unknown"));
    writer.retire([([7; 32], 5), ([7; 32], 3)]).expect("kept");
    writer.commit().expect("committed");
    let view = index.reader().expect("a view");
    assert_eq!(view.snapshot(&id).expect("readable"), Some(SnapshotRow { whole: 1, ..row }));
    assert_eq!(view.retired(&[7; 32]).expect("readable"), 5);
    assert_eq!(view.retired(&[8; 32]).expect("readable"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Random packs with overlapping chunks, coming and going on three destinations, against plain maps.
    #[test]
    fn presence_is_what_a_plain_map_says(
        packs in prop::collection::vec(prop::collection::btree_set(0u8..40, 1..12), 1..8),
        changes in prop::collection::vec((0usize..8, 0u32..3, any::<bool>(), any::<bool>()), 0..40),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
        let mut writer = index.writer().expect("a writer");
        let mut contents = Vec::new();
        for (number, chunks) in (1..).zip(&packs) {
            let chunks: Vec<u8> = chunks.iter().copied().collect();
            writer.add_packs([(number, info(number as u8), 500, &directory(&chunks))]).expect("added");
            contents.push(chunks);
        }
        let mut present: BTreeMap<u32, u64> = BTreeMap::new();
        let mut settled: BTreeMap<u32, u64> = BTreeMap::new();
        let mut damaged: BTreeMap<u32, u64> = BTreeMap::new();
        for (pack, destination, is_there, is_settled) in changes {
            let number = (pack % packs.len()) as u32 + 1;
            let bit = 1 << destination;
            if is_there {
                writer.set_present([number], bit, is_settled).expect("changed");
                *present.entry(number).or_default() |= bit;
                if is_settled {
                    *settled.entry(number).or_default() |= bit;
                }
                *damaged.entry(number).or_default() &= !bit;
            } else {
                if is_settled {
                    writer.set_damaged([number], bit).expect("changed");
                    *damaged.entry(number).or_default() |= bit;
                } else {
                    writer.set_absent([number], bit).expect("changed");
                    *damaged.entry(number).or_default() &= !bit;
                }
                *present.entry(number).or_default() &= !bit;
                *settled.entry(number).or_default() &= !bit;
            }
        }
        writer.commit().expect("committed");
        let view = index.reader().expect("a view");
        prop_assert_eq!(view.next_pack_number().expect("readable"), packs.len() as u32 + 1);
        for id in 0..40u8 {
            let expected: u64 = (1..).zip(&contents)
                .filter(|(_, chunks)| chunks.contains(&id))
                .map(|(number, _)| present.get(&number).copied().unwrap_or(0))
                .fold(0, |all, bits| all | bits);
            let id = ChunkId::from_bytes([id; 32]);
            prop_assert_eq!(view.chunk_presence(&id).expect("readable"), expected);
            for place in view.places(&id).expect("readable") {
                let block = view.block(place.pack, place.block).expect("known");
                prop_assert!(place.offset + place.len <= block.raw_len);
            }
        }
        for bit in [1, 2, 4] {
            let expected: Vec<u32> =
                damaged.iter().filter(|(_, bits)| **bits & bit != 0).map(|(number, _)| *number).collect();
            prop_assert_eq!(view.damaged_on(bit).expect("readable"), expected);
            let expected = present.iter().any(|(number, bits)| {
                bits & bit != 0 && settled.get(number).copied().unwrap_or(0) & bit == 0
            });
            prop_assert_eq!(view.has_unsettled(bit).expect("readable"), expected);
        }
    }
}

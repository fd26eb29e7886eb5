//! More than goes in at once: what is loaded, and what views keep.

use super::*;

/// Packs of random chunks.
fn packs(count: u32, chunks: u32) -> Vec<(PackInfo, Directory)> {
    let id = |number: u32| *blake3::hash(&number.to_be_bytes()).as_bytes();
    let pack = |number: u32| {
        let entries =
            (0..chunks).map(|chunk| ChunkEntry { id: ChunkId::from_bytes(id(number << 16 | chunk)), len: 10 });
        let blocks = vec![BlockEntry {
            sealed_len: 100,
            raw_len: 10 * chunks,
            compression: Compression::Zstd,
            chunks: entries.collect(),
        }];
        (
            PackInfo { id: PackId::from_bytes(id(number)), ..info(1) },
            Directory { kind: ChunkKind::Data, blocks, extra: Extra::new() },
        )
    };
    (1..=count).map(pack).collect()
}

fn file_len(folder: &tempfile::TempDir) -> u64 {
    std::fs::metadata(folder.path().join("index")).expect("there").len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In portions of any size, sorted in memory or on disk, the same is in the index as when all is added at once.
    #[test]
    fn what_is_loaded_is_what_would_have_been_added(
        packs in prop::collection::vec((prop::collection::btree_set(0u8..40, 1..12), any::<bool>()), 1..9),
        portion in 1usize..2000,
        budget in prop::sample::select(vec![1usize, 200, 1 << 20]),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
        let plain = Index::open(&folder.path().join("plain"), REPO, MEMORY).expect("a new index");
        let mut loader = PackLoader::with_budgets(&index, 2, portion, budget).expect("a loader");
        let mut writer = plain.writer().expect("a writer");
        for (number, (chunks, is_complete)) in (1..).zip(&packs) {
            let directory = directory(&chunks.iter().copied().collect::<Vec<_>>());
            loader.add(None, info(number as u8), 500, &directory, *is_complete).expect("added");
            writer.add_packs([(number, info(number as u8), 500, &directory)]).expect("added");
            match is_complete {
                true => writer.set_present([number], 2, false).expect("present"),
                false => writer.set_damaged([number], 2).expect("damaged"),
            }
        }
        loader.finish().expect("put");
        // One that is known goes on under its number.
        let again = directory(&[1, 2]);
        let mut loader = PackLoader::new(&index, 2).expect("a loader");
        loader.add(Some(1), info(1), 500, &again, true).expect("added");
        loader.finish().expect("put");
        writer.add_packs([(1, info(1), 500, &again)]).expect("added");
        writer.set_present([1], 2, false).expect("present");
        writer.commit().expect("committed");
        let (view, plain) = (index.reader().expect("a view"), plain.reader().expect("a view"));
        prop_assert_eq!(rows(&view), rows(&plain));
        prop_assert_eq!(view.damaged_on(2).expect("readable"), plain.damaged_on(2).expect("readable"));
        prop_assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), 2, "nothing is left");
    }
}

type Rows = (Vec<(ChunkId, Place, BlockInfo)>, Vec<(PackNumber, PackInfo, DestinationBits)>);

/// Chunks with their blocks, and packs.
fn rows(view: &IndexReader) -> Rows {
    let (mut chunks, mut packs) = (Vec::new(), Vec::new());
    view.each_place(|id, place| -> Result<(), IndexError> {
        chunks.push((id, place, view.block(place.pack, place.block)?));
        Ok(())
    })
    .expect("readable");
    view.each_pack(|number, info, bits| -> Result<(), IndexError> {
        packs.push((number, info, bits));
        Ok(())
    })
    .expect("readable");
    (chunks, packs)
}

#[test]
fn what_is_loaded_stands_close_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
    let mut loader = PackLoader::with_budgets(&index, 1, usize::MAX, 1 << 20).expect("a loader");
    for (info, directory) in packs(300, 500) {
        loader.add(None, info, 500, &directory, true).expect("added");
    }
    loader.finish().expect("put");
    assert_eq!(index.reader().expect("a view").chunk_count().expect("readable"), 150_000);
    drop(index);
    assert!(file_len(&folder) < 150_000 * 80, "{}", file_len(&folder));
}

#[test]
fn a_view_that_is_renewed_shows_what_is_new_and_keeps_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
    let view = index.reader().expect("a view");
    for (number, (info, directory)) in (1..).zip(packs(100, 500)) {
        let mut writer = index.writer().expect("a writer");
        writer.add_packs([(number, info, 500, &directory)]).expect("added");
        writer.commit().expect("committed");
        assert_eq!(view.pack_count().expect("readable"), u64::from(number) - 1);
        view.renew(&index).expect("renewed");
        assert_eq!(view.pack_count().expect("readable"), u64::from(number));
    }
    assert!(file_len(&folder) < 50_000 * 400, "{}", file_len(&folder));
}

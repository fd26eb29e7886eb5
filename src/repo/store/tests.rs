//! How full packs are.

use super::filling::UNUSED_COUNTED;
use super::*;
use crate::format::id::RepoId;
use crate::report::Silent;

const REPO: RepoId = RepoId::from_bytes([1; 16]);
const AVG_BYTES: usize = 64 << 10;
const BLOCK_BYTES: usize = 2 << 20;
const PACK_BYTES: usize = 16 << 20;

/// Gives a store without destinations to `use_it`.
fn with_store<T>(use_it: impl FnOnce(Store<'_>) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = Index::open(&folder.path().join("index"), REPO, 64 << 20).expect("a new index");
    let keys = Keys::generate(REPO).expect("random keys");
    let view = index.reader().expect("a view");
    let context = StoreContext {
        keys: &keys,
        index: &index,
        view: &view,
        reachable: 0,
        level: Some(3),
        avg_bytes: AVG_BYTES,
        max_bytes: 4 * AVG_BYTES,
        block_bytes: BLOCK_BYTES,
        pack_bytes: PACK_BYTES,
        budget: Budget::new(96 << 20, None),
        is_moving: false,
    };
    let lanes = Lanes::start(&[], true, &Silent).expect("no thread is needed");
    use_it(Store::new(context, lanes).expect("a store"))
}

/// So many bytes that cannot be compressed, and are others for each seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

#[test]
fn full_packs_of_small_files_are_full() {
    with_store(|mut store| {
        let mut smallest = usize::MAX;
        for seed in 0..6800 {
            // Of many lengths, so that hardly a byte stays unused for want of a chunk that fits.
            let length = 1000 + (seed as usize * 7919) % 15_000;
            smallest = smallest.min(length);
            let bytes = noise(length, seed);
            let id = store.context.keys.chunk_id(ChunkKind::Data, &bytes);
            store.put(ChunkKind::Data, id, &bytes).expect("stored");
        }
        store.place_compressed(ChunkKind::Data, 0).expect("stored");
        let (packs, unused) = (store.data.full_packs, store.data.unused);
        assert_eq!(packs, 3);
        assert!(unused < packs * (UNUSED_COUNTED + smallest as u64), "{unused} bytes are unused in {packs} packs");
    });
}

/// Text of words: a chunk of it takes about a quarter when it is compressed.
fn words(length: usize, seed: u64) -> Vec<u8> {
    let numbers = noise(length / 4, seed);
    numbers.iter().flat_map(|number| format!("{number:03} ").into_bytes()).collect()
}

/// A whole compressed block that does not fit any more would leave half its length empty on average.
#[test]
fn full_packs_of_compressed_blocks_are_nearly_full() {
    with_store(|mut store| {
        for seed in 0..1600 {
            let bytes = words(40_000 + (seed as usize * 7919) % 50_000, seed);
            let id = store.context.keys.chunk_id(ChunkKind::Data, &bytes);
            store.put(ChunkKind::Data, id, &bytes).expect("stored");
        }
        store.place_compressed(ChunkKind::Data, 0).expect("stored");
        let (packs, unused) = (store.data.full_packs, store.data.unused);
        assert_eq!(packs, 2);
        assert!(unused < packs * (80 << 10), "{unused} bytes are unused in {packs} packs");
    });
}

#[test]
fn the_view_it_was_given_goes_on_with_the_index() {
    with_store(|mut store| {
        let view = store.context.view;
        let first = store.put_tree_chunk(&noise(200_000, 0)).expect("stored");
        assert_eq!(view.tree(&first).expect("readable"), None);
        for seed in 1..=(store.context.budget.new_tree_bytes() / 200_000) as u64 {
            store.put_tree_chunk(&noise(200_000, seed)).expect("stored");
        }
        assert!(view.tree(&first).expect("readable").is_some(), "else every page that was replaced since stays");
    });
}

/// Stores files of these lengths; gives the lengths of all packs and what the last one is counted with.
fn packs_of(files: &[usize], seed: u64) -> Vec<u64> {
    with_store(|mut store| {
        for (number, length) in files.iter().enumerate() {
            store.begin_stretch();
            for bytes in noise(*length, seed << 32 | number as u64).chunks(80_000) {
                let id = store.context.keys.chunk_id(ChunkKind::Data, bytes);
                store.put(ChunkKind::Data, id, bytes).expect("stored");
            }
        }
        let index = store.context.index;
        let ids = store.finish().expect("stored").pack_ids;
        let view = index.reader().expect("readable");
        let number = |id| view.pack_number(id).expect("readable").expect("there");
        ids.iter().map(|id| view.pack(number(id)).expect("there").len).collect()
    })
}

#[test]
fn packs_tell_how_much_was_stored_and_not_in_how_many_pieces() {
    for total in [5_000_000, 20_000_000] {
        let mut one_large = vec![100; 500];
        one_large[7] = total - 499 * 100;
        let mut steps: Vec<usize> = (0..500).map(|number| number * total / 130_000).collect();
        steps[499] += total - steps.iter().sum::<usize>();
        let expected = packs_of(&vec![total / 500; 500], 1);
        assert_eq!(packs_of(&one_large, 2), expected, "one large file in {total} bytes");
        assert_eq!(packs_of(&steps, 3), expected, "files of growing sizes in {total} bytes");
    }
}

#[test]
fn data_that_nearly_fill_a_pack_make_the_same_packs_in_many_pieces_as_in_few() {
    // Around the size from which on many files need another pack, and one does not.
    for total in (16_685_000..16_750_000).step_by(3_500) {
        let mut one_large = vec![100; 1000];
        one_large[7] = total - 999 * 100;
        let many = packs_of(&vec![total / 1000; 1000], 4);
        assert_eq!(packs_of(&one_large, 5), many, "{total} bytes");
    }
}

//! How full packs are.

use super::*;
use crate::format::id::RepoId;
use crate::monitor::Silent;

const REPO: RepoId = RepoId::from_bytes([1; 16]);
const BLOCK_BYTES: usize = 2 << 20;
const PACK_BYTES: usize = 16 << 20;

/// Gives a store without destinations to `use_it`.
fn with_store<T>(use_it: impl FnOnce(Store<'_>) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = Index::open(&folder.path().join("index"), REPO, 64 << 20).expect("a new index");
    let keys = Keys::generate(REPO).expect("random keys");
    let context = StoreContext {
        keys: &keys,
        index: &index,
        reachable: 0,
        level: Some(3),
        block_bytes: BLOCK_BYTES,
        pack_bytes: PACK_BYTES,
    };
    use_it(Store::new(context, Lanes::start(&[], &Silent)).expect("a store"))
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
        for seed in 0..3000 {
            let length = 15_000 + (seed as usize * 7919) % 2000;
            smallest = smallest.min(length);
            let bytes = noise(length, seed);
            let id = store.keys().chunk_id(ChunkKind::Data, &bytes);
            store.put(ChunkKind::Data, id, &bytes).expect("stored");
        }
        let (packs, unused) = (store.data.full_packs, store.data.unused);
        assert_eq!(packs, 2);
        assert!(unused < packs * (UNUSED_COUNTED + smallest as u64), "{unused} bytes are unused in {packs} packs");
    });
}

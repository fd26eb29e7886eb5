//! What a destination has that the index did not know.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::destination::{Destination, MemoryDestination, Settle};
use crate::format::id::{ChunkKind, DestinationId, RepoId};
use crate::pack::{Closing, PackDraft};
use crate::replicate::Neighbours;
use crate::seal::BlockBuilder;

const PACKS: u32 = 250;
const CHUNKS: u32 = 400;

/// Puts packs of tiny chunks on a destination.
fn fill(place: &MemoryDestination, keys: &Keys) {
    for pack in 0..PACKS {
        let mut builder = BlockBuilder::new(1 << 20);
        for chunk in 0..CHUNKS {
            let bytes = (pack * CHUNKS + chunk).to_be_bytes();
            builder.push(keys.chunk_id(ChunkKind::Data, &bytes), &bytes);
        }
        let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
        draft.push(builder.take().expect("a block").store());
        let pack = draft.finish(keys, [pack as u8; 32], Closing::Last { extra: 0 }).expect("sealed");
        place.put(&ObjectName::Pack(pack.id()), pack.bytes()).expect("put");
    }
    place.settle(Settle::Touched).expect("settled");
}

fn destination(bit: DestinationBits, place: &MemoryDestination) -> OpenDestination {
    OpenDestination {
        name: place.describe(),
        path: PathBuf::new(),
        id: DestinationId::from_bytes([bit as u8; 16]),
        bit,
        place: Arc::new(place.clone()),
        upload_limit: None,
        neighbours: Neighbours::default(),
    }
}

#[test]
fn an_index_that_is_rebuilt_is_as_small_as_what_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index");
    let repo = RepoId::from_bytes([1; 16]);
    let keys = Keys::generate(repo).expect("random keys");
    let place = MemoryDestination::new("a");
    fill(&place, &keys);
    let index = Index::open(&path, repo, 96 << 20).expect("a new index");
    let target = destination(1, &place);
    let found = reconcile(&index, &keys, &target).expect("reconciled");
    assert_eq!((found.packs, found.packs_learned), (PACKS.into(), PACKS.into()));
    let view = index.reader().expect("a view");
    assert_eq!(view.chunk_count().expect("readable"), u64::from(PACKS * CHUNKS));
    for number in [0, 777, PACKS * CHUNKS - 1] {
        let id = keys.chunk_id(ChunkKind::Data, &number.to_be_bytes());
        assert_eq!(view.chunk_presence(&id).expect("readable"), 1);
    }
    drop((index, view));
    // As one folder after the other was put in, every page was written anew with each, and none could be used again.
    let len = std::fs::metadata(&path).expect("there").len();
    assert!(len < 100 * u64::from(PACKS * CHUNKS), "{len}");
}

/// What was learned of a damaged copy is not all that a whole one has, also where the damaged one is gone by then.
#[test]
fn a_pack_that_was_learned_from_a_damaged_copy_is_learned_again_from_a_whole_one() {
    for is_gone_before in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = RepoId::from_bytes([1; 16]);
        let keys = Keys::generate(repo).expect("random keys");
        let index = Index::open(&folder.path().join("index"), repo, 96 << 20).expect("a new index");
        let pack = crate::pack::merge::tests::pack(&keys);
        let name = ObjectName::Pack(pack.id());
        let opened = PackReader::new(&keys).open_bytes(pack.bytes()).expect("whole");
        let second = opened.blocks().nth(1).expect("a second block").offset as usize;
        let mut bytes = pack.bytes().to_vec();
        bytes[..second].fill(0);
        let (damaged, whole) = (MemoryDestination::new("a"), MemoryDestination::new("b"));
        damaged.put(&name, &bytes).expect("put");
        whole.put(&name, pack.bytes()).expect("put");
        let found = reconcile(&index, &keys, &destination(1, &damaged)).expect("reconciled");
        assert_eq!((found.packs_learned, found.findings.len()), (1, 1));
        if is_gone_before {
            damaged.delete(&name).expect("deleted");
            reconcile(&index, &keys, &destination(1, &damaged)).expect("reconciled");
        }
        reconcile(&index, &keys, &destination(2, &whole)).expect("reconciled");
        let view = index.reader().expect("a view");
        for chunk in pack.directory().blocks.iter().flat_map(|block| &block.chunks) {
            assert_eq!(view.chunk_presence(&chunk.id).expect("readable"), 2, "{is_gone_before}");
        }
        assert_eq!(view.pack_count().expect("readable"), 1);
    }
}

//! T18: the ciphers are used as docs/format.md says: every field that a seal binds changed, every type of object in the
//! place of every other, costs out of bounds, pairs of key and nonce; and bits that flip in memory before a pack is
//! written. That they are those of the standards is seen in `vectors`.

use std::collections::HashSet;

use cryptbackup::format::FormatError;
use cryptbackup::format::id::{ChunkKind, RepoId};
use cryptbackup::format::pack::{BlockEntry, End, PACK_HEAD_LEN, PackHead};
use cryptbackup::format::sealed::{ObjectType, Part, RecordHead};
use cryptbackup::format::slot::{ArgonCost, Slot, SlotKind, WRAPPED_LEN};
use cryptbackup::pack::{Closing, PackDraft};
use cryptbackup::seal::slots::{self, Secret};
use cryptbackup::seal::{BlockBuilder, CompressedBlock, Keys, ObjectSeal, SealError};

use crate::forge::keys_of;
use crate::support::{World, noise};

const TYPES: [ObjectType; 7] = [
    ObjectType::Pack,
    ObjectType::Snapshot,
    ObjectType::Config,
    ObjectType::Ring,
    ObjectType::Writer,
    ObjectType::Mark,
    ObjectType::Cleaning,
];
const PARTS: [Part; 6] = [Part::Block, Part::DirectoryA, Part::DirectoryB, Part::Head, Part::Foot, Part::Record];

fn new_keys() -> Keys {
    Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
}

fn sealed(seal: &ObjectSeal, part: Part, counter: u64, plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    let tag = seal.seal(part, counter, &mut bytes).expect("sealed");
    bytes.extend(tag);
    bytes
}

#[test]
fn t18_no_field_that_a_seal_binds_can_be_changed() {
    let keys = new_keys();
    let salt = [7; 32];
    let mut tried = 0;
    for object in TYPES {
        for part in PARTS {
            let seal = keys.object_seal(object, 1, salt).expect("epoch 1");
            let stored = sealed(&seal, part, 5, b"content");
            seal.open(part, 5, &mut stored.clone()).expect("as it was sealed");
            for other_object in TYPES {
                for other_part in PARTS {
                    for (counter, other_salt) in [(5, salt), (6, salt), (5 | 1 << 63, salt), (5, [8; 32])] {
                        let same = (other_object, other_part, counter, other_salt) == (object, part, 5, salt);
                        let other = keys.object_seal(other_object, 1, other_salt).expect("epoch 1");
                        let opened = other.open(other_part, counter, &mut stored.clone()).is_ok();
                        assert_eq!(opened, same, "{object:?} {part:?} as {other_object:?} {other_part:?} {counter}");
                        tried += 1;
                    }
                }
            }
            for bit in 0..stored.len() * 8 {
                let mut changed = stored.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(seal.open(part, 5, &mut changed).is_err());
                tried += 1;
            }
        }
    }
    assert_eq!(keys.object_seal(ObjectType::Pack, 2, salt).err(), Some(SealError::UnknownEpoch(2)));
    println!("{tried} seals opened in another place, or changed");
}

#[test]
fn t18_no_record_is_taken_for_one_of_another_type() {
    let keys = new_keys();
    for object in TYPES {
        let stored = keys.seal_record(object, b"a record").expect("sealed");
        for other in TYPES {
            let mut relabelled = stored.clone();
            relabelled[8] = other.code();
            for stored in [&stored, &relabelled] {
                assert_eq!(keys.open_record(other, stored).is_ok(), object == other, "{object:?} as {other:?}");
            }
        }
        // With another's commitment, and under other keys.
        let (head, body) = RecordHead::split(&stored).expect("a record");
        let forged = [RecordHead { commitment: [0; 32], ..head }.encode(), body.to_vec()].concat();
        assert_eq!(keys.open_record(object, &forged), Err(SealError::WrongKey));
        assert_eq!(new_keys().open_record(object, &stored), Err(SealError::WrongKey));
    }
}

#[test]
fn t18_slots_that_cost_too_much_or_too_little_are_refused_before_they_cost() {
    let slot = |memory_kib, passes, lanes| Slot {
        kind: SlotKind::Passphrase,
        cost: ArgonCost { memory_kib, passes, lanes },
        repo: RepoId::from_bytes([1; 16]),
        salt: [2; 32],
        commitment: [3; 32],
        wrapped: [4; WRAPPED_LEN],
    };
    let began = std::time::Instant::now();
    for (memory, passes, lanes) in [
        (u32::MAX, 3, 4),
        (65_536, u32::MAX, 4),
        (65_536, 3, u32::MAX),
        ((2 << 20) + 1, 3, 4),
        (65_536, 33, 4),
        (65_536, 3, 17),
        (65_535, 3, 4),
        (65_536, 2, 4),
        (65_536, 3, 0),
        (0, 0, 0),
    ] {
        let stored = slot(memory, passes, lanes).encode();
        assert_eq!(Slot::decode(&stored), Err(FormatError::Limit("key stretching cost")), "{memory} {passes} {lanes}");
    }
    assert!(began.elapsed().as_secs() < 2);
    let keys = new_keys();
    let secret = Secret::new_inline().expect("random");
    let mut forged = slots::make(&keys, &secret).expect("a slot");
    forged.commitment[0] ^= 1;
    assert_eq!(slots::open(&forged, keys.repo(), &secret).err(), Some(SealError::WrongKey));
}

#[test]
fn t18_no_two_objects_have_the_same_salt() {
    let world = World::new();
    for run in 0..12 {
        world.write(&format!("file{run}"), noise(200_000, run));
        world.backup();
    }
    drop(keys_of(&world));
    // Within an object the nonces are part and counter, which differ; so pairs repeat only where salts do.
    let mut salts = HashSet::new();
    let mut count = 0;
    for (name, bytes) in world.objects() {
        let salt = if name.starts_with("packs/") {
            let head = PackHead::decode(End::Head, &bytes[..PACK_HEAD_LEN]).expect("a head");
            Some((head.epoch, head.salt))
        } else {
            RecordHead::split(&bytes).ok().map(|(head, _)| (head.epoch, head.salt))
        };
        count += usize::from(salt.is_some());
        salts.extend(salt);
    }
    println!("{count} sealed objects");
    assert!(count > 36 && salts.len() == count, "{} salts of {count}", salts.len());
}

fn finish(keys: &Keys, block: CompressedBlock) -> Result<usize, SealError> {
    let mut draft = PackDraft::new(ChunkKind::Data, 4 << 20);
    draft.push(block);
    draft.finish(keys, [9; 32], Closing::Last { extra: 0 }).map(|pack| pack.bytes().len())
}

#[test]
fn what_memory_or_the_compressor_made_wrong_is_caught_before_it_is_written() {
    let keys = new_keys();
    let content = b"a text that can be compressed ".repeat(300);
    let build = |content: &[u8]| {
        let mut builder = BlockBuilder::new(1 << 20);
        let id = keys.chunk_id(ChunkKind::Data, &b"a text that can be compressed ".repeat(300));
        assert!(builder.push(id, content).is_none());
        builder.take().expect("a block")
    };
    let mut caught = 0;
    for level in [None, Some(3)] {
        finish(&keys, build(&content).compress(level).expect("compressed")).expect("what is right is sealed");
        let (bytes, entry) = build(&content).compress(level).expect("compressed").into_parts();
        for at in (0..bytes.len()).step_by(bytes.len() / 100 + 1) {
            // Between naming and compressing.
            let mut flipped = content.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(finish(&keys, build(&flipped).compress(level).expect("compressed")).is_err(), "{at}");
            // By the compressor, or after it. A frame may say the same in other bits; then nothing is lost.
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let says_the_same =
                level.is_some() && zstd::bulk::decompress(&flipped, content.len()).ok().as_ref() == Some(&content);
            assert_eq!(finish(&keys, CompressedBlock::again(flipped, &entry)).is_ok(), says_the_same, "{at}");
            caught += 2;
        }
        // Lengths that lie.
        let lie = BlockEntry { raw_len: entry.raw_len + 1, ..entry };
        assert!(finish(&keys, CompressedBlock::again(bytes, &lie)).is_err());
    }
    println!("{caught} flipped bits");
}

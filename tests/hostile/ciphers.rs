//! T18: the ciphers are those of the standards, used as docs/format.md says: published vectors through what this program
//! calls, every field that a seal binds changed, every type of object in the place of every other, costs out of bounds,
//! pairs of key and nonce; and bits that flip in memory before a pack is written.

use std::collections::HashSet;

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::{AeadInOut, Aes256GcmSiv, KeyInit};
use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
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

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hex")
}

fn new_keys() -> Keys {
    Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
}

#[test]
fn t18_aes_256_gcm_siv_is_that_of_rfc_8452() {
    // Appendix C.2: additional data, plaintext, result.
    for (aad, plain, result) in [
        ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
        ("", "0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
        ("", "010000000000000000000000", "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e"),
        ("01", "0200000000000000", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
    ] {
        let (mut key, mut nonce) = ([0; 32], [0; 12]);
        (key[0], nonce[0]) = (1, 3);
        let mut bytes = hex(plain);
        let cipher = Aes256GcmSiv::new((&key).into());
        let tag = cipher.encrypt_inout_detached(&nonce.into(), &hex(aad), InOutBuf::from(bytes.as_mut_slice()));
        bytes.extend(tag.expect("sealed"));
        assert_eq!(bytes, hex(result));
    }
}

#[test]
fn t18_argon2id_is_that_of_rfc_9106() {
    // Section 5.3.
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(argon2::AssociatedData::new(&[4; 12]).expect("short"));
    let params = params.build().expect("parameters");
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).expect("a secret");
    let mut out = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut out).expect("hashed");
    assert_eq!(out.to_vec(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

#[test]
fn t18_blake3_is_the_published_one() {
    // Official vectors for inputs of 0 bytes and of 1 zero byte.
    let key = b"whats the Elvish word for friend";
    let context = "BLAKE3 2019-12-27 16:29:52 test vectors context";
    assert_eq!(blake3::hash(b"").to_hex().as_str(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    assert_eq!(
        blake3::keyed_hash(key, b"").to_hex().as_str(),
        "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"
    );
    assert_eq!(
        data_encoding::HEXLOWER.encode(&blake3::derive_key(context, b"")),
        "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"
    );
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

//! The sealed examples of docs/format.md, opened and made again from nothing but what the document shows.

use cryptbackup::format::pack::{Directory, DirectoryLengths, Extents};
use cryptbackup::format::sealed::{AAD_LEN, RecordHead, unpad_record};
use data_encoding::BASE64;

use crate::document::Document;
use crate::example;
use crate::lines::{Lines, Values};
use crate::words::{ObjectSeal, PADDING_CONTEXT, SLOT_CONTEXT, argon2id, derive, key_and_commitment, open};

struct Shown(Document);

impl Shown {
    fn load() -> Self {
        Self(Document::load())
    }

    fn hex(&self, name: &str) -> Lines {
        Lines::parse(self.0.block("hex", name))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.hex(name).bytes()
    }

    fn values(&self, name: &str) -> Values {
        Values::parse(self.0.block("values", name))
    }

    fn key(&self, name: &str) -> Vec<u8> {
        self.values("keys").get_bytes(name)
    }

    /// The seal of an object whose salt and epoch are those in its head.
    fn seal(&self, object: u8, head: &Lines) -> ObjectSeal {
        let epoch = u32::from_le_bytes(head.field("epoch").try_into().expect("4 bytes"));
        let epoch_key = self.key(if epoch == 0 { "root key" } else { "key of epoch 1" });
        let seal = ObjectSeal::new(object, epoch, &epoch_key, &self.key("repo"), head.field("salt"));
        assert_eq!(seal.commitment, head.field("commitment"));
        seal
    }
}

#[test]
fn slots_open_with_the_secrets_shown() {
    let shown = Shown::load();
    let secrets = shown.values("secrets");
    let inline = BASE64.decode(secrets.get("encryption.key").as_bytes()).expect("base64");
    let salt = shown.hex("slot-passphrase").field("salt").to_vec();
    let stretched = argon2id(secrets.get("passphrase").as_bytes(), &salt, 65536, 3, 4);
    for (name, secret) in [("slot-inline", inline), ("slot-passphrase", stretched)] {
        let slot = shown.hex(name);
        let values = shown.values(name);
        assert_eq!(values.get_bytes("secret"), secret);
        let (key, commitment) = key_and_commitment(SLOT_CONTEXT, &secret, slot.field("repo"), slot.field("salt"));
        assert_eq!(values.get_bytes("key"), key);
        assert_eq!(values.get_bytes("commitment"), commitment);
        assert_eq!(slot.field("commitment"), commitment);
        let root = open(&key, &[0; 12], &slot.bytes()[..104], slot.field("wrapped")).expect("the right key");
        assert_eq!(root, shown.key("root key"));
    }
    let words = bip39::Mnemonic::parse_normalized(secrets.get("recovery words")).expect("24 words");
    assert_eq!(words.to_entropy(), secrets.get_bytes("their entropy"));
    assert_eq!(secrets.get("recovery words").split(' ').count(), 24);
    assert_eq!(secrets.get_bytes("its secret"), blake3::hash(b"any file\n").as_bytes());
}

#[test]
fn sealed_records_are_made_of_what_is_shown() {
    let shown = Shown::load();
    let objects = [
        ("snapshot", 2),
        ("config", 3),
        ("ring", 4),
        ("writer", 5),
        ("history", 2),
        ("forget", 6),
        ("session", 7),
        ("condemned", 7),
    ];
    for (name, object) in objects {
        let head = shown.hex(&format!("sealed-{name}"));
        assert_eq!(head.field("object"), [object], "{name}");
        let seal = shown.seal(object, &head);
        let record = shown.bytes(name);
        let stored = seal.record(&record);
        let values = shown.values(&format!("sealed-{name}"));
        assert_eq!(values.get_bytes("key"), seal.key);
        assert_eq!(values.get("length of the object"), stored.len().to_string());
        assert_eq!(values.get_bytes("BLAKE3 of the object"), blake3::hash(&stored).as_bytes());
        let part_shown = head.bytes();
        assert_eq!(part_shown[..96], stored[..96], "head and first bytes of the ciphertext");
        assert_eq!(part_shown[96..], stored[stored.len() - 16..], "tag");
        assert!(shown.0.block("paths", "example").contains(&blake3::hash(&stored).to_hex()[..]));

        let (split, ciphertext) = RecordHead::split(&stored).expect("a record");
        assert_eq!((split.object, split.epoch), (object, seal.epoch));
        let padded = seal.open(5, 0, ciphertext).expect("authentic");
        assert_eq!(unpad_record(&padded), Ok(record.as_slice()));
    }
    let aad = shown.bytes("aad-config");
    assert_eq!(aad.len(), AAD_LEN);
    assert_eq!(aad, shown.seal(3, &shown.hex("sealed-config")).aad(5, 0));
}

#[test]
fn the_pack_is_made_of_what_is_shown() {
    let shown = Shown::load();
    let head = shown.hex("pack-head");
    let seal = shown.seal(1, &head);
    let values = shown.values("pack");
    assert_eq!(values.get_bytes("key"), seal.key);
    let length: usize = values.get("length of the pack").parse().expect("a number");

    let extents = seal.open(3, 0, head.field("sealed_extents")).expect("authentic");
    assert_eq!(extents, shown.bytes("extents"));
    assert_eq!(seal.open(4, 0, shown.hex("pack-foot").field("sealed_extents")), Some(extents.clone()));
    let extents = Extents::decode(&extents, length as u64).expect("extents");
    let directory = seal.open(1, 0, &shown.bytes("pack-directory-a")).expect("authentic");
    assert_eq!(directory, shown.bytes("directory-a"));
    let directory = Directory::decode(&directory).expect("directory A");
    directory.validate(&extents).expect("they belong together");
    let lengths = seal.open(2, 0, &shown.bytes("pack-directory-b")).expect("authentic");
    assert_eq!(lengths, shown.bytes("directory-b"));
    assert_eq!(DirectoryLengths::decode(&lengths), Ok(directory.lengths()));

    let frame = seal.open(0, 0, &shown.bytes("block-sealed")).expect("authentic");
    assert_eq!(frame, shown.bytes("block-frame"));
    let raw_len = directory.blocks[0].raw_len as usize;
    let size = zstd::zstd_safe::get_frame_content_size(&frame).expect("a zstd frame");
    assert_eq!(size, Some(raw_len as u64), "the size is in the frame's header");
    let raw = zstd::bulk::decompress(&frame, raw_len).expect("one frame");
    assert_eq!(raw, [example::JACK, example::DISK_END].concat());
    let mut rest = raw.as_slice();
    for chunk in &directory.blocks[0].chunks {
        let (bytes, after) = rest.split_at(chunk.len as usize);
        let id_key = shown.key("data_id_key").try_into().expect("32 bytes");
        assert_eq!(chunk.id.as_bytes(), blake3::keyed_hash(&id_key, bytes).as_bytes());
        rest = after;
    }

    let front = [head.bytes(), shown.bytes("pack-directory-a"), shown.bytes("block-sealed")].concat();
    let back = [shown.bytes("pack-directory-b"), shown.bytes("pack-foot")].concat();
    let padding = derive(PADDING_CONTEXT, &seal.key, length - front.len() - back.len());
    assert_eq!(shown.bytes("pack-padding"), padding[..16]);
    let pack = [front, padding, back].concat();
    assert_eq!(values.get_bytes("BLAKE3 of the pack"), blake3::hash(&pack).as_bytes());
    assert!(shown.0.block("paths", "example").contains(&blake3::hash(&pack).to_hex()[..]));
}

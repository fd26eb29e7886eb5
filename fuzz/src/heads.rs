//! What is read before a key is at hand: header, mark, slots, both ends of a pack. Each is tried as it is, and with the
//! checksum it should have, since no input would get past that by luck.

use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::pack::{End, Extents, PackHead};
use cryptbackup::format::slot::Slot;
use cryptbackup::format::wire::Encoder;
use cryptbackup::seal::slots::{self, Secret};

use crate::keys::REPO;
use crate::pieces::Pieces;

fn with_and_without_crc(data: &[u8], mut each: impl FnMut(&[u8])) {
    each(data);
    let mut encoder = Encoder::default();
    encoder.bytes(data);
    each(&encoder.finish_with_crc());
}

pub fn header(data: &[u8]) {
    with_and_without_crc(data, |stored| {
        if let Ok(header) = RepoHeader::decode(stored) {
            assert_eq!(header.encode(), stored);
            assert!(DestinationMark::decode(stored).is_err(), "one object was read as the other");
        }
        if let Ok(mark) = DestinationMark::decode(stored) {
            assert_eq!(mark.encode(), stored);
        }
    });
}

pub fn slot(data: &[u8]) {
    with_and_without_crc(data, |stored| {
        let Ok(slot) = Slot::decode(stored) else { return };
        assert_eq!(slot.encode(), stored);
        // Not a passphrase: stretching one takes too long here.
        if let Some(secret) = Secret::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") {
            assert!(slots::open(&slot, REPO, &secret).is_err(), "a slot opened with a key that did not make it");
        }
    });
}

pub fn pack_head(data: &[u8]) {
    with_and_without_crc(data, |stored| {
        for (end, other) in [(End::Head, End::Foot), (End::Foot, End::Head)] {
            if let Ok(head) = PackHead::decode(end, stored) {
                assert_eq!(head.encode(end), stored);
                assert!(PackHead::decode(other, stored).is_err(), "one end was read as the other");
            }
        }
    });
    let mut pieces = Pieces::new(data);
    let pack_len = u64::from(pieces.long());
    if let Ok(extents) = Extents::decode(pieces.rest(), pack_len) {
        assert_eq!(extents.encode(), data[4..]);
        let offsets = [
            extents.directory_a_offset(),
            extents.blocks_offset(),
            extents.padding_offset(),
            extents.directory_b_offset(),
            extents.foot_offset(),
            extents.pack_len,
        ];
        assert!(offsets.is_sorted(), "{offsets:?}");
        assert_eq!(extents.pack_len, pack_len);
    }
}

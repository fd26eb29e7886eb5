//! The repository of docs/format.md through the parts of the library that hold keys: it opens what the document makes.

use cryptbackup::format::sealed::ObjectType;
use cryptbackup::format::slot::SlotKind;
use cryptbackup::pack::PackReader;
use cryptbackup::seal::slots::{self, Secret};
use cryptbackup::seal::{Keys, SealError};
use zeroize::Zeroizing;

use crate::blocks::documented_frame;
use crate::document::Document;
use crate::{describe, example, example_decisions};

fn keys() -> Keys {
    let repo = example::header().repo;
    let secret = Secret::Inline(Zeroizing::new(example::INLINE));
    let root = slots::open(&example::slot(SlotKind::Inline), repo, &secret).expect("the inline slot");
    let ring = example::record_seal("ring").record(&example::ring().encode().expect("a small record"));
    Keys::open_ring(repo, root, &ring).expect("the ring")
}

#[test]
fn every_secret_of_the_document_opens_its_slot() {
    let words = bip39::Mnemonic::from_entropy(&example::RECOVERY).expect("32 bytes").to_string();
    let secrets = [
        (SlotKind::Passphrase, Secret::Passphrase(Zeroizing::new(example::PASSPHRASE.into()))),
        (SlotKind::Recovery, Secret::from_words(&words).expect("24 words")),
    ];
    for (kind, secret) in secrets {
        let root = slots::open(&example::slot(kind), example::header().repo, &secret);
        assert_eq!(root.map(|root| *root), Ok(example::ROOT_KEY));
        assert_eq!(
            slots::open(&example::slot(SlotKind::Inline), example::header().repo, &secret),
            Err(SealError::WrongKey)
        );
    }
}

#[test]
fn records_of_the_document_open() {
    let frame = documented_frame(&Document::load());
    let records = [
        ("config", ObjectType::Config, example::config().encode()),
        ("writer", ObjectType::Writer, example::writer().encode()),
        ("snapshot", ObjectType::Snapshot, example::snapshot(&frame).encode()),
        ("history", ObjectType::Snapshot, example_decisions::history(&frame).encode()),
        ("forget", ObjectType::Mark, example_decisions::forget().encode()),
        ("session", ObjectType::Cleaning, example_decisions::session().encode()),
        ("condemned", ObjectType::Cleaning, example_decisions::condemned().encode()),
    ];
    for (name, object, record) in records {
        let record = record.expect("a small record");
        let stored = example::record_seal(name).record(&record);
        assert_eq!(keys().open_record(object, &stored), Ok(record), "{name}");
    }
}

#[test]
fn packs_of_the_document_open_from_both_ends() {
    let frame = documented_frame(&Document::load());
    let keys = keys();
    let reader = PackReader::new(&keys);
    let data = [example::JACK, example::DISK_END].concat();
    let histories = [example_decisions::drafts(), example_decisions::versions(), example_decisions::history_tree()];
    let histories = histories.iter().flat_map(|nodes| describe::tree(nodes).bytes()).collect();
    for (pack, content) in [
        (example::pack(&frame), data),
        (example::tree_pack(), example::tree_stream()),
        (example_decisions::history_pack(), histories),
    ] {
        for damaged in [0..0, 0..132, 132..150] {
            let is_whole = damaged.is_empty();
            let mut stored = pack.stored.clone();
            stored[damaged].fill(0xee);
            let opened = reader.open_bytes(&stored).expect("one end is whole");
            assert_eq!((opened.is_from_copy, opened.extents), (!is_whole, pack.extents));
            assert_eq!(opened.directory, pack.directory);
            let place = opened.blocks().next().expect("one block");
            let sealed = stored[place.offset as usize..][..place.entry.sealed_len as usize].to_vec();
            assert_eq!(sealed, pack.block);
            let raw = reader.open_block(&opened.seal, opened.directory.kind, &place, sealed);
            assert_eq!(raw, Ok(content.clone()));
        }
        let mut padding = vec![0; pack.padding.len()];
        let seal = keys.object_seal(ObjectType::Pack, 1, pack.seal.salt.as_slice().try_into().expect("32 bytes"));
        seal.expect("epoch 1").fill_padding(&mut padding);
        assert_eq!(padding, pack.padding);
    }
}

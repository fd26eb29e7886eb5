//! What was sealed and then changed, or looked for in another place: it is rejected, or it still says the same.

use cryptbackup::format::id::ChunkKind;
use cryptbackup::format::sealed::{ObjectType, Part};
use cryptbackup::pack::{Closing, PackDraft, PackReader};
use cryptbackup::seal::BlockBuilder;

use crate::keys::keys;
use crate::pieces::Pieces;
use crate::records::TYPES;

const PARTS: [Part; 6] = [Part::Block, Part::DirectoryA, Part::DirectoryB, Part::Head, Part::Foot, Part::Record];

/// One input: a part of an object, a record, or a whole pack.
pub fn changed(data: &[u8]) {
    let mut pieces = Pieces::new(data);
    match pieces.byte() % 3 {
        0 => part(&mut pieces),
        1 => record(&mut pieces),
        _ => pack(&mut pieces),
    }
}

/// Changes up to four stretches, and perhaps the length.
fn change(stored: &[u8], pieces: &mut Pieces) -> Vec<u8> {
    let mut changed = stored.to_vec();
    for _ in 0..pieces.byte() % 5 {
        let at = pieces.long() as usize % (changed.len() + 1);
        let length = usize::from(pieces.byte() % 40);
        match pieces.byte() % 5 {
            0 => changed.truncate(at),
            1 => drop(changed.splice(at..at, pieces.take(length).to_vec())),
            2 => drop(changed.drain(at..(at + length).min(changed.len()))),
            3 => changed[at..].iter_mut().take(length).zip(pieces.take(length)).for_each(|(byte, mask)| *byte ^= mask),
            _ => changed[at..].iter_mut().take(length).zip(pieces.take(length)).for_each(|(byte, new)| *byte = *new),
        }
    }
    changed
}

/// What a seal is bound to.
fn binding(pieces: &mut Pieces) -> (ObjectType, Part, u64, [u8; 32]) {
    let object = TYPES[usize::from(pieces.byte()) % TYPES.len()];
    let part = PARTS[usize::from(pieces.byte()) % PARTS.len()];
    let counter = u64::from(pieces.byte()) << (pieces.byte() % 57);
    (object, part, counter, [pieces.byte(); 32])
}

fn part(pieces: &mut Pieces) {
    let own = binding(pieces);
    let other = if pieces.byte() & 1 == 0 { own } else { binding(pieces) };
    let content = pieces.sized();
    let (object, part, counter, salt) = own;
    let seal = keys().object_seal(object, 1, salt).expect("the first epoch");
    let mut sealed = content.to_vec();
    let tag = seal.seal(part, counter, &mut sealed).expect("short enough");
    sealed.extend(tag);
    let changed = change(&sealed, pieces);
    let is_same = own == other && changed == sealed;
    let (object, part, counter, salt) = other;
    let seal = keys().object_seal(object, 1, salt).expect("the first epoch");
    let mut bytes = changed;
    match seal.open(part, counter, &mut bytes) {
        Ok(plain) => assert!(is_same && plain == content, "{own:?} was opened as {other:?}, or changed"),
        Err(error) => assert!(!is_same, "what was not changed did not open: {error}"),
    }
}

fn record(pieces: &mut Pieces) {
    let [own, other] = [(); 2].map(|()| TYPES[usize::from(pieces.byte()) % TYPES.len()]);
    let content = pieces.sized();
    let stored = keys().seal_record(own, content).expect("a short record");
    let changed = change(&stored, pieces);
    let is_same = own == other && changed == stored;
    match keys().open_record(other, &changed) {
        Ok(plain) => assert!(is_same && plain == content, "{own:?} was opened as {other:?}, or changed"),
        Err(error) => assert!(!is_same, "what was not changed did not open: {error}"),
    }
}

/// A pack has its directory twice: with one of them changed it still opens, to the same.
fn pack(pieces: &mut Pieces) {
    let mut builder = BlockBuilder::new(1 << 16);
    let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
    for _ in 0..1 + pieces.byte() % 4 {
        let chunk = pieces.sized();
        if chunk.is_empty() {
            continue;
        }
        builder.push(keys().chunk_id(ChunkKind::Data, chunk), chunk);
        if pieces.byte() & 1 == 0 {
            let block = builder.take().expect("a block");
            draft.push(block.compress((pieces.byte() & 1 == 0).then_some(1)).expect("compressed"));
        }
    }
    if let Some(block) = builder.take() {
        draft.push(block.compress(Some(1)).expect("compressed"));
    }
    if draft.is_empty() {
        return;
    }
    let sealed = draft.finish(keys(), [9; 32], Closing::Last { extra: 0 }).expect("sealed");
    let changed = change(sealed.bytes(), pieces);
    let reader = PackReader::new(keys());
    let Ok(opened) = reader.open_bytes(&changed) else {
        assert!(changed != sealed.bytes(), "what was not changed did not open");
        return;
    };
    let (whole, now) = (sealed.directory(), &opened.directory);
    assert_eq!((now.kind, now.blocks.len()), (whole.kind, whole.blocks.len()));
    for (place, known) in opened.blocks().zip(&whole.blocks) {
        assert_eq!((place.entry.raw_len, place.entry.sealed_len), (known.raw_len, known.sealed_len));
        let range = place.offset as usize..place.offset as usize + place.entry.sealed_len as usize;
        let Some(bytes) = changed.get(range) else { continue };
        let opens = reader.open_block(&opened.seal, now.kind, &place, bytes.to_vec());
        let original = sealed.bytes()[place.offset as usize..].get(..bytes.len());
        assert_eq!(opens.is_ok(), original == Some(bytes), "block {}", place.number);
    }
}

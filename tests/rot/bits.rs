//! T8: one bit of an object flips. Every flip is detected, none gives a wrong byte, and packs are made whole again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use cryptbackup::check::object::{faults, pack_faults};
use cryptbackup::format::id::PackId;
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::pack::PACK_HEAD_LEN;
use cryptbackup::format::sealed::ObjectType;
use cryptbackup::pack::merge::merge;
use cryptbackup::pack::{Merged, PackReader};
use cryptbackup::seal::Keys;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::world::{Dice, World};

/// What was counted.
#[derive(Default)]
struct Counts {
    flips: AtomicU64,
    opened: AtomicU64,
    merged: AtomicU64,
}

/// Which flips are tried.
struct Density {
    /// Of every so many bytes of a long object one is hit.
    stride: usize,
    /// Of so many hits in a pack one is looked at from the inside and healed.
    inside: usize,
}

#[test]
fn t08_flips_in_objects() {
    sweep(&Density { stride: 97, inside: 5 });
}

#[test]
#[ignore = "every byte of every object: some minutes in release"]
fn t08_flips_in_objects_every_byte() {
    sweep(&Density { stride: 1, inside: 8 });
}

fn sweep(density: &Density) {
    let world = World::with_everything(&["a"]);
    let keys = world.keys("a");
    let objects = world.objects("a");
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    for (name, stored) in &objects {
        assert_eq!(faults(name, stored), Vec::<String>::new(), "{name} is whole");
        let kind = name.kind().map_or_else(|| name.to_string(), |kind| kind.folder().to_owned());
        sweep_object(&keys, name, stored, density, all.entry(kind).or_default());
    }
    for kind in ["cryptbackup.repo", "dest.id", "reserve", "keys", "config", "writers", "packs", "snaps", "marks", "gc"]
    {
        let counts = all.get(kind).unwrap_or_else(|| panic!("there is nothing in {kind}"));
        let [flips, opened, merged] =
            [&counts.flips, &counts.opened, &counts.merged].map(|n| n.load(Ordering::Relaxed));
        eprintln!(
            "t08 {kind}: {flips} flips, all detected; {opened} opened with the key, 0 wrong; {merged} made whole"
        );
        assert!(flips > 0, "{kind}");
    }
}

fn sweep_object(keys: &Keys, name: &ObjectName, stored: &[u8], density: &Density, counts: &Counts) {
    // All bits of what is small or has a fixed layout, one bit of each byte hit elsewhere. The reserve means nothing.
    let (step, tight) = match name {
        ObjectName::Reserve => (density.stride.max(64) * 97, 0),
        ObjectName::Pack(_) => (density.stride, PACK_HEAD_LEN),
        _ => (1 + density.stride / 12, 156),
    };
    let is_hit = |at: &usize| at.is_multiple_of(step) || *at < tight || *at >= stored.len() - tight.min(stored.len());
    let hits: Vec<usize> = (0..stored.len()).filter(is_hit).collect();
    hits.into_par_iter().for_each(|at| {
        let is_tight = at < tight || at >= stored.len() - tight.min(stored.len()) || stored.len() <= 8192;
        let bits = if is_tight {
            0..8
        } else {
            let bit = Dice::new(at as u64).roll(8);
            bit..bit + 1
        };
        for bit in bits {
            // The slice is about all bytes that are hit, not about all bits of each.
            if density.stride > 1 && is_tight && (at + bit) % 8 != 0 {
                continue;
            }
            let mut damaged = stored.to_vec();
            damaged[at] ^= 1 << bit;
            counts.flips.fetch_add(1, Ordering::Relaxed);
            assert!(!faults(name, &damaged).is_empty(), "{name}: byte {at}, bit {bit} was not noticed");
            match name {
                ObjectName::Pack(id) if (at / step + bit).is_multiple_of(density.inside) => {
                    look_inside(keys, id, stored, &damaged, counts);
                }
                ObjectName::Pack(_) => {}
                _ => open_record(keys, name, stored, &damaged, counts),
            }
        }
    });
}

/// Each block of the damaged pack is what it was, or cannot be opened; and the pack is made whole: from itself unless a
/// block was hit, and always beside a good copy of what was hit.
fn look_inside(keys: &Keys, id: &PackId, stored: &[u8], damaged: &[u8], counts: &Counts) {
    let reader = PackReader::new(keys);
    let whole = reader.open_bytes(stored).expect("whole");
    if let Ok(opened) = reader.open_bytes(damaged) {
        assert_eq!(opened.directory.kind, whole.directory.kind);
        for (place, right) in opened.blocks().zip(whole.blocks()) {
            let range = place.offset as usize..(place.offset + u64::from(place.entry.sealed_len)) as usize;
            let open =
                |bytes: &[u8], place| reader.open_block(&opened.seal, whole.directory.kind, place, bytes.to_vec());
            if let Ok(raw) = open(&damaged[range.clone()], &place) {
                assert!(raw == open(&stored[range], &right).expect("whole"), "a block opened to something else");
                counts.opened.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let is_block_hit = pack_faults(keys, damaged).iter().any(|fault| fault.starts_with("block "));
    let len = stored.len() as u64;
    let alone = merge(keys, id, len, &[damaged.to_vec()][..]).expect("sealing works");
    assert_eq!(matches!(&alone, Merged::Whole(bytes) if bytes == stored), !is_block_hit);
    // The second copy is damaged too, elsewhere: in its first and last bytes.
    let mut second = stored.to_vec();
    for at in [0, stored.len() - 1] {
        second[at] ^= 0xFF;
    }
    if is_block_hit {
        let both = merge(keys, id, len, &[damaged.to_vec(), second][..]).expect("sealing works");
        assert!(matches!(both, Merged::Whole(bytes) if bytes == stored));
    }
    counts.merged.fetch_add(1, Ordering::Relaxed);
}

/// A damaged record does not open to anything but what it was.
fn open_record(keys: &Keys, name: &ObjectName, stored: &[u8], damaged: &[u8], counts: &Counts) {
    let object = match name {
        ObjectName::Config(..) => ObjectType::Config,
        ObjectName::Writer(_) => ObjectType::Writer,
        ObjectName::Snapshot(_) => ObjectType::Snapshot,
        ObjectName::Mark(_) => ObjectType::Mark,
        ObjectName::Cleaning(_) => ObjectType::Cleaning,
        _ => return,
    };
    let whole = keys.open_record(object, stored).expect("whole");
    if let Ok(record) = keys.open_record(object, damaged) {
        assert!(record == whole, "{name} opened to something else");
    }
    counts.opened.fetch_add(1, Ordering::Relaxed);
}

//! T19: what sizes give away. A chunker whose secret is one number XORed into a public table loses it to whoever knows a
//! file and sees where it was cut; ours has a secret table, and nobody sees where it cuts.

use std::fs;

use cryptbackup::chunk::Chunker;
use cryptbackup::format::record::ChunkerParameters;
use fastcdc::v2020::{Normalization, cut_gear, get_gear_with_seed, select_masks};

use crate::support::{World, noise};

const PARAMETERS: ChunkerParameters =
    ChunkerParameters { min_bytes: 16 << 10, avg_bytes: 64 << 10, max_bytes: 256 << 10, normalization: 1 };
const KNOWN_BYTES: usize = 16 << 20;
/// The bits of the seed that reach the highest bit of a mask.
const SEED_BITS: u32 = 48;
const CANDIDATES_MAX: usize = 1 << 18;

/// What the one who attacks sees of one cut: the bytes that decided it, and which bits of their hash are zero.
struct Seen<'a> {
    window: &'a [u8],
    mask: u64,
}

fn seen<'a>(known: &'a [u8], lengths: &[usize]) -> Vec<Seen<'a>> {
    let (mask_s, mask_l) = select_masks(PARAMETERS.avg_bytes as usize, Normalization::Level1);
    let mut start = 0;
    let mut all = Vec::new();
    for &length in lengths {
        let at = start + length;
        // The last chunk and the longest ones end without any hash.
        if length < PARAMETERS.max_bytes as usize && at < known.len() {
            let from = (start + PARAMETERS.min_bytes as usize).max((at + 1).saturating_sub(64));
            let mask = if length < PARAMETERS.avg_bytes as usize { mask_s } else { mask_l };
            all.push(Seen { window: &known[from..=at], mask });
        }
        start = at;
    }
    all
}

/// Every seed that explains all cuts, found from its lowest bit upwards: a bit of the hash depends on no higher bit of the
/// seed. Gives the seeds and how many hashes that took.
fn recover(cuts: &[Seen<'_>]) -> (Vec<u64>, u64) {
    let (public, _) = get_gear_with_seed(0);
    let mut candidates = vec![0u64];
    let mut hashes = 0;
    for bit in 0..SEED_BITS {
        candidates = candidates.iter().flat_map(|low| [*low, low | 1 << bit]).collect();
        candidates.retain(|seed| {
            cuts.iter().filter(|cut| cut.mask >> bit & 1 == 1).all(|cut| {
                hashes += 1;
                let step = |hash: u64, byte: &u8| (hash << 1).wrapping_add(public[usize::from(*byte)] ^ seed);
                cut.window.iter().fold(0, step) >> bit & 1 == 0
            })
        });
        if candidates.is_empty() || candidates.len() > CANDIDATES_MAX {
            return (Vec::new(), hashes);
        }
    }
    (candidates, hashes)
}

fn lengths_with_seed(known: &[u8], seed: u64) -> Vec<usize> {
    let (gear, shifted) = get_gear_with_seed(seed);
    let (mask_s, mask_l) = select_masks(PARAMETERS.avg_bytes as usize, Normalization::Level1);
    let sizes = [PARAMETERS.min_bytes, PARAMETERS.avg_bytes, PARAMETERS.max_bytes].map(|size| size as usize);
    let mut lengths = Vec::new();
    let mut rest = known;
    while !rest.is_empty() {
        let (_, length) =
            cut_gear(rest, sizes[0], sizes[1], sizes[2], mask_s, mask_l, mask_s << 1, mask_l << 1, &gear, &shifted);
        lengths.push(length);
        rest = &rest[length..];
    }
    lengths
}

fn lengths_with_key(known: &[u8], key: &[u8; 32]) -> Vec<usize> {
    let mut lengths = Vec::new();
    Chunker::new(&PARAMETERS, key).cut_all(known, 0, true, |range| lengths.push(range.len()));
    lengths
}

#[test]
fn t19_the_seed_of_a_public_table_is_recovered_from_cuts() {
    let known = noise(KNOWN_BYTES, 1);
    for seed in [0x0123_4567_89AB_CDEF_u64, 0xFFFF_0000_5555_AAAA] {
        let lengths = lengths_with_seed(&known, seed);
        let cuts = seen(&known, &lengths);
        let (found, hashes) = recover(&cuts);
        println!("{} cuts, {hashes} hashes, {} seeds left", cuts.len(), found.len());
        assert_eq!(found, [seed & ((1 << SEED_BITS) - 1)]);
        let other = noise(4 << 20, 2);
        assert_eq!(
            lengths_with_seed(&other, found[0]),
            lengths_with_seed(&other, seed),
            "every cut is told from now on"
        );
    }
}

#[test]
fn t19_the_same_attack_finds_nothing_in_our_cuts() {
    let known = noise(KNOWN_BYTES, 1);
    for key in 0..8u8 {
        let lengths = lengths_with_key(&known, &[key; 32]);
        let (found, hashes) = recover(&seen(&known, &lengths));
        assert!(found.is_empty(), "{found:x?} after {hashes} hashes");
    }
}

/// What a destination shows of a backup of these bytes, and the key it was cut with.
fn shown(known: &[u8]) -> (Vec<u64>, [u8; 32]) {
    let world = World::new();
    world.write("known", known);
    world.backup();
    let packs = world.objects().into_iter().filter(|(name, _)| name.starts_with("packs/"));
    let mut sizes: Vec<u64> = packs.map(|(_, bytes)| bytes.len() as u64).collect();
    sizes.sort_unstable();
    (sizes, *crate::forge::keys_of(&world).chunker_key())
}

#[test]
fn t19_the_attack_finds_nothing_in_what_a_destination_shows() {
    let known = noise(KNOWN_BYTES, 1);
    let (first, first_key) = shown(&known);
    let (second, second_key) = shown(&known);
    assert_ne!(lengths_with_key(&known, &first_key), lengths_with_key(&known, &second_key));
    // Not equal always: with a file of just 16 MiB, the number of chunks decides in 5 of 13 tries whether the last pack
    // has one granule or two, and in one of twenty a chunk that does not fit any more makes it two granules longer. So
    // sizes do tell a little of the cuts: about how many there are, never where.
    let is_near = |first: &[u64], second: &[u64]| {
        assert_eq!(first.len(), second.len());
        first.iter().zip(second).map(|(left, right)| left.abs_diff(*right)).sum::<u64>() <= 64 << 10
    };
    let is_again = || is_near(&shown(&known).0, &shown(&known).0);
    assert!(is_near(&first, &second) || is_again() || is_again(), "{first:?} {second:?}, and the same with other keys");
    assert!(first.iter().all(|size| size % (64 << 10) == 0), "{first:?}");
    let as_lengths: Vec<usize> = first.iter().map(|size| *size as usize).filter(|size| *size < known.len()).collect();
    let cuts = seen(&known, &as_lengths);
    assert!(cuts.len() < 2 || recover(&cuts).0.is_empty(), "no seed explains the sizes of packs as cuts");
}

#[test]
fn t19_no_canary_is_in_any_object_and_no_content_in_the_state_folder() {
    let world = World::new();
    let marker = |what: &str| {
        let hash = blake3::hash(what.as_bytes()).to_hex();
        hash.as_str()[..32].to_owned()
    };
    let (name, content) = (marker("name"), marker("content"));
    world.write(&format!("{name}/{name}"), content.repeat(500));
    world.write("mixed", [noise(50_000, 1), content.clone().into_bytes(), noise(50_000, 2)].concat());
    world.write("single", &content);
    world.settings(|settings| settings.set("compression.level", "off").expect("no compression"));
    world.backup();
    world.write("again", content.repeat(3));
    world.settings(|settings| settings.set("compression.level", "9").expect("compression"));
    world.backup();
    let has = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let mut searched = 0;
    for (path, bytes) in world.objects() {
        searched += 1;
        assert!(!has(&bytes, &name) && !has(&bytes, &content), "{path}");
        assert!(!path.contains(&name) && !path.contains(&content), "{path}");
    }
    // The index keeps trees, so names are in it; contents never are.
    for entry in walkdir::WalkDir::new(world.home.path()) {
        let entry = entry.expect("listed");
        if entry.file_type().is_file() {
            searched += 1;
            assert!(!has(&fs::read(entry.path()).expect("readable"), &content), "{}", entry.path().display());
        }
    }
    println!("{searched} files searched");
}

//! What a destination shows to whoever holds it and has no key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::XattrFlags;

use crate::support::World;
use crate::support::world::noise;

/// Words that are nowhere on a destination.
const CANARIES: [&str; 6] =
    ["canary-folder", "canary-file", "canary-content", "canary-target", "canary-attribute", "canary-owner-tag"];

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[test]
fn no_name_and_no_content_is_on_a_destination() {
    let world = World::new(&["primary"]);
    // Also where nothing is compressed, and where it cannot be.
    for level in ["3", "off"] {
        world.settings(|settings| settings.set("compression.level", level).expect("a level"));
        world.write(&format!("canary-folder/canary-file {level}"), format!("canary-content {level} ").repeat(3000));
        let mut mixed = noise(100_000, 1);
        mixed.extend_from_slice(b"canary-content in noise");
        world.write(&format!("noise {level}"), mixed);
        let link = world.source().join(format!("link {level}"));
        symlink("/canary-target", &link).unwrap();
        let file = world.source().join(format!("noise {level}"));
        rustix::fs::lsetxattr(&file, "user.canary-attribute", b"canary-attribute", XattrFlags::empty()).unwrap();
        let tags = vec!["canary-owner-tag".to_owned()];
        world.backup_with(cryptbackup::backup::BackupRequest { tags, ..Default::default() });
    }
    let machine = world.open().snapshots().expect("snapshots")[0].machine.clone();
    let mut words: Vec<&[u8]> = CANARIES.iter().map(|word| word.as_bytes()).collect();
    // A short name could be in random bytes by chance.
    words.extend((machine.len() >= 5).then_some(machine.as_bytes()));
    let key = world.settings_now().encryption.key.expect("a key");
    words.push(key.as_bytes());
    for (name, _) in world.objects("primary") {
        let bytes = fs::read(world.path("primary").join(&name)).unwrap();
        for word in &words {
            let word_text = String::from_utf8_lossy(word);
            assert!(!contains(&bytes, word), "{name} contains {word_text}");
            assert!(!name.contains(&*word_text), "{name}");
        }
        let file = name.rsplit('/').next().expect("a name");
        let is_hash = file.rsplit('-').next().is_some_and(|hash| hash.len() == 64);
        assert!(is_hash || ["cryptbackup.repo", "dest.id"].contains(&file), "{name}");
    }
}

/// Key and nonces of an object follow from its salt: two with one salt would give away what they have in common.
#[test]
fn no_two_objects_have_the_same_salt() {
    let world = World::new(&["primary"]);
    let mut objects = BTreeMap::new();
    for day in 0..5 {
        world.set_day(day);
        world.write("file", noise(200_000, day as u64));
        world.backup();
        objects.extend(world.objects("primary").into_iter().map(|(name, _)| {
            let bytes = fs::read(world.path("primary").join(&name)).unwrap();
            (name, bytes)
        }));
    }
    world.clean(1, 2);
    for (name, _) in world.objects("primary") {
        let bytes = fs::read(world.path("primary").join(&name)).unwrap();
        objects.insert(name, bytes);
    }
    // Packs and sealed records have it in the same place.
    let sealed = objects
        .iter()
        .filter(|(_, bytes)| ["CBK1PACK", "CBK1RECD"].iter().any(|magic| bytes.starts_with(magic.as_bytes())));
    let salts: Vec<&[u8]> = sealed.map(|(_, bytes)| &bytes[16..48]).collect();
    assert!(salts.len() > 15, "{}", salts.len());
    assert_eq!(salts.iter().collect::<BTreeSet<_>>().len(), salts.len());
}

/// Backs up files of noise of these sizes; gives the sizes of what is on the destination then.
fn sizes_of_objects(sizes: &[usize], seed: u64) -> Vec<(String, u64)> {
    let world = World::new(&["primary"]);
    for (number, size) in sizes.iter().enumerate() {
        world.write(&format!("file{number:04}"), noise(*size, seed + number as u64));
    }
    world.backup();
    let folder = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let mut sizes: Vec<(String, u64)> =
        world.objects("primary").into_iter().map(|(path, len)| (folder(&path), len)).collect();
    sizes.sort();
    sizes
}

/// So many sizes that add up to `total`, cut at random places.
fn random_sizes(count: usize, total: usize, seed: u64) -> Vec<usize> {
    let random = noise(8 * count, seed);
    let mut cuts: Vec<usize> = random
        .chunks_exact(8)
        .skip(1)
        .map(|bytes| (u64::from_le_bytes(bytes.try_into().expect("eight")) % total as u64) as usize)
        .collect();
    cuts.extend([0, total]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// So many sizes with this sum, of one of four shapes.
fn layout(shape: &str, count: usize, total: usize, seed: u64) -> Vec<usize> {
    match shape {
        "equal" => {
            let mut sizes = vec![total / count; count];
            sizes[0] += total % count;
            sizes
        }
        "one large" => {
            let mut sizes = vec![100; count];
            sizes[count / 2] = total - 100 * (count - 1);
            sizes
        }
        "random" => random_sizes(count, total, seed),
        _ => {
            // A few files have most of it.
            let random = random_sizes(count, 1 << 30, seed);
            let weights: Vec<f64> = random.iter().map(|size| (*size as f64 + 1.0).powi(4)).collect();
            let sum: f64 = weights.iter().sum();
            let mut sizes: Vec<usize> =
                weights.iter().map(|weight| 1 + (weight / sum * (total - count) as f64) as usize).collect();
            let missing = total - sizes.iter().sum::<usize>();
            sizes[0] += missing;
            sizes
        }
    }
}

/// Number of files and bytes; with three other layouts for each, 21 pairs.
const TOTALS: [(usize, usize); 7] = [
    (40, 6 << 20),
    (100, 20 << 20),
    (1000, 6_000_000),
    (3000, 9_000_000),
    (1000, 15_000_000),
    (2000, 24_000_000),
    (1500, 40_000_000),
];

/// How often a pair that differs is made again with new keys.
const AGAIN: usize = 2;

#[test]
#[allow(clippy::print_stderr, reason = "what differed by chance is said")]
fn files_of_other_sizes_leave_objects_of_the_same_sizes() {
    let mut failed = Vec::new();
    let mut pairs = 0;
    for (count, first_total) in TOTALS {
        for seed in 0..seeds() {
            let total = first_total + 50_021 * seed as usize;
            let equal = || sizes_of_objects(&layout("equal", count, total, seed), 10_000);
            let expected = equal();
            for (number, shape) in (2..).zip(["one large", "random", "skewed"]) {
                let other = || sizes_of_objects(&layout(shape, count, total, seed), 10_000 * (4 * seed + number));
                let found = other();
                pairs += 1;
                if found == expected {
                    continue;
                }
                // Where a size is within a few bytes of a step of the padding, the key of the repository decides on which
                // side it falls, and every repository here has another one. What tells the sizes of files differs again.
                let by_chance = (0..AGAIN).any(|_| other() == equal());
                let differing = found.iter().zip(&expected).filter(|(left, right)| left != right);
                let differing = format!("{:?}", differing.collect::<Vec<_>>());
                if by_chance {
                    eprintln!("differs with one key: {shape}, {count} files, {total} bytes: {differing}");
                } else {
                    failed.push((shape, count, total, differing));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of {pairs} differ: {:?}", failed.len(), &failed[..failed.len().min(3)]);
}

/// More with `PRIVACY_SEEDS`.
fn seeds() -> u64 {
    std::env::var("PRIVACY_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1)
}

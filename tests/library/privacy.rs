//! What a destination shows to whoever holds it and has no key.

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

/// Backs up files of noise of these sizes; gives the sizes of what is on the destination then.
fn sizes_of_objects(sizes: &[usize], seed: u64) -> Vec<(String, u64)> {
    let world = World::new(&["primary"]);
    for (number, size) in sizes.iter().enumerate() {
        world.write(&format!("file{number:03}"), noise(*size, seed + number as u64));
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

#[test]
fn files_of_other_sizes_leave_objects_of_the_same_sizes() {
    let mut failed = Vec::new();
    let mut tries = 0;
    for (count, first_total) in [(40, 6 << 20), (100, 20 << 20)] {
        for seed in 0..seeds() {
            let total = (first_total + 50_021 * seed as usize) / count * count;
            let expected = sizes_of_objects(&vec![total / count; count], 1000);
            let found = sizes_of_objects(&random_sizes(count, total, seed), 2000 * (seed + 1));
            tries += 1;
            if found != expected {
                let differing = found.iter().zip(&expected).filter(|(left, right)| left != right);
                failed.push((count, total, format!("{:?}", differing.collect::<Vec<_>>())));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {tries} differ: {:?}", failed.len(), &failed[..failed.len().min(3)]);
}

/// More with `PRIVACY_SEEDS`.
fn seeds() -> u64 {
    std::env::var("PRIVACY_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(2)
}

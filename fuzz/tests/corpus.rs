//! The targets without libFuzzer: the committed inputs, and random changes of them for a second each
//! (`FUZZ_SECONDS` for more, `FUZZ_TARGET` for one of them).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cryptbackup_fuzz::{TARGETS, seeds};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = corpus(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("listed").path());
    let mut inputs: Vec<(PathBuf, Vec<u8>)> =
        paths.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect();
    inputs.sort();
    inputs
}

/// Says which input it was when a target panics.
struct Working<'a>(&'a str, &'a [u8]);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} failed on {:?}", self.0, self.1);
        }
    }
}

fn run(target: &str, input: &[u8]) {
    let _working = Working(target, input);
    cryptbackup_fuzz::run(target, input);
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let manifest = include_str!("../Cargo.toml");
    for (target, _) in TARGETS {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz_targets/{target}.rs"));
        let text = fs::read_to_string(&program).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        assert!(text.contains(&format!("cryptbackup_fuzz::run(\"{target}\", data)")), "{}", program.display());
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
        assert!(inputs(target).len() >= seeds::seeds(target).len(), "{target}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}

#[test]
fn the_committed_inputs_pass() {
    for (target, _) in TARGETS {
        for (_, input) in inputs(target) {
            run(target, &input);
        }
    }
}

/// Most seeds are valid: were they not any more, the search would begin from nothing.
#[test]
fn the_seeds_are_those_of_this_format() {
    for (target, _) in TARGETS {
        for (name, input) in seeds::seeds(target) {
            let stored = fs::read(corpus(target).join(name)).unwrap_or_default();
            assert_eq!(stored, input, "{target}/{name}: run the ignored test `make_corpus` and look at the difference");
        }
    }
}

#[test]
fn random_inputs_pass() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let only = std::env::var("FUZZ_TARGET").ok();
    for (target, _) in TARGETS.iter().filter(|(target, _)| only.as_deref().is_none_or(|only| only == *target)) {
        let inputs = inputs(target);
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut count = 0u64;
        while Instant::now() < end {
            let (_, input) = &inputs[dice.below(inputs.len())];
            let mut input = input.clone();
            for _ in 0..=dice.below(4) {
                change(&mut input, &mut dice);
            }
            run(target, &input);
            count += 1;
        }
        println!("{target}: {count} inputs");
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % limit.max(1)
    }
}

/// Flips, sets, inserts, removes or repeats something.
fn change(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let length = dice.below(8).min(input.len() - at);
    match dice.below(6) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 if at < input.len() => input[at] = [0, 1, 0x7F, 0x80, 0xFF][dice.below(5)],
        2 => input.insert(at, dice.below(256) as u8),
        3 => drop(input.drain(at..at + length)),
        4 => input.truncate(at),
        _ => {
            let piece = input[at..at + length].to_vec();
            input.splice(at..at, piece);
        }
    }
}

#[test]
#[ignore = "writes the committed inputs"]
fn make_corpus() {
    for (target, _) in TARGETS {
        fs::create_dir_all(corpus(target)).expect("a folder");
        for (name, input) in seeds::seeds(target) {
            fs::write(corpus(target).join(name), input).expect("written");
        }
    }
}

#[test]
#[ignore = "writes the keys, and every input that is sealed means something else from then on"]
fn make_keys() {
    use cryptbackup::format::id::RepoId;
    use cryptbackup::seal::Keys;
    use cryptbackup::seal::slots::{self, Secret};

    let repo = RepoId::from_bytes([7; 16]);
    let keys = Keys::generate(repo).expect("random keys");
    let secret = Secret::new_inline().expect("a random secret");
    let slot = slots::make(&keys, &secret).expect("a slot");
    let root = slots::open(&slot, repo, &secret).expect("its root key");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
    fs::write(folder.join("root"), *root).expect("written");
    fs::write(folder.join("ring"), keys.seal_ring().expect("sealed")).expect("written");
}

//! Four dangers, four places: byte layouts, threads, panics, and sentences for people.

use crate::assert_none;
use crate::code::sources;

/// A piece of code that may stand only where it is named.
struct Danger {
    what: &'static str,
    signs: &'static [&'static str],
    /// Files, or folders ending with `/`, and why it may stand there.
    places: &'static [(&'static str, &'static str)],
}

const DANGERS: &[Danger] = &[
    Danger {
        what: "a number becomes bytes, or bytes a number",
        signs: &["to_le_bytes", "from_le_bytes", "to_be_bytes", "from_be_bytes", "to_ne_bytes", "from_ne_bytes"],
        places: &[
            ("format/wire.rs", "stored bytes"),
            ("index/tables.rs", "keys of the local index, big-endian so that they sort"),
            ("index/file.rs", "pages of the database, before it takes memory for them"),
            ("spill/record.rs", "temporary files of this process"),
            ("backup/recheck.rs", "hashes stand on a ring"),
        ],
    },
    Danger {
        what: "threads",
        signs: &["thread::", "std::thread", "crossbeam_channel", "mpsc", "rayon::spawn", "rayon::scope"],
        places: &[
            ("memory.rs", "how many there are"),
            ("backup/ahead.rs", "the walk goes ahead of the scan"),
            ("backup/pipeline.rs", "readers, and the queues between the stages"),
            ("backup/stream.rs", "a read that waits cannot be interrupted"),
            ("repo/store/compressing.rs", "blocks on their way through the cores"),
            ("pack/buffer.rs", "memory that comes back from them"),
            ("replicate/lanes.rs", "one a destination"),
            ("destination/throttle.rs", "waits until it may write again"),
            ("replicate/neighbours.rs", "waits until a listing shows what was put"),
            ("replicate/reconcile.rs", "destinations are listed at once"),
            ("check/data.rs", "packs are read while others are verified"),
            ("repo/home.rs", "waits for the lock"),
            ("destination/conformance.rs", "the contract is kept under races"),
            ("destination/memory.rs", "can be made slow for tests"),
            ("watch/listen.rs", "what the file system tells comes from a thread"),
            ("watch/mod.rs", "waits where nothing is listened to"),
            ("cli/", "signals, the bar, the number of cores"),
        ],
    },
    Danger {
        what: "every core is used",
        signs: &["rayon::"],
        places: &[
            ("memory.rs", "how many of them"),
            ("repo/store.rs", "how many blocks may be on their way through the cores"),
            ("repo/store/compressing.rs", "blocks are compressed"),
            ("pack/writer.rs", "blocks are sealed, and the pack is verified"),
            ("check/data.rs", "packs are verified"),
            ("restore/window.rs", "blocks are opened"),
        ],
    },
    Danger {
        what: "a panic that says nothing",
        signs: &[".unwrap()", "unreachable!", "todo!", "unimplemented!", "dbg!"],
        places: &[],
    },
    Danger {
        what: "words for people",
        signs: &["println!", "print!", "stdout()", "stderr()"],
        places: &[("cli/", "the one place with sentences for people")],
    },
    Danger {
        what: "a cipher",
        signs: &["aes_gcm_siv", "argon2", "Aes256"],
        places: &[("seal/keys.rs", "objects"), ("seal/slots.rs", "the root key")],
    },
    Danger {
        what: "randomness",
        signs: &["getrandom"],
        places: &[("seal/keys.rs", "keys and salts"), ("destination/local/publish.rs", "names of temporary files")],
    },
];

fn is_in(path: &str, place: &str) -> bool {
    path == place || (place.ends_with('/') && path.starts_with(place))
}

#[test]
fn dangers_stay_in_their_places() {
    let mut offences = Vec::new();
    let files = sources();
    for danger in DANGERS {
        let mut used = vec![false; danger.places.len()];
        for file in &files {
            for (number, line) in file.lines() {
                let Some(sign) = danger.signs.iter().find(|sign| line.contains(**sign)) else { continue };
                match danger.places.iter().position(|(place, _)| is_in(&file.path, place)) {
                    Some(at) => used[at] = true,
                    None => offences.push(format!("src/{}:{number}: {} (`{sign}`)", file.path, danger.what)),
                }
            }
        }
        for ((place, _), used) in danger.places.iter().zip(used) {
            if !used {
                offences.push(format!("src/{place}: nothing there is about {} any more", danger.what));
            }
        }
    }
    assert_none(offences);
}

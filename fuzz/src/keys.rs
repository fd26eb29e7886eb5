//! The keys of the repository all inputs belong to. They are in files, so that inputs found once mean the same for ever;
//! `cargo test --no-default-features -- --ignored make_keys` made them.

use std::sync::LazyLock;

use cryptbackup::format::id::RepoId;
use cryptbackup::seal::Keys;

pub const REPO: RepoId = RepoId::from_bytes([7; 16]);

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let root = Box::new(*include_bytes!("../keys/root"));
    Keys::open_ring(REPO, (*root).into(), include_bytes!("../keys/ring")).expect("the ring of the fuzz targets")
});

pub fn keys() -> &'static Keys {
    &KEYS
}

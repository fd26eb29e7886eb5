//! T17: targets that change under the restore's hands: somebody turns folders and files into links, and back, all the
//! time. Whatever is restored, nothing is written through a link.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cryptbackup::format::id::SnapshotId;
use cryptbackup::format::tree::{Node, NodeKind};
use cryptbackup::repo::Repo;
use cryptbackup::restore::{Overwrite, RestoreRequest};
use rustix::fs::RenameFlags;

use crate::forge::{Forge, node};
use crate::support::{World, Zone, restore_with, snapshot};

const FOLDERS: usize = 12;

/// Folders with a little of everything in them, and everything again one folder below.
fn hostile_free_tree(forge: &mut Forge) -> SnapshotId {
    let mut folders = Vec::new();
    for number in 0..FOLDERS {
        let mut nodes: Vec<Node> = Vec::new();
        for level in 0..3 {
            let below = std::mem::take(&mut nodes);
            if level > 0 {
                nodes.push(forge.below(b"below", &below));
            }
            let mut twin = forge.file(b"content", format!("restored {number}").as_bytes());
            (twin.metadata.links, twin.metadata.device, twin.metadata.inode) = (2, 1, (number * 10 + level) as u64);
            nodes.push(twin.clone());
            nodes.push(node(b"link", NodeKind::Symlink(b"content".to_vec())));
            let mut pipe = node(b"pipe", NodeKind::Fifo);
            pipe.metadata.mode = 0o777;
            nodes.push(pipe);
            twin.name = b"twin".to_vec();
            nodes.push(twin);
        }
        folders.push(forge.below(format!("folder{number:02}").as_bytes(), &nodes));
    }
    forge.commit_nodes(&folders)
}

/// Swaps everything it finds in the target for links that lead outside, one after the other, and back. Nothing outside has
/// one of those names, or it would be changed by this.
fn swap_until(stop: &AtomicBool, swaps: &AtomicU64, root: &Path, outside: &Path) {
    let decoys = [outside.to_path_buf(), outside.join("precious"), outside.join("folder")];
    let spare = root.with_file_name("spare");
    let mut turn = 0usize;
    while !stop.load(Ordering::Relaxed) {
        for number in 0..FOLDERS {
            let folder = root.join(format!("folder{number:02}"));
            for place in ["", "below", "below/below", "content", "pipe", "twin", "below/pipe", "below/content"] {
                turn += 1;
                let place = folder.join(place);
                let _ = fs::remove_file(&spare);
                if symlink(&decoys[turn % decoys.len()], &spare).is_err() {
                    continue;
                }
                let swap = || {
                    rustix::fs::renameat_with(rustix::fs::CWD, &spare, rustix::fs::CWD, &place, RenameFlags::EXCHANGE)
                };
                if swap().is_ok() {
                    swaps.fetch_add(1, Ordering::Relaxed);
                    std::thread::yield_now();
                    if !turn.is_multiple_of(3) {
                        let _ = swap();
                    }
                    if spare.is_dir() {
                        let _ = fs::remove_dir_all(&spare);
                    }
                }
            }
        }
    }
}

fn race(repo: &Repo, zone: &Zone, id: SnapshotId, time: Duration) -> (u64, u64) {
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let root = zone.target().join("source");
    let mut restores = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| swap_until(&stop, &swaps, &root, &zone.outside()));
        let began = Instant::now();
        while began.elapsed() < time {
            let request = RestoreRequest {
                destination: Some(zone.target()),
                overwrite: if restores % 4 == 3 { Overwrite::IfChanged } else { Overwrite::Always },
                delete: restores % 3 == 1,
                verify: restores % 2 == 1,
                ..snapshot(id)
            };
            // It may well fail; it must not lead outside.
            let _ = restore_with(repo, request);
            restores += 1;
            if restores % 5 == 0 {
                let _ = fs::remove_dir_all(&root);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    (restores, swaps.into_inner())
}

fn races(time: Duration) {
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let id = hostile_free_tree(&mut forge);
    forge.publish(&world);
    let (restores, swaps) = race(&world.open(), &zone, id, time);
    println!("{restores} restores, {swaps} swaps under their hands");
    zone.assert_untouched("a race");
    assert!(restores > 1 && swaps > 0, "{restores} restores, {swaps} swaps");
}

#[test]
fn t17_links_that_appear_during_a_restore_are_not_followed() {
    races(Duration::from_secs(3));
}

#[test]
#[ignore = "three minutes"]
fn t17_links_that_appear_during_many_restores_are_not_followed() {
    races(Duration::from_secs(180));
}

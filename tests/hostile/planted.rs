//! T17: targets in which something hostile lies in wait: links, pipes and files where folders belong, folders where
//! files belong, at every place that a restore writes to.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cryptbackup::format::tree::NodeKind;
use cryptbackup::restore::{Overwrite, RestoreRequest};
use rustix::fs::{CWD, FileType, Mode};

use crate::forge::{Forge, node};
use crate::support::{World, Zone, restore_with, snapshot};

/// What lies in wait, and how it is put there.
type Trap = (&'static str, fn(&Path, &Path));

const TRAPS: [Trap; 10] = [
    ("nothing", |_, _| {}),
    ("a file", |place, _| fs::write(place, "in the way").unwrap()),
    ("a link to a file", |place, outside| symlink(outside.join("precious"), place).unwrap()),
    ("a link to a folder", |place, outside| symlink(outside, place).unwrap()),
    ("a relative link", |place, _| symlink("../../outside/folder", place).unwrap()),
    ("a link to nothing", |place, outside| symlink(outside.join("new"), place).unwrap()),
    ("a link to itself", |place, _| symlink(place, place).unwrap()),
    ("a pipe", |place, _| rustix::fs::mknodat(CWD, place, FileType::Fifo, Mode::RWXU, 0).unwrap()),
    ("a folder", |place, _| fs::create_dir(place).unwrap()),
    ("a full folder", |place, outside| {
        fs::create_dir_all(place.join("folder")).unwrap();
        symlink(outside, place.join("inside")).unwrap();
        symlink(outside, place.join("folder/link")).unwrap();
        fs::hard_link(outside.join("precious"), place.join("precious")).unwrap();
    }),
];

const PLACES: [&str; 7] =
    ["source", "source/file", "source/folder", "source/folder/inside", "source/link", "source/pipe", "source/twin"];

#[test]
fn t17_traps_in_the_target_are_not_walked_into() {
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let inside = forge.file(b"inside", b"restored");
    let as_twin = |mut node: cryptbackup::format::tree::Node, name: &[u8]| {
        node.name = name.to_vec();
        (node.metadata.links, node.metadata.device, node.metadata.inode) = (2, 1, 9);
        node
    };
    let file = forge.file(b"file", b"restored too");
    let nodes = [
        as_twin(file.clone(), b"file"),
        forge.below(b"folder", &[inside]),
        node(b"link", NodeKind::Symlink(b"folder".to_vec())),
        node(b"pipe", NodeKind::Fifo),
        as_twin(file, b"twin"),
    ];
    let id = forge.commit_nodes(&nodes);
    forge.publish(&world);
    let repo = world.open();
    let mut count = 0;
    for place in PLACES {
        for (what, put) in TRAPS {
            for overwrite in [Overwrite::Always, Overwrite::IfChanged, Overwrite::IfNewer, Overwrite::Never] {
                let delete = count % 2 == 0;
                let at = zone.target().join(place);
                fs::create_dir_all(at.parent().expect("a folder")).expect("made");
                put(&at, &zone.outside());
                let request = RestoreRequest {
                    destination: Some(zone.target()),
                    overwrite,
                    delete,
                    verify: true,
                    ..snapshot(id)
                };
                let report = restore_with(&repo, request).expect("it ends");
                let case = format!("{what} at {place}, {overwrite:?}, delete {delete}");
                // What is not replaced is said, or was asked for.
                if overwrite == Overwrite::Always && report.problems.is_empty() {
                    let restored = fs::read(zone.target().join("source/folder/inside"));
                    assert_eq!(restored.expect(&case), b"restored", "{case}");
                    assert!(fs::symlink_metadata(zone.target().join("source/file")).expect(&case).is_file(), "{case}");
                }
                // The other name that a full folder has of it must not count as a change of what is outside.
                zone.clear();
                zone.assert_untouched(&case);
                count += 1;
            }
        }
    }
    println!("{count} targets with traps");
    assert!(count >= 200);
}

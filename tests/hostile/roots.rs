//! T17: snapshots whose sources are hostile: paths that climb, and one source that puts a link where the next goes.

use std::fs;

use cryptbackup::format::id::SnapshotId;
use cryptbackup::format::tree::NodeKind;
use cryptbackup::repo::{self, Home, Secret};
use cryptbackup::report::Silent;
use cryptbackup::restore::RestoreRequest;

use crate::forge::{Forge, node};
use crate::support::{World, Zone, restore_snapshot, restore_with, snapshot};

fn cases(forge: &mut Forge, zone: &Zone) -> Vec<(String, SnapshotId)> {
    let outside = cryptbackup::paths::to_bytes(&zone.outside()).to_vec();
    let precious = cryptbackup::paths::to_bytes(&zone.outside().join("precious")).to_vec();
    let inside = forge.file(b"inside", b"overwritten");
    let folder = forge.below(b"", &[inside]);
    let file = forge.file(b"", b"overwritten");
    let link = |target: &[u8]| node(b"", NodeKind::Symlink(target.to_vec()));
    let links =
        [node(b"folder", NodeKind::Symlink(outside.clone())), node(b"link", NodeKind::Symlink(precious.clone()))];
    let with_links = forge.below(b"", &links);
    let mut cases = Vec::new();
    // What one path may be.
    for path in [
        &b"/../outside"[..],
        b"/../../outside/precious",
        b"..",
        b"../outside",
        b"/",
        b"",
        b"//",
        b".",
        b"/.",
        b"relative",
        b"/a/../../outside",
        &outside,
        &precious,
        &[b'x'; 5000],
        b"/a\nb",
    ] {
        for (what, root) in
            [("folder", &folder), ("file", &file), ("link", &link(&outside)), ("pipe", &node(b"", NodeKind::Fifo))]
        {
            let case = format!("a {what} at {:?}", path.escape_ascii().to_string());
            cases.push((case, forge.commit(vec![(path.to_vec(), root.clone())])));
        }
    }
    // A link first, then something at or below it.
    let pairs: Vec<(&[u8], _, &[u8])> = vec![
        (b"/a", with_links.clone(), b"/a/folder"),
        (b"/a", with_links.clone(), b"/a/folder/folder"),
        (b"/a", with_links.clone(), b"/a/link"),
        (b"/a", with_links.clone(), b"/a/folder/precious"),
        (b"/a", link(&outside), b"/a/folder"),
        (b"/a", link(&outside), b"/a/new"),
        (b"/a", link(&outside), b"/a/new/deeper"),
        (b"/a", link(&outside), b"//a"),
        (b"/a", link(&outside), b"/a/"),
        (b"/a", link(&precious), b"/a/."),
        (b"/a", link(b".."), b"/a/x"),
        (b"/", with_links, b"/folder/folder"),
    ];
    for (first_path, first, second_path) in pairs {
        for (what, second) in [("folder", &folder), ("file", &file), ("link", &link(b"overwritten"))] {
            let mut roots = vec![(first_path.to_vec(), first.clone()), (second_path.to_vec(), second.clone())];
            roots.sort_by(|left, right| left.0.cmp(&right.0));
            let case =
                format!("a link at {:?}, then a {what} at {:?}", first_path, second_path.escape_ascii().to_string());
            cases.push((case, forge.commit(roots)));
        }
    }
    cases
}

#[test]
fn t17_hostile_sources_stay_in_the_target() {
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let cases = cases(&mut forge, &zone);
    forge.publish(&world);
    let repo = world.open();
    for (case, id) in &cases {
        for delete in [false, true] {
            let request = RestoreRequest { destination: Some(zone.target()), delete, ..snapshot(*id) };
            // Twice: what the first one left must not lead the second one out.
            for _ in 0..2 {
                let _ = restore_with(&repo, request.clone());
            }
            zone.assert_untouched(case);
        }
    }
    println!("{} snapshots with hostile sources, each restored four times", cases.len());
}

#[test]
fn t17_a_source_below_a_link_is_a_problem_and_the_others_are_restored() {
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let file = forge.file(b"file", b"content");
    let folder = forge.below(b"", &[file]);
    let outside = cryptbackup::paths::to_bytes(&zone.outside()).to_vec();
    let link = node(b"", NodeKind::Symlink(outside));
    let roots = [(&b"/a"[..], link), (b"/a/below", folder.clone()), (b"/b", folder)];
    let id = forge.commit(roots.map(|(path, root)| (path.to_vec(), root)).to_vec());
    forge.publish(&world);
    let report = restore_snapshot(&world.open(), id, &zone.target()).expect("restored");
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].path, zone.target().join("a/below"));
    assert_eq!(fs::read(zone.target().join("b/file")).expect("restored"), b"content");
    zone.assert_untouched("a source below a link");
}

#[test]
fn a_path_that_no_source_can_have_does_not_keep_a_machine_from_being_set_up() {
    let world = World::new();
    let mut forge = Forge::new(&world);
    let folder = forge.below(b"", &[]);
    let paths = [&b""[..], b"/a", b"/a/", b"/a/../b", b"/c", b"relative"];
    forge.commit(paths.map(|path| (path.to_vec(), folder.clone())).to_vec());
    forge.publish(&world);
    let key = world.home.settings().expect("the settings").encryption.key.expect("a key");
    let home = Home::at(world.path("another home"));
    repo::connect(&home, &world.path("primary"), Some(Secret::Inline(key)), None, &Silent).expect("connected");
    let settings = home.settings().expect("they can be read again");
    let paths: Vec<_> = settings.sources.iter().map(|source| source.path.to_str().expect("text")).collect();
    assert_eq!(paths, ["/a", "/c"]);
}

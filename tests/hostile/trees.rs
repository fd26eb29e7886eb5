//! T17: authenticated but hostile trees: names that climb, entries that are in each other's way, lengths that lie, depth
//! and numbers without end. Nothing beside the target changes, nothing panics or hangs, and memory stays small.

use std::fs;
use std::path::Path;

use cryptbackup::format::id::{ChunkKind, SnapshotId};
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::Time;
use cryptbackup::format::tree::{Attribute, Flags, Node, NodeKind, TREE_VERSION};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, Overwrite, RestoreRequest};

use crate::forge::{Forge, node, nowhere};
use crate::support::{Dice, World, Zone, restore_snapshot, restore_with, snapshot};

/// Snapshots, each with what is hostile about it.
type Cases = Vec<(String, SnapshotId)>;

/// One node of every kind, with this name. The link leads outside.
fn kinds(forge: &mut Forge, name: &[u8], outside: &Path) -> Vec<(&'static str, Node)> {
    let inside = forge.file(b"inside", b"overwritten");
    let link = cryptbackup::paths::to_bytes(outside).to_vec();
    vec![
        ("file", forge.file(name, b"overwritten")),
        ("folder", forge.below(name, &[inside])),
        ("link", node(name, NodeKind::Symlink(link))),
        ("pipe", node(name, NodeKind::Fifo)),
        ("socket", node(name, NodeKind::Socket)),
        ("device", node(name, NodeKind::CharDevice(1, 3))),
    ]
}

fn names(forge: &mut Forge, zone: &Zone, cases: &mut Cases) {
    let absolute = cryptbackup::paths::to_bytes(&zone.outside().join("precious")).to_vec();
    let names: [&[u8]; 14] = [
        b"",
        b".",
        b"..",
        b"../outside/precious",
        b"..\0",
        b"/",
        &absolute,
        b"a/b",
        b"a/../../outside/precious",
        b"precious\0",
        b"\0",
        &[b'x'; 1025],
        &[b'/'; 2000],
        b"folder/",
    ];
    for name in names {
        for (kind, hostile) in kinds(forge, name, &zone.outside()) {
            let mut nodes = [forge.file(b"aa", b"good"), hostile, forge.file(b"zz", b"good")];
            nodes.sort_by(|left, right| left.name.cmp(&right.name));
            let what = format!("a {kind} called {:?}", &name.escape_ascii().to_string()[..name.len().min(30)]);
            cases.push((what, forge.commit_nodes(&nodes)));
        }
    }
    // Accepted by the format, refused or not by the system.
    for name in [&[b'x'; 256][..], &[b'x'; 1024], b"-rf *", b"..\\..", b"C:", b"\xff\xfe", b"a\nb", b"con."] {
        for (kind, odd) in kinds(forge, name, &zone.outside()) {
            cases.push((format!("an odd {kind}"), forge.commit_nodes(&[odd])));
        }
    }
}

/// The same name twice, and names that do not ascend: a link first, then what would go through it.
fn orders(forge: &mut Forge, zone: &Zone, cases: &mut Cases) {
    for (first_name, second_name) in [(&b"folder"[..], &b"folder"[..]), (b"folder", b"a")] {
        let (firsts, seconds) = (kinds(forge, first_name, &zone.outside()), kinds(forge, second_name, &zone.outside()));
        for (first_kind, first) in &firsts {
            for (second_kind, second) in &seconds {
                let id = forge.commit_nodes(&[first.clone(), second.clone()]);
                cases.push((format!("{first_kind}, then {second_kind} of no later name"), id));
            }
        }
    }
}

/// Names that claim to be the same inode.
fn inodes(forge: &mut Forge, zone: &Zone, cases: &mut Cases) {
    let claim = |mut node: Node| {
        (node.metadata.links, node.metadata.device, node.metadata.inode) = (u64::MAX, 1, 7);
        node.metadata.mode = 0o4777;
        node
    };
    let outside = zone.outside().join("precious");
    let (firsts, seconds) = (kinds(forge, b"a", &outside), kinds(forge, b"b", &outside));
    for (first_kind, first) in &firsts {
        for (second_kind, second) in &seconds {
            let nodes = [claim(first.clone()), claim(second.clone())];
            cases.push((format!("{second_kind} that is the same inode as {first_kind}"), forge.commit_nodes(&nodes)));
        }
    }
}

fn recipes(forge: &mut Forge, cases: &mut Cases) {
    let good = forge.chunk(ChunkKind::Data, b"0123456789");
    let recipe = |depth, size, parts: &[Part]| Recipe { depth, size, parts: parts.to_vec() };
    let mut list = Vec::new();
    for _ in 0..1000 {
        list.extend(Part::Hole { len: u64::MAX / 4 }.encode().expect("a part"));
    }
    let endless = forge.chunk(ChunkKind::Tree, &list);
    let cut = forge.chunk(ChunkKind::Tree, &list[..15]);
    let lists = forge.chunk(ChunkKind::Tree, &endless.encode().expect("a part").repeat(30));
    let huge = |len| Part::Hole { len };
    let all = [
        recipe(0, 11, &[good]),
        recipe(0, 20, &[good]),
        recipe(0, u64::MAX, &[huge(u64::MAX)]),
        recipe(0, 1 << 63, &[huge(1 << 63)]),
        recipe(0, (1 << 63) + 10, &[good, huge(1 << 63)]),
        recipe(0, (1 << 62) + 10, &[huge(1 << 62), good]),
        recipe(0, 9, &[good, huge(u64::MAX)]),
        recipe(0, 0, &[huge(0)]),
        recipe(0, 330, &[good; 33]),
        recipe(0, u32::MAX.into(), &[nowhere(u32::MAX)]),
        recipe(0, 5, &[nowhere(5)]),
        recipe(1, 10, &[good]),
        recipe(1, u64::MAX, &[endless]),
        recipe(1, 10, &[huge(10)]),
        recipe(1, 10, &[cut]),
        recipe(2, u64::MAX, &[lists; 32]),
        recipe(2, 10, &[endless]),
        recipe(4, 10, &[endless]),
        recipe(5, 10, &[good]),
        recipe(255, u64::MAX, &[]),
        recipe(4, u64::MAX, &[]),
        recipe(1, 1, &[]),
    ];
    for (number, recipe) in all.into_iter().enumerate() {
        for kind in [NodeKind::File(recipe.clone()), NodeKind::Folder(recipe)] {
            let nodes = [node(b"a", kind), forge.file(b"b", b"good")];
            cases.push((format!("recipe {number}"), forge.commit_nodes(&nodes)));
        }
    }
    // Streams that are no trees.
    for stream in
        [&b""[..], &[TREE_VERSION, 0xFF], &[2], &[TREE_VERSION, 0x80, 0x80, 0x80, 0x80, 0x7F], &[TREE_VERSION, 0]]
    {
        let recipe = forge.recipe(ChunkKind::Tree, stream);
        let nodes = [node(b"a", NodeKind::Folder(recipe)), forge.file(b"b", b"good")];
        cases.push((format!("the stream {stream:?}"), forge.commit_nodes(&nodes)));
    }
}

fn metadata(forge: &mut Forge, zone: &Zone, cases: &mut Cases) {
    let attribute = |name: &[u8], value: &[u8]| Attribute { name: name.to_vec(), value: value.to_vec() };
    type Change = Box<dyn Fn(&mut Node)>;
    let attributes = |list: Vec<Attribute>| -> Change { Box::new(move |node| node.metadata.attributes = list.clone()) };
    let changes: Vec<Change> = vec![
        Box::new(|node| node.metadata.mtime = Time { seconds: i64::MAX, nanos: 999_999_999 }),
        Box::new(|node| node.metadata.mtime = Time { seconds: i64::MIN, nanos: 0 }),
        Box::new(|node| node.metadata.mtime.nanos = 1_000_000_000),
        Box::new(|node| (node.metadata.uid, node.metadata.gid) = (u32::MAX, u32::MAX)),
        Box::new(|node| node.metadata.mode = 0o7777),
        Box::new(|node| node.metadata.mode = u32::MAX),
        Box::new(|node| node.metadata.mode = 0),
        Box::new(|node| node.metadata.links = 0),
        Box::new(|node| node.flags = Flags::UNREAD.with(Flags::CARRIED).with(Flags::UNSETTLED)),
        attributes(vec![attribute(b"", b"")]),
        attributes(vec![attribute(b"user.x\0y", b"")]),
        attributes(vec![attribute(&[b'u'; 70_000], b"")]),
        attributes(vec![attribute(b"user.large", &[1; 1 << 20])]),
        attributes(vec![attribute(b"system.posix_acl_access", b"nonsense")]),
        attributes(vec![attribute(b"trusted.overlay.opaque", b"y")]),
        attributes(vec![attribute(b"user.twice", b"1"), attribute(b"user.twice", b"2")]),
    ];
    let outside = zone.outside().join("precious");
    for (number, change) in changes.iter().enumerate() {
        for (kind, mut odd) in kinds(forge, b"odd", &outside) {
            change(&mut odd);
            cases.push((format!("a {kind} with metadata {number}"), forge.commit_nodes(&[odd])));
        }
    }
    for (major, minor) in [(u32::MAX, u32::MAX), (0, 0), (8, 0)] {
        for kind in [NodeKind::CharDevice(major, minor), NodeKind::BlockDevice(major, minor)] {
            cases.push((format!("device {major}:{minor}"), forge.commit_nodes(&[node(b"device", kind)])));
        }
    }
    for target in [&b""[..], b"\0", b"..", &[b'x'; 5000]] {
        let link = node(b"link", NodeKind::Symlink(target.to_vec()));
        cases.push((format!("a link to {} bytes", target.len()), forge.commit_nodes(&[link])));
    }
}

#[test]
fn t17_hostile_trees_stay_in_the_target() {
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let mut cases = Cases::new();
    names(&mut forge, &zone, &mut cases);
    orders(&mut forge, &zone, &mut cases);
    inodes(&mut forge, &zone, &mut cases);
    recipes(&mut forge, &mut cases);
    metadata(&mut forge, &zone, &mut cases);
    forge.publish(&world);
    let repo = world.open();
    let mut with_problems = 0;
    for (case, id) in &cases {
        let result = restore_snapshot(&repo, *id, &zone.target());
        with_problems += usize::from(!result.is_ok_and(|report| report.problems.is_empty()));
        zone.assert_untouched(case);
    }
    println!("{} hostile trees, {with_problems} of them restored with problems", cases.len());
    assert!(cases.len() >= 200 && with_problems > 100, "{with_problems} of {}", cases.len());
}

#[test]
fn t17_what_is_good_beside_what_is_hostile_is_restored() {
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let nodes = [
        forge.file(b"a", b"good"),
        node(b"b", NodeKind::File(Recipe { depth: 0, size: 5, parts: vec![nowhere(5)] })),
        forge.file(b"c", b"good"),
    ];
    let id = forge.commit_nodes(&nodes);
    forge.publish(&world);
    let report = restore_snapshot(&world.open(), id, &zone.target()).expect("restored");
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    for name in ["a", "c"] {
        assert_eq!(fs::read(zone.target().join("source").join(name)).expect("restored"), b"good");
    }
}

/// A chain of folders, each in the one before.
fn chain(forge: &mut Forge, depth: usize, name: &[u8]) -> Node {
    let mut innermost = forge.file(b"file", b"the innermost");
    for _ in 0..depth {
        innermost = forge.below(name, &[innermost]);
    }
    innermost
}

/// Restores a chain of folders in a process of its own, so that its memory can be told; gives the peak in MiB.
fn restore_chain(depth: usize, name_len: usize) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(program)
        .args(["--exact", "trees::child_restores_a_chain", "--ignored", "--nocapture"])
        .env("HOSTILE_CHAIN", format!("{depth} {name_len}"))
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let peak = text.split("peak MiB ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    println!(
        "{depth} deep, names of {name_len} bytes: {}",
        text.lines().find(|line| line.contains("peak")).unwrap_or_default()
    );
    peak.expect("a peak")
}

/// The most memory this process ever had, in MiB.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("what the kernel says of this process");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") >> 10
}

#[test]
#[ignore = "the child of the tests of deep trees"]
fn child_restores_a_chain() {
    let Ok(how) = std::env::var("HOSTILE_CHAIN") else { return };
    let (depth, name_len) = how.split_once(' ').expect("two numbers");
    let (depth, name_len): (usize, usize) = (depth.parse().expect("depth"), name_len.parse().expect("length"));
    let world = World::new();
    let zone = Zone::new(&world);
    let mut forge = Forge::new(&world);
    let chain = chain(&mut forge, depth, &vec![b'n'; name_len]);
    let id = forge.commit_nodes(&[chain]);
    forge.publish(&world);
    let before = peak_mib();
    let began = std::time::Instant::now();
    let request = RestoreRequest { destination: Some(zone.target()), ..snapshot(id) };
    let repo = world.open();
    let plan = restore::plan(&repo, request, &Silent).expect("a plan");
    let report = restore::execute(&repo, plan, &Silent).expect("it ends");
    let peak = peak_mib();
    println!(
        "peak MiB {peak} (before {before}), {} folders, {} problems, {:?}",
        report.folders,
        report.problems.len(),
        began.elapsed()
    );
    std::process::Command::new("rm").arg("-rf").arg(zone.target()).status().expect("removed");
    zone.assert_untouched("a chain");
}

#[test]
fn t17_deep_trees_end_and_take_little_memory() {
    let peak = restore_chain(2_000, 255);
    assert!(peak < 100, "{peak} MiB");
}

#[test]
#[ignore = "ten minutes"]
fn t17_trees_100000_deep_end_and_take_little_memory() {
    for (depth, name_len) in [(100_000, 1), (25_000, 255)] {
        let peak = restore_chain(depth, name_len);
        assert!(peak < 1000, "{peak} MiB");
    }
}

/// A folder of nodes thrown together, its stream then changed here and there.
fn random_tree(forge: &mut Forge, dice: &mut Dice, known: &[Node], depth: usize) -> Recipe {
    let names: [&[u8]; 12] = [b"a", b"b", b"c", b"d", b"..", b".", b"", b"a/b", b"/", b"..\0", b"folder", b"precious"];
    let mut nodes = Vec::new();
    for _ in 0..dice.below(5) {
        let mut node = dice.one(known).clone();
        node.name = dice.one(&names).to_vec();
        if depth > 0 && dice.below(4) == 0 {
            node.kind = NodeKind::Folder(random_tree(forge, dice, known, depth - 1));
        }
        if dice.below(4) == 0 {
            (node.metadata.links, node.metadata.device, node.metadata.inode) = (2, 1, dice.below(3) as u64);
        }
        nodes.push(node);
    }
    if dice.below(3) > 0 {
        nodes.sort_by(|left, right| left.name.cmp(&right.name));
        nodes.dedup_by(|left, right| left.name == right.name);
    }
    let mut stream = vec![TREE_VERSION];
    stream.extend(nodes.iter().flat_map(|node| node.encode().expect("encoding does not judge")));
    for _ in 0..dice.below(4) {
        let at = dice.below(stream.len());
        match dice.below(4) {
            0 => stream[at] ^= 1 << dice.below(8),
            1 => stream[at] = *dice.one(&[0, 1, 2, b'.', b'/', 0x7F, 0x80, 0xFF]),
            2 => stream.truncate(at.max(1)),
            _ => stream.insert(at, dice.below(256) as u8),
        }
    }
    forge.recipe(ChunkKind::Tree, &stream)
}

/// Restores `rounds` times `trees` random trees, all of a round below one folder.
fn random_trees(rounds: u64, trees: u64) {
    let mut restored = 0;
    let mut problems = 0;
    for round in 0..rounds {
        let world = World::in_memory();
        let zone = Zone::new(&world);
        let mut forge = Forge::new(&world);
        let mut dice = Dice::new(round + 1);
        let known: Vec<Node> = [&b".."[..], b"/etc", b"a"]
            .iter()
            .map(|target| node(b"", NodeKind::Symlink(target.to_vec())))
            .chain(kinds(&mut forge, b"", &zone.outside()).into_iter().map(|(_, node)| node))
            .collect();
        let roots = (0..trees).map(|number| {
            let recipe = random_tree(&mut forge, &mut dice, &known, 3);
            node(format!("{number:08}").as_bytes(), NodeKind::Folder(recipe))
        });
        let nodes: Vec<Node> = roots.collect();
        let id = forge.commit_nodes(&nodes);
        forge.publish(&world);
        let repo = world.open();
        // The second time over what the first one left.
        for overwrite in [Overwrite::Always, Overwrite::IfNewer] {
            let request =
                RestoreRequest { destination: Some(zone.target()), overwrite, delete: round % 2 == 1, ..snapshot(id) };
            let report = restore_with(&repo, request).expect("it ends");
            assert!(report.folders >= trees);
            problems += report.problems.len();
        }
        zone.assert_untouched(&format!("random trees of round {round}"));
        restored += trees;
    }
    println!("{restored} random trees, each restored twice, {problems} problems");
    assert!(problems > 0);
}

#[test]
fn t17_random_trees_stay_in_the_target() {
    random_trees(2, 400);
}

#[test]
#[ignore = "a quarter of an hour"]
fn t17_a_million_random_trees_stay_in_the_target() {
    random_trees(200, 5000);
}

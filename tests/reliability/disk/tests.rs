//! The simulator itself: what is synced is never lost, what is not may be, and a destination on it keeps the contract.

use std::path::{Path, PathBuf};

use cryptbackup::destination::disk::{Disk, Roots};
use cryptbackup::destination::{Destination, LocalDestination, Settle, conformance};
use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::id::{DestinationId, PackId, RepoId};
use cryptbackup::format::layout::ObjectName;
use proptest::prelude::*;

use super::crash::Policy;
use super::trouble::{Failure, Fault, Listing, Quirks};
use super::{Image, SimulatedMachine, contents};

const POLICIES: [Policy; 6] =
    [Policy::Kill, Policy::All, Policy::Nothing, Policy::Ordered, Policy::Names, Policy::Hostile];

fn machine() -> SimulatedMachine {
    SimulatedMachine::new(vec![PathBuf::from("/disk")])
}

fn disk(machine: &SimulatedMachine) -> Box<dyn Disk> {
    machine.open_root(Path::new("/disk")).expect("opens")
}

/// What is at a path after a crash.
fn left(image: &Image, path: &str) -> Option<Vec<u8>> {
    contents(&image.0[0]).remove(path)
}

#[test]
fn what_is_synced_survives_every_crash() {
    let machine = machine();
    let disk = disk(&machine);
    disk.write_new("temporary", &[5; 3000]).expect("written");
    disk.rename_new("temporary", "name").expect("renamed");
    disk.sync_folder("").expect("synced");
    for policy in POLICIES {
        for seed in 0..50 {
            let image = machine.image().crash(policy, seed);
            assert_eq!(left(&image, "name").as_deref(), Some(&[5; 3000][..]), "{policy:?} {seed}");
        }
    }
}

#[test]
fn a_name_that_is_not_synced_is_lost_under_some_seeds_and_not_under_others() {
    let machine = machine();
    let disk = disk(&machine);
    disk.write_new("new", b"bytes").expect("written");
    let is_there = |policy, seed| left(&machine.image().crash(policy, seed), "new").is_some();
    for policy in [Policy::Ordered, Policy::Hostile] {
        assert!((0..50).any(|seed| is_there(policy, seed)), "{policy:?}");
        assert!((0..50).any(|seed| !is_there(policy, seed)), "{policy:?}");
    }
    assert!(!is_there(Policy::Nothing, 1) && is_there(Policy::All, 1) && is_there(Policy::Names, 1));
    let killed = machine.image().crash(Policy::Kill, 1);
    assert!(left(&killed, "new").is_some(), "the machine ran on");
    assert!(left(&killed.crash(Policy::Nothing, 1), "new").is_none(), "and that made nothing durable");
}

#[test]
fn bytes_that_are_not_synced_are_torn() {
    let machine = machine();
    let disk = disk(&machine);
    // A write that is cut off: its sync fails, and the file stays.
    machine.0.state().fault = Some(Fault::new(0, Failure::Sync));
    disk.write_new("torn", &[9; 4096]).expect_err("the sync fails");
    machine.0.state().fault = None;
    disk.sync_folder("").expect("synced");
    assert_eq!(disk.read("torn", None, 4096).expect("still in memory"), [9; 4096]);
    for policy in [Policy::All, Policy::Hostile] {
        for seed in 0..50 {
            let bytes = left(&machine.image().crash(policy, seed), "torn").expect("its name is durable");
            assert!(
                !bytes.windows(16).any(|window| window == [9; 16]),
                "a failed sync lost the bytes: {policy:?} {seed}"
            );
        }
    }
}

#[test]
fn a_name_that_a_failed_sync_lost_is_durable_when_it_is_given_again() {
    let machine = machine();
    let disk = disk(&machine);
    disk.write_new("lost", b"bytes").expect("written");
    machine.0.state().fault = Some(Fault::new(0, Failure::Sync));
    disk.sync_folder("").expect_err("the sync fails");
    machine.0.state().fault = None;
    disk.write_new("beside", b"later").expect("written");
    disk.sync_folder("").expect("it says so");
    let is_left = |name| left(&machine.image().crash(Policy::Nothing, 0), name).is_some();
    assert_eq!((is_left("lost"), is_left("beside")), (false, true));
    assert!(disk.look("lost").is_ok(), "whoever lists the folder finds it");
    disk.write_new("again", b"bytes").expect("written");
    disk.rename("again", "lost").expect("renamed");
    disk.sync_folder("").expect("synced");
    assert!(is_left("lost"));
}

#[test]
fn an_old_name_or_a_new_one_survives_and_never_none() {
    let machine = machine();
    let disk = disk(&machine);
    disk.write_new("file", b"old").expect("written");
    disk.sync_folder("").expect("synced");
    disk.write_new("beside", b"new").expect("written");
    disk.rename("beside", "file").expect("renamed");
    let mut seen = std::collections::BTreeSet::new();
    for policy in POLICIES {
        for seed in 0..50 {
            seen.insert(left(&machine.image().crash(policy, seed), "file").expect("one of both"));
        }
    }
    assert_eq!(seen, [b"new".to_vec(), b"old".to_vec()].into());
}

#[test]
fn a_liar_syncs_nothing() {
    let machine = machine();
    std::sync::Arc::make_mut(&mut machine.0.state().image.0[0]).is_lying = true;
    let disk = disk(&machine);
    disk.write_new("file", b"bytes").expect("written");
    disk.sync_folder("").expect("it says so");
    assert!(left(&machine.image().crash(Policy::Nothing, 0), "file").is_none());
}

#[test]
fn errors_hit_what_they_were_ordered_for() {
    for failure in Failure::ALL {
        let machine = machine();
        let disk = disk(&machine);
        machine.0.state().fault = Some(Fault::new(2, failure));
        let first = disk.write_new("file", &[1; 2000]);
        let hit = machine.0.state().fault.as_ref().and_then(|fault| fault.hit.clone());
        assert!(first.is_err() == hit.is_some(), "{failure:?}: {first:?}, {hit:?}");
        assert!(first.is_err(), "{failure:?}");
        if failure == Failure::Gone {
            assert!(disk.list("").is_err() && disk.read("file", None, 9000).is_err());
        }
        if failure == Failure::Full {
            assert!(disk.list("").is_ok() && disk.write_new("other", b"x").is_err());
        }
    }
}

fn create(machine: &SimulatedMachine) -> LocalDestination {
    let mark = DestinationMark { repo: RepoId::from_bytes([1; 16]), destination: DestinationId::from_bytes([2; 16]) };
    LocalDestination::create_at(machine, Path::new("/disk/backup"), mark, &RepoHeader::new(mark.repo)).expect("made")
}

#[test]
fn a_destination_on_it_keeps_the_contract() {
    for quirks in [Quirks::default(), Quirks::SMB, Quirks::EXFAT, Quirks::FUSE] {
        conformance::check(&|| {
            let machine = machine();
            machine.0.state().quirks[0] = quirks;
            Box::new(create(&machine))
        });
    }
}

#[test]
fn a_destination_survives_every_crash_once_it_was_made() {
    let machine = machine();
    create(&machine);
    for policy in POLICIES {
        for seed in 0..5 {
            let machine = SimulatedMachine::with(vec![PathBuf::from("/disk")], machine.image().crash(policy, seed));
            LocalDestination::open_at(&machine, Path::new("/disk/backup"), None).expect("is whole");
        }
    }
}

#[test]
fn listings_can_be_short_late_and_empty() {
    assert_eq!(Quirks::NFS.listing, Listing::Late);
    let machine = machine();
    let disk = disk(&machine);
    for name in ["a", "b", "c", "d"] {
        disk.write_new(name, b"").expect("written");
    }
    disk.sync_folder("").expect("synced");
    disk.write_new("e", b"").expect("written");
    let count = |listing| {
        machine.0.state().quirks[0].listing = listing;
        disk.list("").expect("listed").len()
    };
    assert_eq!([Listing::Whole, Listing::Short, Listing::Late, Listing::Empty].map(count), [5, 2, 4, 0]);
}

/// What can be done to a destination.
#[derive(Debug, Clone)]
enum Act {
    Put(u8),
    Delete(u8),
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![(0..6u8).prop_map(Act::Put), (0..6u8).prop_map(Act::Delete), Just(Act::Settle)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn objects_are_whole_or_absent_and_what_was_settled_stays(acts in proptest::collection::vec(act(), 1..12), seed: u64) {
        let machine = machine();
        let destination = create(&machine);
        let (mut there, mut settled) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        let mut changed = std::collections::BTreeSet::new();
        let bytes = |number: u8| vec![number; 700 * (usize::from(number) + 1)];
        let name = |number: u8| ObjectName::Pack(PackId::of(&bytes(number)));
        for act in acts {
            match act {
                Act::Put(number) => {
                    destination.put(&name(number), &bytes(number)).expect("put");
                    there.insert(number);
                    changed.insert(number);
                }
                Act::Delete(number) => {
                    destination.delete(&name(number)).expect("deleted");
                    there.remove(&number);
                    changed.insert(number);
                }
                Act::Settle => {
                    destination.settle(Settle::Touched).expect("settled");
                    settled = there.clone();
                    changed.clear();
                }
            }
        }
        for policy in POLICIES {
            let image = machine.image().crash(policy, seed);
            let machine = SimulatedMachine::with(vec![PathBuf::from("/disk")], image);
            let left = LocalDestination::open_at(&machine, Path::new("/disk/backup"), None).expect("opens");
            for number in 0..6u8 {
                match left.get(&name(number), None) {
                    Ok(found) => prop_assert_eq!(found, bytes(number)),
                    Err(_) => prop_assert!(changed.contains(&number) || !settled.contains(&number), "{} {policy:?}", number),
                }
            }
        }
    }
}

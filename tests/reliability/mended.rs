//! What the crash suites found, each in a test of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cryptbackup::destination::{CreateError, Destination, LocalDestination, Settle};
use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::id::{DestinationId, RepoId};
use cryptbackup::repo::Added;
use cryptbackup::repo::settings::SourceSettings;
use cryptbackup::report::Silent;

use crate::disk::crash::Policy;
use crate::disk::trouble::{Failure, Fault};
use crate::disk::volume::ROOT;
use crate::disk::{SimulatedMachine, contents};
use crate::left::copy_of;
use crate::rig::{Rig, place};
use crate::source::Source;

/// The process was killed between naming `dest.id` and syncing its folder; the next one took the destination up as it
/// was, backed up to it, and the power failed.
#[test]
fn a_destination_that_a_killed_process_made_is_durable_once_it_was_taken_up() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.machine.record();
    rig.set_up().expect("set up");
    let steps = rig.machine.0.state().steps.take().expect("recorded");
    let named = steps.iter().find(|step| (step.volume, step.path.as_str()) == (1, "dest.id") && step.verb == "rename");
    let killed = named.expect("dest.id gets its name").image.crash(Policy::Kill, 0);
    let next = Rig::new(&source.path(), Some(killed));
    next.set_up().expect("set up");
    let left = Rig::new(&source.path(), Some(next.machine.image().crash(Policy::Nothing, 0)));
    LocalDestination::open_at(&left.machine, &place("one"), None).expect("dest.id is still there");
}

/// A repository that was nearly set up when the process was killed leaves nothing in the one that is set up then.
#[test]
fn nothing_of_a_repository_that_was_never_set_up_gets_to_a_destination() {
    let source = Source::new();
    let heads = |rig: &Rig| -> Vec<usize> {
        rig.set_up().expect("set up");
        let there = contents(&rig.machine.image().0[1]);
        ["backup/writers/", "backup/keys/"]
            .map(|folder| there.keys().filter(|path| path.starts_with(folder)).count())
            .into()
    };
    let rig = Rig::new(&source.path(), None);
    rig.machine.record();
    rig.init().expect("set up");
    let steps = rig.machine.0.state().steps.take().expect("recorded");
    let usual = heads(&rig);
    assert_eq!(usual[0], 1);
    for step in steps.iter().rev().step_by(3).take(30) {
        let killed = Rig::new(&source.path(), Some(step.image.crash(Policy::Kill, 0)));
        assert_eq!(heads(&killed), usual, "after {} of {}", step.verb, step.path);
    }
}

/// Somebody copied a destination with another program, which waits for no disk, and added the copy; the power failed.
#[test]
fn a_copy_of_a_destination_is_durable_once_it_was_taken_up() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.init().expect("set up");
    rig.home
        .edit_settings(|settings| {
            settings.put_source(SourceSettings::new(source.path()));
            Ok(())
        })
        .expect("a source");
    rig.open().expect("opened").add_destination("one", &place("one"), &Silent).expect("a destination");
    rig.backup().expect("a backup");
    let copied = {
        let mut state = rig.machine.0.state();
        let from = Arc::clone(&state.image.0[1]);
        let (copy, objects) = copy_of(&from);
        state.image.0[2] = Arc::new(copy);
        objects
    };
    let taken_up = rig.open().expect("opened").add_destination("two", &place("two"), &Silent);
    assert_eq!(taken_up.expect("taken up"), Added::TakenUp);
    let left = rig.machine.image().0[2].crash(Policy::Nothing, 0);
    assert!(left.find(ROOT, "backup/packs/ff").is_ok(), "what was empty, and not copied");
    let left = contents(&left);
    for (path, bytes) in copied.iter().filter(|(path, _)| !path.ends_with("dest.id")) {
        assert!(left.get(path) == Some(bytes), "{path}");
    }
}

/// The last sync of making a destination failed, everything was taken back, and the power failed meanwhile: the mark was
/// there again, and some of the folders were not.
#[test]
fn what_is_left_of_a_destination_that_was_taken_back_is_whole_or_can_be_made_again() {
    let (disks, path) = (|| vec![PathBuf::from("/disk")], Path::new("/disk/backup"));
    let mark = DestinationMark { repo: RepoId::from_bytes([1; 16]), destination: DestinationId::from_bytes([2; 16]) };
    let create = |machine: &SimulatedMachine| -> Result<(), CreateError> {
        LocalDestination::create_at(machine, path, mark, &RepoHeader::new(mark.repo)).map(drop)
    };
    let steps = |fault: Option<Fault>| {
        let machine = SimulatedMachine::new(disks());
        machine.record();
        machine.0.state().fault = fault;
        (create(&machine).is_ok(), machine.0.state().steps.take().expect("recorded"))
    };
    let (is_made, whole) = steps(None);
    let last = whole.iter().rfind(|step| step.verb == "sync_folder").expect("its names are synced").number;
    assert!(is_made);
    for failure in [Failure::Sync, Failure::Medium] {
        let (is_made, steps) = steps(Some(Fault::new(last, failure)));
        assert!(!is_made, "{failure:?}");
        let after = steps.iter().filter(|step| step.number >= last);
        let few = after.clone().take(8).chain(after.clone().step_by(60)).chain(steps.last());
        for (step, seed) in few.flat_map(|step| (0..6).map(move |seed| (step, seed))) {
            let left = SimulatedMachine::with(disks(), step.image.crash(Policy::Hostile, seed + step.number));
            let place = format!("{failure:?}, {} {}", step.verb, step.path);
            match LocalDestination::open_at(&left, path, None) {
                Ok(there) => there.settle(Settle::Everything).unwrap_or_else(|error| panic!("{place}: {error}")),
                Err(_) => create(&left).unwrap_or_else(|error| panic!("{place}: {error}")),
            }
        }
    }
}

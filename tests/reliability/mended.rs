//! What the crash suites found, each in a test of its own.

use cryptbackup::destination::LocalDestination;

use crate::disk::crash::Policy;
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

//! Cleaning without locks, as a model: every interleaving of the steps of writers and cleaners on one destination.
//!
//! # The protocol
//!
//! A destination has packs (`packs/`), snapshots (`snaps/`), marks that forget snapshots (`marks/`), a record of every writer
//! (`writers/`), and in `gc/` *sessions* (somebody is at work) and *condemned lists* (packs a cleaner is going to delete).
//!
//! A writer:
//! - **W1** lists `gc/`: what is there under its name and not of its doing shows that it is a copy of another, and it becomes
//!   new. Puts its record, if it is new, and lists `writers/` until it shows.
//! - **W2** if there is another: puts a session and lists `gc/` until it shows. Packs condemned by others count as absent.
//! - **W3** lists packs, **W4** stores what no present pack holds.
//! - **W5** lists `gc/` and then packs again, and stores again (rescues) what is not present any more. Where it saw no other
//!   writer, and `gc/` has nothing of one, packs are as they were; in W7 too.
//! - **W6** puts the snapshot.
//! - **W7** lists `gc/` and then packs again. What is not present is rescued as long as any pack holds it, and it looks again;
//!   what cannot be rescued any more makes it withdraw the snapshot (forget it) and begin again. **W8** it acknowledges.
//!
//! A cleaner:
//! - **C1** forgets snapshots, and puts a session.
//! - **C2** lists `gc/`, then packs, then snapshots, and walks those that are not forgotten. For every chunk they need one pack
//!   is its keeper, which others have not condemned, nor itself if there is a choice. The rest is dead.
//! - **C3** puts a list of what is dead, lists `gc/` until it shows, and then lists `writers/`.
//! - **C4** alone (no other writer, no other session): lists snapshots again. If one was not walked, it begins again. Else it
//!   deletes forgotten snapshots, the dead packs, the list, in this order. Its session stays.
//! - **C5** not alone: leaves the list. In a run after the grace it does C2 afresh, lists snapshots again as in C4, and deletes
//!   those packs of the list that are dead still. What else is dead goes into a new list.
//!
//! # The model
//!
//! A [`world::World`] is small, plain data: what is on the destination, what everybody remembers, and where everybody stands.
//! A step is one listing, one put or one deletion, so that anything can happen between any two. Besides, anybody may crash
//! and begin again, and the grace may pass, as often as the setup says; a writer is frozen while others act. A listing
//! shows the present, or the state before the last change of all, whoever made it; after the grace it shows the present.
//! Runs of cleaners are not counted: a cleaner between two runs can begin another at any time.
//!
//! [`explore::explore`] visits every world that can be reached, the nearest first. In each, three things are asked
//! ([`world::Wrong`]): is an acknowledged snapshot whole? Is any snapshot whole, unless its writer slept through the grace
//! between its looks? Does a writer that does not sleep never have to read its source twice? The first is what is promised;
//! looks, sessions and grace are there for the others too. And from where no cleaner is at work, everything comes to rest.
//!
//! Without any one of the [`rules::Rule`]s something goes wrong, but for those that [`some_rules_are_kept_twice`] names. A
//! rule that says "until it shows" is left out by listing *before* the put: without waiting a listing may be as old as that.
#![allow(
    clippy::print_stderr,
    clippy::panic,
    reason = "a test says how much was tried, and how it came to what is wrong"
)]

mod cleaner;
mod explore;
mod rules;
mod world;
mod writer;

use explore::explore;
use rules::{Rule, Setup};
use world::Wrong;

/// Nothing is wrong in any world that can be reached, and from where no cleaner is at work all comes to rest.
fn holds(setup: Setup) {
    let explored = explore(&setup);
    let worlds = explored.worlds();
    eprintln!("{} without {:?}: {} worlds", setup.name, setup.without, worlds.len());
    if let Some(wrong) = explored.wrong {
        panic!("{}: {wrong:?}\n{}", setup.name, explored.trace(&setup, worlds.len() - 1));
    }
    assert!(!worlds.iter().any(|world| world.is_full()), "{}: there is no room in the model", setup.name);
    let is_between = |world: &world::World| !world.actors.iter().any(|actor| actor.is_cleaner() && actor.is_at_work());
    if let Some(at) = worlds.iter().position(|world| is_between(world) && !world.comes_to_rest(&setup)) {
        panic!("{}: this does not come to rest:\n{}", setup.name, explored.trace(&setup, at));
    }
}

/// Without its rules this goes wrong.
fn breaks(setup: Setup, wrong: Wrong) {
    let explored = explore(&setup);
    let number = explored.worlds().len();
    eprintln!("{} without {:?}: {:?} after {number} worlds", setup.name, setup.without, explored.wrong);
    assert_eq!(explored.wrong, Some(wrong), "{} without {:?}", setup.name, setup.without);
}

#[test]
fn a_writer_that_joins_is_safe() {
    holds(Setup::joining().judging_all().with(1, 1));
}

#[test]
fn strangers_are_safe() {
    holds(Setup::strangers().judging_all().with(0, 1));
}

#[test]
fn known_writers_are_safe() {
    holds(Setup::known().judging_all().with(1, 1));
    holds(Setup::known().judging_all().with(0, 2));
}

#[test]
fn cleaners_are_safe() {
    holds(Setup::cleaners().judging_all().with(1, 1));
}

#[test]
fn a_cleaner_that_joins_is_safe() {
    holds(Setup::joining_cleaner().judging_all().with(0, 1));
}

#[test]
fn copies_of_one_installation_are_safe() {
    holds(Setup::twins().with(0, 1));
}

/// Whoever takes itself for the only one looks at packs again only where something in `gc/` shows another.
#[test]
fn a_cleaner_that_leaves_nothing_behind_breaks_the_snapshots_of_its_copy() {
    breaks(Setup::twins().without(Rule::SessionStays), Wrong::Lost);
}

#[test]
#[ignore = "takes a minute and gigabytes"]
fn all_are_safe_for_longer() {
    for setup in [Setup::joining(), Setup::strangers(), Setup::known()] {
        holds(setup.judging_all().with(1, 2));
    }
    for setup in [Setup::cleaners(), Setup::joining_cleaner()] {
        holds(setup.clone().judging_all().with(1, 1));
        holds(setup.judging_all().with(0, 2));
    }
}

#[test]
fn a_writer_without_its_first_looks_reads_its_source_again() {
    let wrong = Wrong::ReadAgain;
    breaks(Setup::strangers().judging_all().without(Rule::WritersWait), wrong);
    breaks(Setup::known().judging_all().without(Rule::SessionWait), wrong);
    breaks(Setup::known().judging_all().without(Rule::SessionLook), wrong);
}

#[test]
fn a_writer_without_its_look_before_the_snapshot_puts_a_broken_one() {
    breaks(Setup::known().judging_all().without(Rule::FirstLook), Wrong::Broken);
    breaks(Setup::known().judging_all().without(Rule::FirstLookAtPacks), Wrong::Broken);
}

#[test]
fn a_writer_without_its_look_after_the_snapshot_loses_it() {
    breaks(Setup::known().without(Rule::FirstLook).without(Rule::SecondLook), Wrong::Lost);
    breaks(Setup::known().without(Rule::SecondLook), Wrong::Lost);
    breaks(Setup::known().without(Rule::LookOrder), Wrong::Lost);
    breaks(Setup::known().without(Rule::Withdrawal), Wrong::Lost);
}

#[test]
fn a_cleaner_that_lists_what_is_older_than_its_run_loses_snapshots() {
    breaks(Setup::known().without(Rule::CleanerSession).with(0, 2), Wrong::Lost);
}

#[test]
fn cleaners_that_do_not_heed_each_other_lose_snapshots() {
    breaks(Setup::joining_cleaner().without(Rule::OthersCondemned).with(0, 2), Wrong::Lost);
    breaks(Setup::cleaners().without(Rule::WalkOrder).with(0, 2), Wrong::Lost);
}

#[test]
fn a_cleaner_that_only_thinks_it_is_alone_loses_snapshots() {
    breaks(Setup::joining_cleaner().without(Rule::ListWait), Wrong::Lost);
    breaks(Setup::strangers().judging_all().without(Rule::AloneInWriters), Wrong::Broken);
    let careless = |setup: Setup| setup.without(Rule::AloneInWriters).without(Rule::AloneInSessions);
    breaks(careless(Setup::cleaners()), Wrong::Lost);
    breaks(careless(Setup::known()).judging_all(), Wrong::ReadAgain);
    breaks(careless(Setup::known()).without(Rule::SecondListing), Wrong::Lost);
}

#[test]
fn a_cleaner_that_deletes_too_early_loses_snapshots() {
    breaks(Setup::known().without(Rule::FreshWalk), Wrong::Lost);
    breaks(Setup::known().without(Rule::ListLast), Wrong::Lost);
    breaks(Setup::known().judging_all().without(Rule::Grace), Wrong::ReadAgain);
}

/// A session is only put after the writer's record, so nobody has one who is not seen in `writers/`. Who is not alone
/// has looked at the lists or will look after its snapshot, so the second listing only counts where the first check is
/// wrong. A forgotten snapshot may lose its packs before it is deleted, as long as nobody wants it back.
#[test]
fn some_rules_are_kept_twice() {
    for rule in [Rule::AloneInSessions, Rule::SecondListing, Rule::SnapshotsFirst] {
        holds(Setup::joining().judging_all().without(rule));
        holds(Setup::known().judging_all().without(rule));
    }
}

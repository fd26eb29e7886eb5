//! Keys are added, removed and rotated: whatever is left opens every destination by itself, and what was removed stays so.

use std::fs;

use cryptbackup::backup::{self, BackupRequest};
use cryptbackup::check::{self, CheckRequest};
use cryptbackup::clean::hand;
use cryptbackup::error::Error;
use cryptbackup::format::header::RepoHeader;
use cryptbackup::format::id::ObjectHash;
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::slot::{ArgonCost, Slot, SlotKind, WRAPPED_LEN};
use cryptbackup::repo::{self, Access, Home, KeyChange, NewKey, Repo, Secret, new_recovery_words};
use cryptbackup::report::Silent;
use zeroize::Zeroizing;

use crate::destinations::{Left, STICKS, assert_alone_is_enough};
use crate::support::World;
use crate::support::saved::{Saved, assert_restores};
use crate::support::world::noise;

fn passphrase(text: &str) -> Secret {
    Secret::Passphrase(Zeroizing::new(text.to_owned()))
}

fn key_file(bytes: &[u8]) -> Secret {
    Secret::of_key_file(bytes).expect("bytes")
}

fn add(world: &World, secret: &Secret) -> KeyChange {
    world.open_to_write().add_key(&NewKey::Given(secret.clone())).expect("added")
}

fn id(change: &KeyChange) -> String {
    change.slot.expect("a slot").0.to_string()
}

fn open_with(world: &World, secret: &Secret) -> Result<Repo, Error> {
    Repo::open(&world.home, Access::Write, Some(secret.clone()), &Silent)
}

/// The names in `keys/` of a destination, or of the state folder.
fn keys_in(world: &World, place: &str) -> Vec<String> {
    let folder =
        if place == "home" { world.home.path().join("state/repo/keys") } else { world.path(place).join("keys") };
    let entries = fs::read_dir(folder).expect("listed");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("one").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn slots_in(world: &World, place: &str) -> usize {
    keys_in(world, place).iter().filter(|name| !name.starts_with("ring-")).count()
}

fn assert_sound(world: &World) {
    let request = CheckRequest { read_data: true, ..CheckRequest::default() };
    let checked = check::run(&world.open(), request, &Silent).expect("checked");
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
}

/// Whether a new machine is set up from one destination with this secret.
fn connects(world: &World, destination: &str, secret: &Secret) -> bool {
    let home = Home::at(world.path("some other home"));
    let result = repo::connect(&home, &world.path(destination), Some(secret.clone()), None, &Silent);
    let _ = fs::remove_dir_all(home.path());
    match result {
        Ok(_) => true,
        Err(Error::WrongKey { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_kind_of_key_opens_each_destination_alone_with_what_was_written_before_and_after_a_rotation() {
    let world = World::new(&STICKS);
    world.write("before", noise(300_000, 1));
    let mut saved = vec![Saved::now(&world, &world.backup())];
    let words = Secret::Words(new_recovery_words().expect("random"));
    let secrets = [passphrase("correct horse"), words, key_file(&noise(100, 9))];
    for (secret, kind) in secrets.iter().zip([SlotKind::Passphrase, SlotKind::Recovery, SlotKind::KeyFile]) {
        let change = add(&world, secret);
        assert_eq!(change.slot.map(|(_, kind)| kind), Some(kind));
        assert_eq!((change.destinations.len(), change.behind.len()), (3, 0));
    }
    world.unplug("tertiary");
    let change = world.open_to_write().rotate_keys().expect("a new epoch");
    assert_eq!((change.epoch, change.ring), (2, 2));
    assert_eq!(change.behind.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["tertiary"]);
    world.write("after", noise(300_000, 2));
    saved.push(Saved::now(&world, &world.backup()));
    world.plug("tertiary");
    world.sync();
    assert_eq!(keys_in(&world, "primary"), keys_in(&world, "tertiary"));
    assert_sound(&world);
    for name in STICKS {
        assert_alone_is_enough(&world, name, &Left::Settings, &saved);
        for secret in &secrets {
            assert_alone_is_enough(&world, name, &Left::Secret(secret.clone()), &saved);
        }
    }
}

/// Whoever can write to a destination can put slots there that take a minute and two gigabytes each to find out that they
/// are none.
#[test]
fn slots_that_a_stranger_put_on_a_destination_cost_seconds() {
    let world = World::in_memory(&["primary"]);
    world.write("file", noise(10_000, 1));
    world.backup();
    let secret = passphrase("correct horse");
    add(&world, &secret);
    let header = fs::read(world.path("primary/cryptbackup.repo")).expect("a header");
    let repo = RepoHeader::decode(&header).expect("it is one").repo;
    let costs = [ArgonCost::MAX, ArgonCost { memory_kib: 128 << 10, ..ArgonCost::DEFAULT }];
    for number in 0..100_u8 {
        let kind = SlotKind::Passphrase;
        let (cost, salt) = (costs[usize::from(number % 2)], [number; 32]);
        let slot = Slot { kind, cost, repo, salt, commitment: [0; 32], wrapped: [0; WRAPPED_LEN] }.encode();
        let path = world.path("primary").join(ObjectName::Slot(ObjectHash::of(&slot)).path());
        fs::write(path, slot).expect("written");
    }
    assert!(connects(&world, "primary", &secret), "the real one costs the least");
    let home = Home::at(world.path("some other home"));
    let wrong = repo::connect(&home, &world.path("primary"), Some(passphrase("wrong")), None, &Silent);
    let Err(Error::WrongKey { what }) = wrong else { panic!("{:?}", wrong.err()) };
    assert!(what.contains("of 101 in") && what.contains("somebody may have put them there"), "{what}");
    // Not many of them come here.
    world.backup();
    assert_eq!(slots_in(&world, "home"), 64);
}

#[test]
fn what_is_written_after_a_rotation_has_the_new_epoch_and_cleaning_moves_what_it_repacks() {
    let world = World::in_memory(&["primary"]);
    world.set_day(0);
    for number in 0..20 {
        world.write(&format!("file{number}"), noise(100_000, number));
    }
    world.backup();
    // Bytes of the packs of an epoch, which stands behind magic and version (docs/format.md §8).
    let bytes_of = |epoch: u32| {
        let is_of = |path: &str| {
            let pack = fs::read(world.path("primary").join(path)).expect("a pack");
            u32::from_le_bytes(pack[12..16].try_into().expect("4 bytes")) == epoch
        };
        let packs = world.objects("primary").into_iter();
        packs.filter(|(path, _)| path.starts_with("packs/") && is_of(path)).map(|(_, len)| len).sum::<u64>()
    };
    assert!(bytes_of(1) > 2_000_000 && bytes_of(2) == 0);
    world.open_to_write().rotate_keys().expect("a new epoch");
    for number in 1..20 {
        world.remove(&format!("file{number}"));
    }
    world.write("new", noise(50_000, 77));
    world.backup();
    assert!(bytes_of(1) > 2_000_000 && bytes_of(2) > 50_000);
    world.set_day(2_000);
    let saved = [Saved::now(&world, &world.backup())];
    world.clean(0, 1);
    world.forget_index();
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
    // What is left of the first file was moved; what is dead in no pack stays as it is.
    assert!(bytes_of(1) < 100_000 && bytes_of(2) > 150_000, "{} and {}", bytes_of(1), bytes_of(2));
    assert_sound(&world);
}

#[test]
fn a_removed_key_is_not_brought_back_by_a_destination_that_was_away() {
    for by_sync in [true, false] {
        let world = World::in_memory(&["primary", "secondary"]);
        world.write("file", noise(50_000, 1));
        world.backup();
        let secret = passphrase("known to too many");
        let added = id(&add(&world, &secret));
        for place in ["home", "primary", "secondary"] {
            assert!(keys_in(&world, place).contains(&added), "{place}");
        }
        assert!(connects(&world, "secondary", &secret));
        world.unplug("secondary");
        let change = world.open_to_write().remove_key(&added[..8]).expect("removed");
        assert_eq!((change.destinations, change.behind.len(), change.ring), (vec!["primary".to_owned()], 1, 2));
        assert!(!keys_in(&world, "home").contains(&added) && !keys_in(&world, "primary").contains(&added));
        world.plug("secondary");
        // To look is not to write; it is shown as what it is.
        let listed = world.open().key_slots().expect("listed");
        let still = listed.slots.iter().find(|slot| slot.id.to_string() == added).expect("it is still there");
        assert!(still.is_removed && !still.is_here && still.destinations == ["secondary"]);
        if by_sync {
            world.sync();
        } else {
            world.write("file", "another");
            world.backup();
        }
        for place in ["home", "primary", "secondary"] {
            assert!(!keys_in(&world, place).contains(&added), "{place}");
            assert_eq!(slots_in(&world, place), 1, "{place}");
        }
        assert!(!connects(&world, "secondary", &secret));
        let request = CheckRequest::default();
        let healed = check::heal(&mut world.open_to_write(), request, &Silent).expect("checked");
        assert!(healed.findings.is_empty(), "{:?}", healed.findings);
        world.add_destination("third");
        assert_eq!(keys_in(&world, "third"), keys_in(&world, "primary"));
    }
}

/// An old image of the stick has the key and not the ring that says it was removed.
#[test]
fn a_removed_key_that_somebody_puts_back_goes_again() {
    let world = World::in_memory(&["primary"]);
    world.write("file", "content");
    world.backup();
    let secret = passphrase("known to too many");
    let added = id(&add(&world, &secret));
    let bytes = fs::read(world.path("primary/keys").join(&added)).expect("the slot");
    world.open_to_write().remove_key(&added).expect("removed");
    fs::write(world.path("primary/keys").join(&added), bytes).expect("put back");
    // While it is there: the ring beside it says that it opens nothing.
    assert!(!connects(&world, "primary", &secret));
    world.write("file", "another");
    world.backup();
    assert!(!keys_in(&world, "primary").contains(&added) && !keys_in(&world, "home").contains(&added));
}

#[test]
fn the_last_key_and_the_one_in_use_are_not_removed() {
    let world = World::in_memory(&["primary"]);
    world.backup();
    let before = [keys_in(&world, "home"), keys_in(&world, "primary")];
    let refused = |secret: Option<&Secret>, text: &str| {
        let repo = Repo::open(&world.home, Access::Write, secret.cloned(), &Silent);
        repo.expect("opened").remove_key(text).expect_err("refused")
    };
    let own = before[0].iter().find(|name| !name.starts_with("ring-")).expect("the slot").clone();
    assert!(matches!(refused(None, &own), Error::Usage(why) if why.contains("the only key")));
    assert!(matches!(refused(None, "zz"), Error::Usage(_)));
    assert!(matches!(refused(None, ""), Error::Usage(_)));
    let unknown = if own.starts_with('0') { "1" } else { "0" };
    assert!(matches!(refused(None, unknown), Error::NotFound { .. }));
    assert_eq!([keys_in(&world, "home"), keys_in(&world, "primary")], before);

    let secret = passphrase("correct horse");
    let added = id(&add(&world, &secret));
    assert!(matches!(refused(None, &own), Error::Usage(why) if why.contains("opens the repository now")));
    assert!(matches!(refused(Some(&secret), &added), Error::Usage(_)));
    assert!(world.settings_now().encryption.key.is_some());
    let change = open_with(&world, &secret).expect("opened").remove_key(&own).expect("removed");
    assert!(change.changed_settings);
    assert_eq!(world.settings_now().encryption.key, None);
    assert!(matches!(Repo::open(&world.home, Access::Read, None, &Silent).err(), Some(Error::WrongKey { .. })));
    let mut repo = open_with(&world, &secret).expect("opened");
    assert!(matches!(repo.remove_key(&added), Err(Error::Usage(why)) if why.contains("the only key")));
    // And back: a new key in config.yaml.
    let change = repo.add_key(&NewKey::Inline).expect("added");
    assert!(change.changed_settings);
    drop(repo);
    world.open_to_write().remove_key(&added).expect("removed");
    assert!(matches!(open_with(&world, &secret).err(), Some(Error::WrongKey { .. })));
}

#[test]
fn a_key_that_opens_already_is_not_added_and_words_that_are_none_change_nothing() {
    let world = World::in_memory(&["primary"]);
    let secret = key_file(b"all bytes of a file");
    add(&world, &secret);
    let before = keys_in(&world, "primary");
    let again = world.open_to_write().add_key(&NewKey::Given(secret));
    assert!(matches!(again.err(), Some(Error::Usage(why)) if why.contains("opens the repository already")));
    let words = Secret::Words(Zeroizing::new("abandon able about".to_owned()));
    assert!(matches!(world.open_to_write().add_key(&NewKey::Given(words)).err(), Some(Error::WrongKey { .. })));
    assert_eq!(keys_in(&world, "primary"), before);
}

/// Where the power goes between two writes, the next command that writes ends what was begun.
#[test]
fn what_was_decided_while_no_destination_was_there_reaches_them_all() {
    let world = World::in_memory(&["primary", "secondary"]);
    world.write("file", noise(100_000, 1));
    let mut saved = vec![Saved::now(&world, &world.backup())];
    let gone = passphrase("gone");
    let removed = id(&add(&world, &gone));
    world.unplug("primary");
    world.unplug("secondary");
    let kept = passphrase("kept");
    assert_eq!(add(&world, &kept).behind.len(), 2);
    assert_eq!(world.open_to_write().remove_key(&removed).expect("removed").behind.len(), 2);
    assert_eq!(world.open_to_write().rotate_keys().expect("rotated").epoch, 2);
    world.plug("primary");
    world.plug("secondary");
    world.write("more", noise(100_000, 2));
    saved.push(Saved::now(&world, &world.backup()));
    for name in ["primary", "secondary"] {
        assert_eq!(keys_in(&world, name), keys_in(&world, "home"));
        assert!(connects(&world, name, &kept) && !connects(&world, name, &gone));
    }
    world.unplug("primary");
    world.forget_index();
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

#[test]
fn a_machine_takes_in_the_epoch_that_another_began() {
    let first = World::in_memory(&["primary"]);
    first.write("first", noise(100_000, 1));
    first.backup();
    let second = first.second("primary");
    second.write("second", noise(100_000, 2));
    let of_second = [Saved::now(&second, &second.backup())];
    first.open_to_write().rotate_keys().expect("a new epoch");
    first.write("first", noise(100_000, 3));
    let of_first = [Saved::now(&first, &first.backup())];
    // It finds what the first one stored, and seals its own in the same epoch.
    second.write("the same as the first", noise(100_000, 3));
    let report = second.backup();
    assert!(report.bytes_added < 10_000, "{}", report.bytes_added);
    assert_eq!(second.open().key_slots().expect("listed").epoch, 2);
    assert_restores(&second.open(), None, &of_first, &second.path("scratch"));
    assert_restores(&first.open(), None, &of_second, &first.path("scratch"));
    assert_sound(&first);
    assert_sound(&second);
}

/// A machine stands still after it opened. What another decides meanwhile is sealed in an epoch it has not heard of.
#[test]
fn what_was_decided_in_an_epoch_that_began_meanwhile_is_no_alarm() {
    let first = World::in_memory(&["primary"]);
    first.set_day(0);
    first.write("first", noise(100_000, 1));
    let old = first.backup().snapshot_id.expect("a snapshot").to_string();
    first.write("first", noise(100_000, 2));
    let mut saved = vec![Saved::now(&first, &first.backup())];
    let second = first.second("primary");
    second.set_day(0);
    second.write("second", noise(100_000, 3));
    saved.push(Saved::now(&second, &second.backup()));
    let mut asleep = second.open_to_write();
    first.open_to_write().rotate_keys().expect("a new epoch");
    hand::forget(&mut first.open_to_write(), std::slice::from_ref(&old), false).expect("forgotten");
    for day in [1, 9] {
        first.set_day(day);
        first.clean(0, 1);
    }
    assert!(!first.objects("primary").iter().any(|(name, _)| name.ends_with(&old)), "it is gone");
    second.write("second", noise(100_000, 4));
    let report = backup::run(&mut asleep, BackupRequest::default(), &Silent).expect("a backup");
    assert_eq!(asleep.rolled_back("primary").map(|alarm| alarm.sentence("primary")), None);
    saved.push(Saved::now(&second, &report));
    drop(asleep);
    assert_restores(&first.open(), None, &saved, &first.path("scratch"));
    assert_sound(&first);
    assert_sound(&second);
}

/// Neither can know of the other: each has one stick, and they meet later.
#[test]
fn two_machines_that_rotate_at_once_lose_nothing() {
    let first = World::in_memory(&["left", "right"]);
    first.write("first", noise(100_000, 1));
    first.backup();
    let second = first.second("left");
    second.write("second", noise(100_000, 2));
    second.backup();
    first.unplug("right");
    first.open_to_write().rotate_keys().expect("a new epoch");
    first.write("first", noise(200_000, 3));
    let of_first = [Saved::now(&first, &first.backup())];
    first.plug("right");
    first.unplug("left");
    second.open_to_write().rotate_keys().expect("a new epoch");
    second.write("second", noise(200_000, 4));
    let of_second = [Saved::now(&second, &second.backup())];
    first.plug("left");
    for world in [&first, &second] {
        world.sync();
        assert_eq!(world.open().key_slots().expect("listed").epoch, 2);
    }
    let rings = |name| keys_in(&first, name).iter().filter(|name| name.starts_with("ring-2-")).count();
    assert_eq!((rings("left"), rings("right"), rings("home")), (4, 4, 4));
    for world in [&first, &second] {
        assert_sound(world);
        for saved in [&of_first, &of_second] {
            for stick in ["left", "right"] {
                assert_restores(&world.open(), Some(stick), saved, &world.path("scratch"));
            }
        }
    }
    // What comes next repeats both, and either stick alone opens.
    assert_eq!(first.open_to_write().rotate_keys().expect("a new epoch").epoch, 3);
    first.write("third", noise(50_000, 5));
    let newest = [Saved::now(&first, &first.backup())];
    second.backup();
    first.unplug("left");
    first.forget_index();
    for saved in [&of_first, &of_second, &newest] {
        assert_restores(&first.open(), None, saved, &first.path("scratch"));
    }
}

#[test]
fn a_machine_whose_key_was_removed_elsewhere_is_told_and_comes_back_with_another() {
    let (first, init) = World::with(repo::InitRequest { recovery: true, ..Default::default() }, &["primary"]);
    first.write("file", "content");
    first.backup();
    let words = Secret::Words(init.recovery_words.expect("words"));
    // Connected with words, it makes a key of its own.
    let home = Home::at(first.path("another home"));
    repo::connect(&home, &first.path("primary"), Some(words.clone()), None, &Silent).expect("connected");
    let opened = |secret: Option<&Secret>| Repo::open(&home, Access::Write, secret.cloned(), &Silent);
    let slots = opened(None).expect("opened").key_slots().expect("listed").slots;
    let own = slots.iter().find(|slot| slot.is_in_use).expect("one in use").id.to_string();
    assert!(keys_in(&first, "primary").contains(&own));
    first.open_to_write().remove_key(&own).expect("removed");
    assert!(!keys_in(&first, "primary").contains(&own));
    for _ in 0..2 {
        assert!(matches!(opened(None).err(), Some(Error::WrongKey { what }) if what.contains("was removed")));
    }
    let mut repo = opened(Some(&words)).expect("the words still open");
    repo.add_key(&NewKey::Inline).expect("a new key");
    drop(repo);
    opened(None).expect("it has a key of its own again");
    assert!(!keys_in(&first, "primary").contains(&own));
}

/// Each removes the key of the other, on a stick that the other does not see: nobody is locked out for ever.
#[test]
fn two_machines_that_remove_each_others_keys_at_once_both_go_on() {
    let (first, init) = World::with(repo::InitRequest { recovery: true, ..Default::default() }, &["left", "right"]);
    first.write("file", "content");
    first.backup();
    let words = Secret::Words(init.recovery_words.expect("words"));
    let home = Home::at(first.path("another home"));
    repo::connect(&home, &first.path("left"), Some(words.clone()), None, &Silent).expect("connected");
    let mut other = Repo::open(&home, Access::Write, None, &Silent).expect("opened");
    other.add_destination("right", &first.path("right"), &Silent).expect("added");
    drop(other);
    let other = || Repo::open(&home, Access::Write, None, &Silent);
    let in_use = |repo: &Repo| {
        let slots = repo.key_slots().expect("listed").slots;
        slots.iter().find(|slot| slot.is_in_use).expect("one").id.to_string()
    };
    let (own, others) = (in_use(&first.open_to_write()), in_use(&other().expect("opened")));
    let of_words = first.open_to_write().key_slots().expect("listed").slots;
    let of_words = of_words.iter().find(|slot| slot.kind == SlotKind::Recovery).expect("words").id.to_string();
    first.open_to_write().remove_key(&of_words).expect("removed");
    other().expect("opened");
    first.unplug("right");
    first.open_to_write().remove_key(&others).expect("removed");
    first.plug("right");
    first.unplug("left");
    other().expect("opened").remove_key(&own).expect("removed");
    first.plug("left");
    for _ in 0..2 {
        first.write("file", "another");
        first.backup();
        other().expect("it still opens").rotate_keys().expect("and writes");
    }
}

#[test]
fn a_key_counts_as_kept_elsewhere_while_what_was_exported_still_opens() {
    let world = World::in_memory(&["primary"]);
    let is_exported = || world.open().status().expect("a status").key_exported;
    assert!(!is_exported());
    world.open().note_key_exported().expect("noted");
    assert!(is_exported());
    world.open_to_write().add_key(&NewKey::Inline).expect("another");
    let old = world.open().key_slots().expect("listed").slots;
    let old = old.iter().find(|slot| !slot.is_in_use).expect("the old one").id.to_string();
    assert!(is_exported(), "the copy still opens");
    world.open_to_write().remove_key(&old).expect("removed");
    assert!(!is_exported());
    add(&world, &Secret::Words(new_recovery_words().expect("random")));
    assert!(is_exported());
}

/// Another machine, which has one of two destinations only, begins an epoch while this one is at work. What is sealed in it
/// from then on needs its ring on the other one too.
#[test]
fn an_epoch_that_another_machine_begins_meanwhile_opens_on_destinations_that_it_does_not_have() {
    let world = World::new(&STICKS);
    world.write("file", noise(100_000, 1));
    world.backup();
    let second = world.second("primary");
    second.settings(|settings| {
        for name in ["secondary", "tertiary"] {
            settings.destinations.remove(name);
        }
    });
    second.write("own", noise(1000, 3));
    second.backup();
    let mut repo = world.open_to_write();
    second.open_to_write().rotate_keys().expect("a new epoch");
    second.write("own", noise(1000, 4));
    second.backup();
    world.write("more", noise(100_000, 2));
    let request = BackupRequest { no_sync: true, ..BackupRequest::default() };
    let report = backup::run(&mut repo, request, &Silent).expect("a backup");
    drop(repo);
    let saved = [Saved::now(&world, &report)];
    assert_alone_is_enough(&world, "secondary", &Left::Settings, &saved);
}

/// The settings are lost and the state is not. Which name a destination had stands in the state.
#[test]
fn who_connects_again_with_the_old_state_calls_a_destination_what_it_was_called() {
    let world = World::new(&["primary", "secondary"]);
    world.write("file", noise(100_000, 1));
    world.backup();
    let secret = passphrase("correct horse");
    add(&world, &secret);
    fs::remove_file(world.home.settings_path()).expect("lost");
    let report =
        repo::connect(&world.home, &world.path("secondary"), Some(secret.clone()), None, &Silent).expect("connected");
    assert_eq!(report.destination_name, "secondary");
    let repo = Repo::open(&world.home, Access::Read, Some(secret), &Silent).expect("opens");
    assert_eq!((repo.unreachable().len(), repo.destinations().len()), (0, 1));
}

//! Bugs in the order of writes, in what is left out as known, and in what is copied between destinations.

use crate::bug::{Bug, LIB};

pub const BUGS: &[Bug] = &[
    Bug {
        name: "index before pack durable",
        breaks: "I1: the index names what is durable there",
        file: "src/replicate/lanes.rs",
        find: "        pending.push(number);\n",
        replace: "        written.durable.push(number);\n        pending.push(number);\n",
        place: LIB,
        test: "what_is_said_to_be_durable_is",
    },
    Bug {
        name: "name the last chunks and never store them",
        breaks: "I2: a recipe names what was stored before it",
        file: "src/repo/store.rs",
        find: "            if let Some(last) = filling.builder.take() {\n",
        replace: "            if let Some(last) = filling.builder.take().filter(|_| false) {\n",
        place: "library",
        test: "a_weird_tree_comes_back_identical",
    },
    Bug {
        name: "snapshot before packs",
        breaks: "I3: a snapshot is written where every pack it needs is durable",
        file: "src/backup/commit.rs",
        find: "            None | Some(LaneTrouble::Slow) => later.push(lane.destination.clone()),\n",
        replace: "            None | Some(LaneTrouble::Slow) => direct.push(lane.destination.clone()),\n",
        place: "library",
        test: "a_destination_added_later_is_filled_and_the_first_one_does_not_grow",
    },
    Bug {
        name: "rely on what a killed run left without syncing it",
        breaks: "I3: the folders of packs that other runs left are synced again first",
        file: "src/replicate/commit.rs",
        find: "            target.place.settle(Settle::Everything)?;\n",
        replace: "            target.place.settle(Settle::Touched)?;\n",
        place: "reliability",
        test: "what_a_killed_run_put_is_durable_before_another_relies_on_it",
    },
    Bug {
        name: "ack before B6",
        breaks: "I12: a snapshot is reported when it is durable",
        file: "src/replicate/commit.rs",
        find: "        self.put(target, &ObjectName::Snapshot(*id), &row.stored)?;\n        target.place.settle(Settle::Touched)?;\n",
        replace: "        self.put(target, &ObjectName::Snapshot(*id), &row.stored)?;\n",
        place: LIB,
        test: "a_snapshot_is_reported_and_remembered_when_it_is_durable",
    },
    Bug {
        name: "advance trust early",
        breaks: "I13: first the commit, then what is known and trusted of it",
        file: "src/replicate/commit.rs",
        find: "        self.put_snapshot(target, id, &row)?;\n        if was_alone && self.is_alone(target)? {\n            return remember(self.index, target, id);\n",
        replace: "        remember(self.index, target, id)?;\n        self.put_snapshot(target, id, &row)?;\n        if was_alone && self.is_alone(target)? {\n            return Ok(());\n",
        place: LIB,
        test: "a_snapshot_is_reported_and_remembered_when_it_is_durable",
    },
    Bug {
        name: "write packs before the keys and the writer's record",
        breaks: "I9: keys come first",
        file: "src/repo/work.rs",
        find: "        self.put_missing_heads()?;\n        self.meet_neighbours(false)\n",
        replace: "        self.put_missing_marks()?;\n        self.meet_neighbours(false)\n",
        place: "library",
        test: "a_key_made_by_connecting_opens_every_destination_after_the_next_backup",
    },
    Bug {
        name: "do not open a pack again before it is written",
        breaks: "I10: what memory changed is noticed",
        file: "src/pack/writer.rs",
        find: "        proven?;\n",
        replace: "        let _ = proven;\n",
        place: LIB,
        test: "bytes_that_are_not_those_of_their_id_never_become_a_pack",
    },
    Bug {
        name: "leave out what only an absent destination has",
        breaks: "I11: a chunk is left out when a reachable destination showed it",
        file: "src/repo/store.rs",
        find: "        there &= self.context.reachable;\n",
        replace: "",
        place: "library",
        test: "two_sticks_used_in_turn_are_each_complete_and_hold_nothing_twice",
    },
    Bug {
        name: "count a pack of another length as present",
        breaks: "I11: a pack was seen with its right length",
        file: "src/replicate/reconcile.rs",
        find: "            Some(len) if len == expected => {}",
        replace: "            Some(_) if expected > 0 => {}",
        place: "library",
        test: "a_pack_that_was_cut_short_is_mended_from_the_other_destination",
    },
    Bug {
        name: "global instead of per-destination presence",
        breaks: "I3: every chunk is in a pack that is there, on this destination",
        file: "src/replicate/catch_up.rs",
        find: "self.view.presence(place.pack)? & self.target.bit != 0;\n",
        replace: "self.view.presence(place.pack)? != 0;\n",
        place: "library",
        test: "what_was_away_catches_up_by_sync_or_by_the_next_backup",
    },
    Bug {
        name: "copy snapshots without the records of who wrote them",
        breaks: "I9: a writer's record comes before its first snapshot, also where it is copied to",
        file: "src/backup/commit.rs",
        find: "        if missing.iter().any(|other| other != id)\n",
        replace: "        if missing.is_empty()\n",
        place: "reliability",
        test: "a_backup_that_brings_a_destination_up_to_date_brings_the_records_of_writers",
    },
    Bug {
        name: "copy snapshot before packs in catch-up",
        breaks: "I3: a snapshot is written where every pack it needs is durable",
        file: "src/replicate/catch_up.rs",
        find: "        let mut copied = self.needs(&view, target, &snapshot)?;\n        if row.committed",
        replace: "        self.commit(target, id)?;\n        let mut copied = self.needs(&view, target, &snapshot)?;\n        if row.committed",
        place: "reliability",
        test: "what_a_name_depends_on_is_durable_before_it",
    },
    Bug {
        name: "catch-up by union",
        breaks: "catching up is by need: what is not needed does not come back",
        file: "src/replicate/catch_up.rs",
        find: "        copy.finish()?;\n        Ok(copy.report)\n",
        replace: "        let mut all = Vec::new();
        view.each_pack(|number, _, presence| -> Result<(), ReplicateError> {
            all.extend((presence & target.bit == 0).then_some(number));
            Ok(())
        })?;
        for number in all {
            copy.copy(number, &mut Vec::new())?;
        }
        copy.finish()?;
        Ok(copy.report)
",
        place: "library",
        test: "what_is_not_needed_any_more_is_not_copied",
    },
    Bug {
        name: "propagate unverified bytes in heal",
        breaks: "P7: damage is never copied",
        file: "src/replicate/heal.rs",
        find: "            Ok(bytes) if self.name.matches(&bytes) => return Some(bytes),\n",
        replace: "            Ok(bytes) if !bytes.is_empty() => return Some(bytes),\n",
        place: LIB,
        test: "what_copies_are_damaged_decides_how_a_pack_is_healed",
    },
    Bug {
        name: "propagate unverified bytes in catch-up",
        breaks: "P7: damage is never copied",
        file: "src/replicate/catch_up.rs",
        find: "                Ok(bytes) if name.matches(&bytes) => bytes,\n",
        replace: "                Ok(bytes) if !bytes.is_empty() => bytes,\n",
        place: "rot",
        test: "damage_is_not_copied_by_catching_up",
    },
    Bug {
        name: "a carried node dropped",
        breaks: "what cannot be read stands in its previous version",
        file: "src/backup/trees.rs",
        find: "                self.add(Node { flags: previous.flags.with(Flags::CARRIED), ..previous }, store)\n",
        replace: "                let _ = Node { flags: previous.flags.with(Flags::CARRIED), ..previous };\n                Ok(())\n",
        place: "library",
        test: "what_cannot_be_read_keeps_its_previous_content_and_does_not_look_deleted",
    },
];

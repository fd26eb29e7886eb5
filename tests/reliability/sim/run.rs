//! One run: the steps of a seed, one after another and one within another, and the look at everything in the end.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cryptbackup::backup::{self, BackupRequest, smart};
use cryptbackup::check::{self, CheckRequest};
use cryptbackup::clean::{self, hand};
use cryptbackup::error::Error;
use cryptbackup::repo::{self, Repo};
use cryptbackup::report::{Monitor, Silent};
use cryptbackup::sync::{self, SyncRequest};

use super::judge::{Around, Outcome, place_of};
use super::model::{Fate, Promise};
use super::plan::{Command, Step, Trouble};
use super::world::{World, disk_of};
use super::{MACHINES, PLACE_COUNT};
use crate::disk::chance::Chance;
use crate::recover::{Kept, caught, restore_and_compare};
use crate::rig::{PLACES, place};
use crate::workload::clean_request;

/// What a command gave, and what it says that destinations do not show any more.
type Said = (Outcome, Vec<(String, String)>);

/// Counts the parts of backups.
struct Parts<'w>(&'w World);

impl Monitor for Parts<'_> {
    fn note(&self, sentence: &str) {
        if sentence.starts_with("partial snapshot") {
            self.0.model().count("partial snapshots");
        }
    }
}

fn alarms(repo: &Repo) -> Vec<(String, String)> {
    let of = |name: &&str| Some(((*name).to_owned(), repo.rolled_back(name)?.sentence(name)));
    PLACES.iter().filter_map(of).collect()
}

impl World {
    /// Does one step.
    pub fn step(self: &Arc<Self>, step: &Step, depth: usize) {
        self.pass(step.hours);
        if let Some(hours) = step.skew {
            self.set_skew(step.who, hours);
        }
        match step.command {
            Command::Plug => self.plug_one(step),
            Command::Outage(policy) => {
                let place = step.seed as usize % PLACE_COUNT;
                self.model().tell(depth, &format!("power fails on {}: {policy:?}", PLACES[place]));
                self.cut(disk_of(place), policy, step.seed);
            }
            Command::Rot { deletes } => self.rot(step, deletes),
            Command::Copy => self.copy(step),
            Command::SetBack => self.set_back(step),
            Command::Clone => self.become_a_clone(step, depth),
            Command::Close => self.close_one(step, depth),
            Command::Clean { is_twice: true, .. } => {
                if self.command(step, depth) {
                    self.pass(8 * 24);
                    self.command(&Step { trouble: None, ..step.clone() }, depth);
                }
            }
            _ => drop(self.command(step, depth)),
        }
        if depth == 0 {
            self.settle_purges(step.who);
            if matches!(step.command, Command::Clean { .. } | Command::Sync | Command::Backup | Command::Smart) {
                self.audit_purged();
            }
        }
    }

    /// One command of one machine, with what happens meanwhile. Says whether the machine lived through it.
    fn command(self: &Arc<Self>, step: &Step, depth: usize) -> bool {
        let who = step.who;
        let (there, name) = (self.there(), step.command.name());
        let mut closed = self.closed();
        let (first_trouble, first_closing, promises, was_rotten, began) = {
            let mut model = self.model();
            model.commands += 1;
            model.count(name);
            let trouble =
                step.trouble.as_ref().map_or(String::new(), |trouble| format!(", {trouble:?} at {:?}", step.at));
            let trouble: String = trouble.chars().take(160).collect();
            model.tell(
                depth,
                &format!("machine {who}: {:?}{trouble}, {there:?} there, {} by its clock", step.command, self.now(who)),
            );
            (model.troubles.len(), model.closings.len(), model.promises.len(), model.is_rotten, model.commands)
        };
        if step.command.is_backup() {
            self.source(who).change(&mut Chance::new(step.seed));
            let now = self.now(who);
            self.model().runs[who].push((now, now));
        }
        let mut chance = Chance::of(step.seed, 9);
        self.model().purging[who] = None;
        self.prepare(step, depth);
        let result = catch_unwind(AssertUnwindSafe(|| self.run(step, &mut chance)));
        let (is_dead, is_missed) = self.stations[who].revive();
        if step.command.is_backup() {
            let end = self.now(who);
            if let Some(run) = self.model().runs[who].last_mut() {
                run.1 = end;
            }
        }
        self.clear(step, is_missed);
        let troubled: BTreeSet<usize> = self.model().troubles[first_trouble..].iter().copied().collect();
        closed.extend(&self.model().closings[first_closing..]);
        let is_nested = matches!(step.trouble, Some(Trouble::Nest(_))) && !is_missed;
        let is_lied_to = matches!(step.trouble, Some(Trouble::Lie(_)));
        let is_within = depth > 0;
        let around =
            Around { who, began, there, closed, promises, troubled, was_rotten, is_nested, is_within, is_lied_to };
        match result {
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
                self.model().violation(format!("machine {who}: {name} panics: {text}"));
            }
            Ok(Ok((outcome, alarms))) if !is_dead => {
                self.judge_alarms(&around, &alarms);
                self.judge(&around, outcome);
                return true;
            }
            Ok(result) => {
                self.give_up(step, began, &mut Chance::of(step.seed, 9));
                if let (Err(error), false) = (&result, is_dead) {
                    self.model().tell(depth, &format!("  {error}"));
                    self.judge_error(&around, error, name);
                    return true;
                }
                self.model().tell(depth, "  it died");
            }
        }
        false
    }

    /// The command did not come to its end: what it was to take away may be gone.
    fn give_up(&self, step: &Step, began: usize, chance: &mut Chance) {
        match step.command {
            Command::Clean { keep_days, .. } => self.model().may_have_let_go(step.who, keep_days, began),
            Command::Forget => {
                if let Some(id) = self.choose(step.who, chance) {
                    self.model().with(id, |promise| {
                        promise.fate = Fate::Unsure;
                        promise.is_forgotten = true;
                    });
                }
            }
            Command::Pin => {
                if let Some(id) = self.choose(step.who, chance) {
                    self.model().with(id, |promise| promise.pinned = None);
                }
            }
            Command::Unforget => {
                if let Some(id) = self.choose_forgotten(chance) {
                    self.model().set_fate(id, Fate::Unsure);
                }
            }
            Command::Purge => self.may_be_purged(step.who),
            _ => {}
        }
    }

    /// A snapshot to forget: one of its own, now and then another's.
    fn choose(&self, who: usize, chance: &mut Chance) -> Option<cryptbackup::format::id::SnapshotId> {
        let is_anyone = chance.percent(25);
        let model = self.model();
        let is_known = |promise: &&Promise| !promise.is_unsure && (promise.who == who || is_anyone);
        let candidates: Vec<_> = model.kept().filter(is_known).collect();
        let at = chance.below(candidates.len().max(1) as u64) as usize;
        candidates.get(at).map(|promise| promise.id)
    }

    /// A snapshot that a person forgot, and that nothing took the place of.
    fn choose_forgotten(&self, chance: &mut Chance) -> Option<cryptbackup::format::id::SnapshotId> {
        let model = self.model();
        let forgotten = model.promises.iter().filter(|promise| promise.is_forgotten && !promise.is_unsure);
        let ids: Vec<_> = forgotten.map(|promise| promise.id).collect();
        ids.get(chance.below(ids.len().max(1) as u64) as usize).copied()
    }

    fn run(&self, step: &Step, chance: &mut Chance) -> Result<Said, Error> {
        let who = step.who;
        if step.command == Command::Connect {
            return self.connect(who, chance);
        }
        if step.command == Command::LoseIndex {
            self.machine.0.state().image.delete(who, "home/backups.db");
        }
        let mut repo = self.open(who)?;
        let outcome = match step.command {
            Command::Backup | Command::Smart => {
                let tree = self.source(who).tree();
                let request = BackupRequest { accept_changes: true, ..BackupRequest::default() };
                let report = match step.command {
                    Command::Smart => {
                        let plan = smart::plan(&repo, &request, &Silent)?;
                        smart::execute(&mut repo, request, &plan, &Parts(self))?
                    }
                    _ => backup::run(&mut repo, request, &Silent)?,
                };
                let shown = repo.snapshots()?;
                // Another machine may have purged something of it meanwhile, of which this one may know or not.
                let names = report.snapshot_id.map(|id| [id, self.model().now_called(id)]);
                let own = shown.iter().find(|info| names.is_some_and(|names| names.contains(&info.id)));
                Outcome::Backup(report, tree, own.map(|info| info.time).unwrap_or_default())
            }
            Command::Forget => match self.choose(who, chance) {
                Some(id) => {
                    hand::forget(&mut repo, &[id.to_string()], true)?;
                    Outcome::Forget(id)
                }
                None => Outcome::Nothing,
            },
            Command::Pin => {
                if let Some(id) = self.choose(who, chance) {
                    let is_pinned = chance.percent(50);
                    hand::pin(&mut repo, &[id.to_string()], is_pinned)?;
                    Outcome::Pin(id, is_pinned)
                } else {
                    Outcome::Nothing
                }
            }
            Command::Unforget => match self.choose_forgotten(chance) {
                Some(id) => match hand::unforget(&mut repo, &[id.to_string()]) {
                    Err(Error::NotFound { .. }) => Outcome::Nothing,
                    result => {
                        result?;
                        let shown = repo.snapshots()?;
                        let info = shown.iter().find(|info| info.id == id);
                        let on = info.map(|info| info.destinations.iter().map(|name| place_of(name)).collect());
                        Outcome::Unforget(id, on)
                    }
                },
                None => Outcome::Nothing,
            },
            Command::Rotate => {
                repo.rotate_keys()?;
                Outcome::Nothing
            }
            Command::Clean { keep_days, keep_versions, .. } => {
                if matches!(step.trouble, Some(Trouble::Lie(_))) {
                    // It saw everything once, and is lied to afterwards.
                    self.lie(step);
                }
                let request = clean_request(&repo, keep_days, keep_versions);
                Outcome::Clean(clean::run(&mut repo, request, &Silent)?, keep_days)
            }
            Command::Purge => self.purge(&mut repo, who, chance)?,
            Command::Accept => {
                self.accept(&mut repo, chance)?;
                Outcome::Nothing
            }
            Command::Sync => Outcome::Sync(sync::run(&mut repo, SyncRequest::default(), &Silent)?),
            Command::Check => {
                let request = CheckRequest { read_data: chance.percent(50), ..CheckRequest::default() };
                Outcome::Check(check::run(&repo, request, &Silent)?)
            }
            Command::Heal => {
                let request = CheckRequest { read_data: true, ..CheckRequest::default() };
                Outcome::Heal(check::heal(&mut repo, request, &Silent)?)
            }
            _ => Outcome::Nothing,
        };
        Ok((outcome, alarms(&repo)))
    }

    /// A new machine, which has a copy of the settings and nothing else.
    fn connect(&self, who: usize, chance: &mut Chance) -> Result<Said, Error> {
        let rotten = self.model().is_rotten;
        let there: Vec<usize> = self.there().into_iter().filter(|place| !rotten[*place]).collect();
        if there.is_empty() {
            return Ok((Outcome::Nothing, Vec::new()));
        }
        let from = there[chance.below(there.len() as u64) as usize];
        self.wipe(who);
        let mut model = self.model();
        model.joined[who] = None;
        model.inherited[who].clear();
        drop(model);
        repo::connect(&self.homes[who], &place(PLACES[from]), None, Some(self.settings(who)), &Silent)?;
        Ok((Outcome::Nothing, alarms(&self.open(who)?)))
    }

    fn quiet(command: Command, who: usize) -> Step {
        Step { who, hours: 1, skew: None, command, trouble: None, at: (0, 0, false), seed: 3 }
    }

    /// Heals what rotted, with everything there. A machine may not know enough; then another one does.
    pub fn heal(self: &Arc<Self>, first: usize) {
        for who in (0..MACHINES).map(|next| (first + next) % MACHINES) {
            if !self.model().is_rotten.contains(&true) {
                return;
            }
            self.bring_all();
            self.step(&Self::quiet(Command::Heal, who), 0);
        }
        if self.model().is_rotten.contains(&true) {
            self.model().violation("nobody can heal it".to_owned());
        }
    }

    /// Everything is there again, everybody backs up, and everything that was promised is looked at.
    pub fn finish(self: &Arc<Self>, seed: u64) {
        self.bring_all();
        let first = seed as usize % MACHINES;
        self.heal(first);
        for who in 0..MACHINES {
            self.step(&Self::quiet(Command::Backup, who), 0);
        }
        self.step(&Self::quiet(Command::Sync, first), 0);
        self.step(&Self::quiet(Command::Check, first), 0);
        self.restore_everything(first, 100, seed);
        self.audit(seed as usize / MACHINES % PLACE_COUNT, 50, seed);
        let other = (first + 1) % MACHINES;
        self.step(&Self::quiet(Command::LoseIndex, other), 0);
        self.restore_everything(other, 25, seed);
    }

    /// So many percent of all that was promised is restored from where it was promised.
    fn restore_everything(&self, who: usize, percent: u64, seed: u64) {
        let repo = match self.open(who) {
            Ok(repo) => repo,
            Err(error) => return self.model().violation(format!("machine {who} does not open: {error}")),
        };
        let mut chance = Chance::of(seed, percent);
        let promises: Vec<_> = {
            let model = self.model();
            model
                .kept()
                .filter(|promise| !promise.is_unsure)
                .map(|promise| (promise.id, promise.who, Arc::clone(&promise.tree), promise.on.clone()))
                .collect()
        };
        let target = self.folder.path().join(format!("restored{who}"));
        for (id, owner, tree, on) in promises {
            for at in on.into_iter().filter(|_| chance.percent(percent)) {
                let kept = Kept { id, on: BTreeSet::new(), tree: &tree, or: None };
                let source = self.source(owner).path().to_owned();
                let result = caught(|| restore_and_compare(&target, &repo, &kept, PLACES[at], &source));
                let mut model = self.model();
                model.count("restores compared");
                if let Err(why) = result {
                    model.violation(format!("{} of machine {owner} is not whole on {}: {why}", id.short(), PLACES[at]));
                }
            }
        }
        self.look_for_purged(&repo, &target);
    }
}

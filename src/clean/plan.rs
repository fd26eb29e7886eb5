//! What there is to decide about: this writer's line of snapshots, what goes of it, and whether that can be meant.

use std::collections::HashSet;

use super::CleanRequest;
use super::choose::{Candidate, Chosen, FileRule, Rules, choose, may_go_from};
use super::observed::Observed;
use crate::error::Error;
use crate::format::id::{SnapshotId, WriterId};
use crate::format::mark::ForgetReason;
use crate::format::record::Time;
use crate::format::snapshot::Snapshot;
use crate::index::IndexReader;
use crate::replicate::OpenDestination;
use crate::repo::{KnownSnapshot, Lineage, Repo, Suspect};
use crate::snapshot::Marks;
use crate::snapshot::history::Standing;

/// Packs below this size are small; so many of them make an unattended run worth while.
pub(super) const SMALL_BYTES: u64 = 4 << 20;
const SMALL_PACKS: u64 = 48;
/// A gap between snapshots is a sign that the clock jumped when it is so many times longer than usual, and so many days.
const GAP_FACTOR: i64 = 10;
const GAP_SECONDS: i64 = 180 * 86_400;

/// A writer that made no snapshot for so long, while the one that goes on from it did, is gone.
const SILENT_SECONDS: i64 = 90 * 86_400;

/// What is to be done, before anything is.
pub(super) struct Plan {
    /// What decides.
    pub rules: Rules,
    /// When it was made, by the clock.
    pub now: Time,
    /// All decisions so far.
    pub marks: Marks,
    /// The line of snapshots this writer goes on from.
    pub line: Lineage,
    /// Snapshots that others go on from too: theirs to decide about.
    shared: HashSet<SnapshotId>,
    /// What was chosen of those that are ours and were not forgotten yet.
    pub chosen: Chosen,
    candidates: Vec<Candidate>,
    /// Snapshots that looked suspect and were not accepted: of their sources nothing goes.
    pub suspects: Vec<Suspect>,
    own: Option<WriterId>,
    /// Writers before this one whose snapshots are left to it.
    inherited: HashSet<WriterId>,
    machine: String,
}

impl Plan {
    pub(super) fn make(repo: &Repo, request: &CleanRequest) -> Result<Self, Error> {
        let view = repo.index.reader()?;
        let (marks, line, now) = (repo.marks(&view)?, repo.lineage(&view)?, repo.now());
        let shared = shared(repo, &view, &line, &marks)?;
        let own = repo.writer.as_ref().map(|writer| writer.id);
        let machine = repo.machine_name();
        let inherited = inherited(&line, own, &machine);
        let mut plan = Self {
            rules: request.rules,
            now,
            marks,
            line,
            shared,
            chosen: Chosen::default(),
            candidates: Vec::new(),
            suspects: repo.suspects(&view)?,
            own,
            inherited,
            machine,
        };
        // What is left on a destination that was rolled back says nothing about what there was.
        let trusted = !repo.rolled_back_bits();
        let wanted =
            |known: &&KnownSnapshot| known.committed & trusted != 0 && plan.marks.forgotten(&known.id).is_none();
        let ours = plan.line.chain.iter().filter(wanted).filter(|known| plan.is_ours(&known.id, &known.snapshot));
        plan.candidates = ours.filter_map(|known| plan.candidate(known)).collect();
        plan.chosen = choose(&plan.candidates, &request.rules, now);
        Ok(plan)
    }

    fn candidate(&self, known: &KnownSnapshot) -> Option<Candidate> {
        let is_pinned = self.marks.get(&known.id).is_some_and(|decision| decision.is_pinned);
        let mut candidate = Candidate::of(known.id, &known.snapshot, is_pinned)?;
        let suspended = candidate.sources.iter().find(|source| self.is_suspended(&source.path));
        candidate.suspended = suspended.map(|source| source.path.clone());
        Some(candidate)
    }

    /// Whether nothing of a source may go, because a run looked suspect that read it.
    pub(super) fn is_suspended(&self, path: &[u8]) -> bool {
        self.suspects.iter().flat_map(|suspect| &suspect.sources).any(|source| source.path == path)
    }

    /// Whether this writer decides about a snapshot: its own, and those of a writer before it that are left to it and that
    /// nobody else goes on from.
    fn is_ours(&self, id: &SnapshotId, snapshot: &Snapshot) -> bool {
        Some(snapshot.writer) == self.own
            || (self.inherited.contains(&snapshot.writer) && self.line.has_passed(id) && !self.shared.contains(id))
    }

    /// Whether a history belongs to this writer's line.
    pub(super) fn is_our_history(&self, history: &Snapshot) -> bool {
        let before = history.previous.filter(|previous| !self.shared.contains(previous));
        Some(history.writer) == self.own
            || ((self.inherited.contains(&history.writer) || history.machine == self.machine)
                && before.is_some_and(|previous| self.line.has_passed(&previous)))
    }

    /// Whether a version of a file is protected, in a source whose versions are counted back from `newest`.
    pub(super) fn protects(&self, path: &[u8], standing: &Standing, newest: Time) -> bool {
        let Standing { position, last_seen, newest_seen, is_deleted } = *standing;
        let by_rule = |rule: FileRule| rule.protects(position, last_seen, newest_seen, is_deleted, newest);
        self.is_suspended(path) || self.rules.per_file().is_some_and(by_rule)
    }

    /// What goes by this plan and was not forgotten before.
    pub(super) fn newly_going(&self) -> impl Iterator<Item = &KnownSnapshot> {
        let going: HashSet<SnapshotId> = self.chosen.going().collect();
        self.line.chain.iter().filter(move |known| going.contains(&known.id))
    }

    /// What a rule lets go, now or in an earlier run, and may be deleted from a destination.
    pub(super) fn going_from(&self, destination: &OpenDestination) -> HashSet<SnapshotId> {
        let mut going: HashSet<SnapshotId> = self.chosen.going().collect();
        let there = self.line.chain.iter().filter(|known| known.committed & destination.bit != 0);
        let mut candidates = Vec::new();
        for known in there {
            match self.marks.forgotten(&known.id) {
                Some(ForgetReason::Hand | ForgetReason::Replaced) => continue,
                Some(ForgetReason::Rule) if self.is_ours(&known.id, &known.snapshot) => {
                    going.insert(known.id);
                }
                Some(ForgetReason::Rule) | None => {}
            }
            candidates.extend(self.candidate(known));
        }
        may_go_from(&candidates, &going, self.now)
    }

    /// Whether a person, or what stands for it now, said that a snapshot is not wanted: nothing of it is kept.
    pub(super) fn is_forgotten_by_hand(&self, id: &SnapshotId) -> bool {
        matches!(self.marks.forgotten(id), Some(ForgetReason::Hand | ForgetReason::Replaced))
    }

    /// The time the versions of a source are counted back from.
    pub(super) fn newest_of(&self, path: &[u8]) -> Option<Time> {
        self.chosen.sources.iter().find(|source| source.path == path).map(|source| source.newest)
    }

    /// Why a person should look first; none where there is no reason.
    pub(super) fn looks_like_a_mistake(&self, is_unattended: bool) -> Option<String> {
        self.chosen.going().next()?;
        let newest_own = self.candidates.iter().filter(|one| Some(one.writer) == self.own).map(|one| one.time).max();
        if newest_own.is_some_and(|newest| newest.seconds > self.now.seconds + super::choose::FUTURE_TOLERANCE_SECONDS)
        {
            return Some("the newest snapshot is later than the clock of this machine".to_owned());
        }
        if let Some(days) = self.gap_days() {
            return Some(format!(
                "there are {days} days between two snapshots, far more than usual: has the clock of this machine jumped?"
            ));
        }
        // A person who types the rules means them; nobody means what a clock or a mistyped setting does at night.
        let much = self.chosen.removes_more_than_half();
        let path = String::from_utf8_lossy(much.first().filter(|_| is_unattended)?).into_owned();
        Some(format!("more than half of the snapshots of {path} would be removed at once"))
    }

    /// The days between what stays and what goes, where that is a sign of a clock that jumped.
    fn gap_days(&self) -> Option<i64> {
        let mut times: Vec<i64> = self.candidates.iter().map(|candidate| candidate.time.seconds).collect();
        times.sort_unstable();
        let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let widest = *gaps.iter().max()?;
        gaps.sort_unstable();
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
        (gaps.len() >= 3 && widest >= GAP_SECONDS && widest / GAP_FACTOR >= usual.max(1)).then_some(widest / 86_400)
    }

    /// Whether an unattended run would find enough to do: something that goes, or many small packs.
    pub(super) fn has_work(&self, repo: &Repo) -> Result<bool, Error> {
        for destination in &repo.destinations {
            if !self.going_from(destination).is_empty() || !self.unwanted(repo, destination)?.going.is_empty() {
                return Ok(true);
            }
        }
        let observed = Observed::load(repo)?;
        let grace = i64::from(repo.settings.retention.grace_days) * 86_400;
        if repo.destinations.iter().any(|known| observed.is_due(&known.id, self.now, grace)) {
            return Ok(true);
        }
        let view = repo.index.reader()?;
        let mut small = 0u64;
        view.each_pack(|_, info, presence| -> Result<(), Error> {
            let is_here = repo.destinations.iter().any(|known| known.bit & presence != 0);
            small += u64::from(is_here && info.len < SMALL_BYTES);
            Ok(())
        })?;
        Ok(small >= SMALL_PACKS)
    }
}

/// The writers of the line whose snapshots are left to this one: those of a machine of the same name, which lost its
/// state, and those that made none for long while this one did. Another machine that merely has not backed up yet since
/// this one was connected decides about its snapshots itself.
fn inherited(line: &Lineage, own: Option<WriterId>, machine: &str) -> HashSet<WriterId> {
    let newest_own = line.chain.iter().find(|known| Some(known.snapshot.writer) == own);
    let mut seen = HashSet::new();
    let mut inherited = HashSet::new();
    for known in &line.chain {
        let KnownSnapshot { snapshot, .. } = known;
        // The newest of each says whether it is silent.
        if seen.insert(snapshot.writer) {
            let is_silent = newest_own
                .is_some_and(|newest| newest.snapshot.finished.seconds - snapshot.finished.seconds > SILENT_SECONDS);
            if snapshot.machine == machine || is_silent {
                inherited.insert(snapshot.writer);
            }
        }
    }
    inherited
}

/// The snapshots that other writers go on from: those before any that is not of our line.
fn shared(repo: &Repo, view: &IndexReader, line: &Lineage, marks: &Marks) -> Result<HashSet<SnapshotId>, Error> {
    let strangers = repo.committed(view, |id, snapshot| !snapshot.is_history() && !line.has_passed(id))?;
    let mut shared = HashSet::new();
    for known in strangers {
        let mut next = known.snapshot.previous;
        while let Some(id) = next {
            if !shared.insert(id) {
                break;
            }
            next = match view.snapshot(&id)? {
                Some(row) => crate::format::snapshot::Snapshot::decode(&row.record).ok().and_then(|it| it.previous),
                None => marks.place(&id).and_then(|place| place.previous),
            };
        }
    }
    Ok(shared)
}

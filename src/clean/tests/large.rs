//! A million empty files in a hundred snapshots: how much memory and time cleaning them takes, and what is left.
//!
//! `cargo test --release --lib clean::tests::large -- --ignored --nocapture --test-threads 1`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::clean::choose::Rules;
use crate::clean::{self, CleanReport, CleanRequest};
use crate::format::id::{PackId, SnapshotId};
use crate::format::recipe::Recipe;
use crate::format::record::{Extra, Time};
use crate::format::sealed::ObjectType;
use crate::format::snapshot::{Root, RootCounts, Snapshot, packs_digest};
use crate::format::tree::{Flags, Metadata, Node, NodeKind};
use crate::index::SnapshotRow;
use crate::repo::store::Store;
use crate::repo::{self, Access, Clock, Home, InitRequest, Repo, user_name};
use crate::report::Silent;
use crate::snapshot::{TreeBuilder, path_hash};

/// Files that each folder begins with. Those up to the middle stay.
const FILES: u32 = 100;
const KEEP_VERSIONS: usize = 5;
const FIRST_DAY: i64 = 1_780_000_000;
const SOURCE: &str = "/made/up";
/// What cleaning may take, in bytes: 100 MB.
const MOST: u64 = 100_000_000;
/// What a process that measures one run is told.
const FOLDER: &str = "LARGE_TEST_FOLDER";
const WHAT: &str = "LARGE_TEST_WHAT";
const STORM: &str = "LARGE_TEST_STORM";

/// A file is there with one content from one day to another, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    number: u32,
    first: u32,
    last: u32,
}

/// What a version is known to be: its number, the last day that had it, and whether only a history holds it.
type Told = (u32, u32, bool);

/// One source, made up: folders of folders of files. On every day each hundredth lowest folder changes: every tenth file
/// in it gets another content, one comes, one or two go.
struct Source {
    outer: u32,
    inner: u32,
    days: u32,
    keep_days: u32,
    /// The day on which every file changes, where there is one.
    storm: Option<u32>,
    /// The days on which each lowest folder changes, ascending; none on the first.
    changes: Vec<Vec<u32>>,
}

fn spread(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x7FB5_D329_728E_A185);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x81DA_DEF4_BC2D_D44D) ^ (mixed >> 33)
}

impl Source {
    fn new(outer: u32, inner: u32, days: u32, keep_days: u32, storm: Option<u32>) -> Self {
        let folders = outer * inner;
        let mut changes = vec![Vec::new(); folders as usize];
        for day in 1..days {
            // The first folder changes every day, the second every tenth, the others as it comes.
            let mut changed = BTreeSet::from([0u32]);
            changed.extend(day.is_multiple_of(10).then_some(1));
            let others = (0..).map(|draw| 2 + (spread(u64::from(day) << 32 | draw) % u64::from(folders - 2)) as u32);
            for folder in others {
                if changed.len() as u32 >= folders / 100 {
                    break;
                }
                changed.insert(folder);
            }
            if storm == Some(day) {
                changed.extend(0..folders);
            }
            for folder in changed {
                changes[folder as usize].push(day);
            }
        }
        Self { outer, inner, days, keep_days, storm, changes }
    }

    /// The files a folder ever has, in the order of their names: those that came, by their day, then those that were there.
    fn files(&self, folder: u32) -> impl Iterator<Item = u32> {
        self.changes[folder as usize].iter().map(|day| FILES + day).chain(0..FILES)
    }

    fn name(file: u32) -> String {
        if file < FILES { format!("file-{file:04}") } else { format!("came-on-{:04}", file - FILES) }
    }

    fn path(&self, folder: u32, file: u32) -> String {
        format!("outer-{:04}/inner-{:04}/{}", folder / self.inner, folder % self.inner, Self::name(file))
    }

    /// The versions of a file, oldest first.
    fn spans(&self, folder: u32, file: u32) -> Vec<Span> {
        let changes = &self.changes[folder as usize];
        if file >= FILES {
            let first = file - FILES;
            let last = changes.iter().find(|day| **day > first).unwrap_or(&self.days) - 1;
            return vec![Span { number: 1, first, last }];
        }
        // With every change the last of the files goes that are to go.
        let gone = changes.get((FILES - 1 - file) as usize).filter(|_| file > FILES / 2);
        let last = gone.unwrap_or(&self.days) - 1;
        let mut spans = vec![Span { number: 1, first: 0, last }];
        for &day in changes.iter().take_while(|day| **day <= last) {
            // In the first two folders always the same files.
            let turn = if folder < 2 { 0 } else { day };
            if ((file + turn).is_multiple_of(10) || self.storm == Some(day))
                && let Some(before) = spans.last_mut()
            {
                before.last = day - 1;
                let number = before.number + 1;
                spans.push(Span { number, first: day, last });
            }
        }
        spans
    }

    /// The first day of which the snapshot stays.
    fn kept_from(&self) -> u32 {
        self.days - self.keep_days
    }

    /// What is known of a file after cleaning, by the plain words of the rule: what a snapshot that stays has, and the
    /// newest versions whatever their age.
    fn left(&self, folder: u32, file: u32) -> Vec<Told> {
        let spans = self.spans(folder, file);
        let oldest = spans.len().saturating_sub(KEEP_VERSIONS);
        let told = spans.iter().enumerate().map(|(place, span)| (place, span, span.last < self.kept_from()));
        let left = told.filter(|(place, _, is_old)| !is_old || *place >= oldest);
        left.map(|(_, span, is_old)| (span.number, span.last, is_old)).collect()
    }

    /// Versions that histories hold after cleaning, and those that are gone.
    fn totals(&self) -> (u64, u64) {
        let (mut kept, mut dropped) = (0, 0);
        for folder in (0..self.outer * self.inner).filter(|folder| !self.changes[*folder as usize].is_empty()) {
            for file in self.files(folder) {
                let left = self.left(folder, file);
                kept += left.iter().filter(|(_, _, is_old)| *is_old).count() as u64;
                dropped += (self.spans(folder, file).len() - left.len()) as u64;
            }
        }
        (kept, dropped)
    }
}

fn noon(day: u32) -> Time {
    Time { seconds: FIRST_DAY + i64::from(day) * 86_400, nanos: 0 }
}

/// `unlike` makes its metadata unlike those of others, so that trees compress no better than real ones.
fn node(name: String, kind: NodeKind, version: u32, changed: u32, unlike: u64) -> Node {
    let time = Time { nanos: (unlike % 1_000_000_000) as u32, ..noon(changed) };
    let metadata = Metadata {
        mode: if version == 0 { 0o755 } else { 0o644 },
        uid: 1000,
        gid: 1000,
        user: Some("somebody".to_owned()),
        group: Some("somebody".to_owned()),
        mtime: time,
        ctime: time,
        inode: unlike >> 40,
        links: 1,
        ..Metadata::default()
    };
    Node { name: name.into_bytes(), kind, metadata, version, flags: Flags::NONE, extra: Extra::new() }
}

/// The source in a repository with one destination.
struct World {
    folder: PathBuf,
    source: Source,
    clock: Arc<AtomicI64>,
}

impl World {
    /// The source in a repository that is there, on the last day.
    fn there(folder: &Path, source: Source) -> Self {
        let clock = Arc::new(AtomicI64::new(noon(source.days - 1).seconds));
        Self { folder: folder.to_owned(), source, clock }
    }

    /// The same in a new one.
    fn new(folder: &Path, source: Source) -> Self {
        let world = Self::there(folder, source);
        repo::init(&world.home(), InitRequest::default()).expect("a new repository");
        let mut repo = world.open();
        repo.add_destination("disk", &world.folder.join("disk"), &Silent).expect("a new destination");
        repo.prepare_to_write().expect("a writer");
        let mut filling = Filling::new(&world.source, &repo);
        for day in 0..world.source.days {
            world.clock.store(noon(day).seconds, Ordering::Relaxed);
            filling.snapshot(day);
        }
        let last = repo.highest_sequence().expect("the snapshots");
        repo.remember_sequence(last).expect("remembered");
        drop(repo);
        world
    }

    fn home(&self) -> Home {
        Home::at(self.folder.join("home"))
    }

    fn open(&self) -> Repo {
        let mut repo = Repo::open(&self.home(), Access::Write, None, &Silent).expect("the repository");
        let clock = Arc::clone(&self.clock);
        repo.set_clock(Clock::of(move || Time { seconds: clock.load(Ordering::Relaxed), nanos: 0 }));
        repo
    }

    fn clean(&self, is_dry: bool) -> CleanReport {
        let mut repo = self.open();
        let (keep_days, keep_versions) = (self.source.keep_days, KEEP_VERSIONS as u32);
        let rules = Rules { keep_days, keep_versions, ..Rules::of(&repo.settings.retention) };
        let request = CleanRequest { dry_run: is_dry, ..CleanRequest::new(rules) };
        clean::run(&mut repo, request, &Silent).expect("cleaned")
    }

    /// What the repository tells of a file.
    fn told(&self, repo: &Repo, folder: u32, file: u32) -> Vec<Told> {
        let path = Path::new(SOURCE).join(self.source.path(folder, file));
        let versions = repo.versions(&path).expect("some versions");
        let day = |time: Time| u32::try_from((time.seconds - FIRST_DAY) / 86_400).expect("a day");
        versions.iter().map(|version| (version.number, day(version.last_seen), version.in_history)).collect()
    }

    /// Some files of every sort: of folders that change every day, every tenth, once or twice, never.
    fn samples(&self) -> BTreeMap<(u32, u32), Vec<Span>> {
        let changes = &self.source.changes;
        let changed = |count: usize| (2..changes.len() as u32).find(|folder| changes[*folder as usize].len() == count);
        let mut samples = BTreeMap::new();
        for folder in [0, 1].into_iter().chain(changed(0)).chain(changed(1)).chain(changed(2)) {
            let files: BTreeSet<u32> = self.source.files(folder).collect();
            let few = files.iter().copied().filter(|file| file % 10 < 2 || file % 33 == 0 || *file == FILES - 1);
            samples.extend(few.map(|file| ((folder, file), self.source.spans(folder, file))));
        }
        samples
    }

    /// Every version there ever was is told of, as it was made up.
    fn is_complete(&self) {
        let repo = self.open();
        for ((folder, file), spans) in self.samples() {
            let all: Vec<Told> = spans.iter().map(|span| (span.number, span.last, false)).collect();
            assert_eq!(self.told(&repo, folder, file), all, "{}", self.source.path(folder, file));
        }
    }

    /// What the rule keeps is left, and nothing else.
    fn is_clean(&self) {
        let repo = self.open();
        for (folder, file) in self.samples().into_keys() {
            let left = self.source.left(folder, file);
            assert_eq!(self.told(&repo, folder, file), left, "{}", self.source.path(folder, file));
        }
        assert_eq!(repo.snapshots().expect("snapshots").len() as u32, self.source.keep_days);
    }

    fn has_cleaned(&self, report: &CleanReport, is_again: bool) {
        let (kept, dropped) = self.source.totals();
        let disk = &report.destinations[0];
        assert_eq!((disk.detail.as_deref(), report.held.as_deref()), (None, None));
        assert_eq!(report.versions_kept, kept);
        assert_eq!(report.versions_dropped, if is_again { 0 } else { dropped });
        assert_eq!(disk.snapshots_deleted, if is_again { 0 } else { self.source.kept_from().into() });
        assert_eq!(disk.bytes_freed > 0, !is_again, "{disk:?}");
    }
}

/// Writes snapshots as a backup does. Of trees only the folders' recipes are in memory.
struct Filling<'a> {
    source: &'a Source,
    repo: &'a Repo,
    outer: Vec<Recipe>,
    inner: Vec<Recipe>,
    previous: Option<SnapshotId>,
}

impl<'a> Filling<'a> {
    fn new(source: &'a Source, repo: &'a Repo) -> Self {
        let outer = vec![Recipe::EMPTY; source.outer as usize];
        let inner = vec![Recipe::EMPTY; (source.outer * source.inner) as usize];
        Self { source, repo, outer, inner, previous: None }
    }

    fn snapshot(&mut self, day: u32) {
        let view = self.repo.index.reader().expect("a view");
        let mut store = self.repo.store(&view, &self.repo.destinations, &Silent).expect("a store");
        let mut changed = BTreeSet::new();
        for folder in 0..self.inner.len() as u32 {
            if day == 0 || self.source.changes[folder as usize].binary_search(&day).is_ok() {
                self.inner[folder as usize] = self.files(folder, day, &mut store);
                changed.insert(folder / self.source.inner);
            }
        }
        for outer in changed {
            let first = outer * self.source.inner;
            let recipes = &self.inner[first as usize..(first + self.source.inner) as usize];
            self.outer[outer as usize] = self.folders("inner", recipes, day, &mut store);
        }
        let recipe = self.folders("outer", &self.outer, day, &mut store);
        let stored = store.finish().expect("stored");
        let root = node(String::new(), NodeKind::Folder(recipe), 0, day, 1);
        self.commit(day, root, stored.pack_ids);
    }

    fn files(&self, folder: u32, day: u32, store: &mut Store<'_>) -> Recipe {
        let mut tree = TreeBuilder::default();
        for file in self.source.files(folder) {
            let spans = self.source.spans(folder, file);
            if let Some(span) = spans.iter().find(|span| (span.first..=span.last).contains(&day)) {
                let unlike = spread(u64::from(folder) << 32 | u64::from(file) << 16 | u64::from(span.number));
                let node = node(Source::name(file), NodeKind::File(Recipe::EMPTY), span.number, span.first, unlike);
                tree.push(&node, &self.repo.chunker, store).expect("stored");
            }
            if let Some(last) = spans.last().filter(|span| span.last + 1 == day) {
                let path = self.source.path(folder, file);
                store.retire(path_hash(SOURCE.as_bytes(), path.as_bytes()), last.number).expect("retired");
            }
        }
        tree.finish(&self.repo.chunker, store).expect("stored")
    }

    fn folders(&self, kind: &str, recipes: &[Recipe], day: u32, store: &mut Store<'_>) -> Recipe {
        let mut tree = TreeBuilder::default();
        for (number, recipe) in recipes.iter().enumerate() {
            let (name, kind) = (format!("{kind}-{number:04}"), NodeKind::Folder(recipe.clone()));
            let node = node(name, kind, 0, day, spread(number as u64));
            tree.push(&node, &self.repo.chunker, store).expect("stored");
        }
        tree.finish(&self.repo.chunker, store).expect("stored")
    }

    fn commit(&mut self, day: u32, node: Node, mut pack_ids: Vec<PackId>) {
        let digest = packs_digest(&mut pack_ids);
        let folders = self.outer.len() + self.inner.len() + 1;
        let counts = RootCounts { folders: folders as u64, ..RootCounts::default() };
        let snapshot = Snapshot {
            writer: self.repo.writer_id().expect("a writer"),
            sequence: u64::from(day) + 1,
            previous: self.previous,
            started: noon(day),
            finished: noon(day),
            zone_offset: 0,
            machine: self.repo.machine_name(),
            user: user_name(),
            roots: vec![Root { path: SOURCE.into(), node, carried_from: None, scanned: noon(day), counts }],
            flags: 0,
            tags: Vec::new(),
            packs_written: pack_ids.len() as u32,
            packs_digest: digest,
            version_ceiling: self.source.days,
            extra: Extra::new(),
        };
        let record = snapshot.encode().expect("a small record");
        let stored = self.repo.keys.seal_record(ObjectType::Snapshot, &record).expect("sealed");
        let id = SnapshotId::of(&stored);
        let row = SnapshotRow { committed: 0, whole: 0, seen: 0, is_counted: true, record, stored };
        let mut writer = self.repo.index.writer().expect("a writer");
        writer.put_snapshot(&id, &row).expect("put");
        writer.commit().expect("remembered");
        let catch_up = self.repo.catch_up(&Silent).expect("a writer");
        catch_up.commit(&self.repo.destinations[0], &id).expect("committed");
        self.previous = Some(id);
    }
}

/// The most memory since it was last asked, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("there");
    std::fs::write("/proc/self/clear_refs", "5").expect("reset");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// How much there is at a destination, in bytes.
fn stored(folder: PathBuf) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("listed"));
    files.map(|entry| entry.metadata().expect("a look").len()).sum()
}

#[test]
fn twenty_thousand_files_in_twenty_snapshots() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let world = World::new(folder.path(), Source::new(10, 20, 20, 6, Some(12)));
    world.is_complete();
    world.has_cleaned(&world.clean(true), false);
    world.is_complete();
    world.has_cleaned(&world.clean(false), false);
    world.is_clean();
    world.has_cleaned(&world.clean(false), true);
    world.is_clean();
}

#[test]
#[ignore = "measures, for some minutes"]
fn a_million_files_in_a_hundred_snapshots_under_100_megabytes() {
    measure(None);
}

#[test]
#[ignore = "measures, for some minutes"]
fn a_million_files_that_all_changed_once_under_100_megabytes() {
    measure(Some(50));
}

fn large(storm: Option<u32>) -> Source {
    Source::new(100, 100, 100, 30, storm)
}

/// Every run in a process of its own: what the making leaves behind in this one does not count.
#[expect(clippy::print_stderr, reason = "it measures")]
fn measure(storm: Option<u32>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let began = Instant::now();
    let world = World::new(folder.path(), large(storm));
    eprintln!("made in {:?}, {} MB at most", began.elapsed(), peak() / 1_000_000);
    world.is_complete();
    for what in ["dry run", "run", "second run"] {
        let mut process = Command::new(std::env::current_exe().expect("this program"));
        process.args(["--exact", "clean::tests::large::one_run_in_a_process_of_its_own", "--ignored", "--nocapture"]);
        process.env(FOLDER, folder.path()).env(WHAT, what).env(STORM, storm.unwrap_or(0).to_string());
        let is_good = process.status().expect("it ran").success();
        assert!(is_good, "{what}");
    }
    world.is_clean();
}

/// Part of the two above; does nothing without them.
#[test]
#[expect(clippy::print_stderr, reason = "it measures")]
#[ignore = "a part of others"]
fn one_run_in_a_process_of_its_own() {
    let said = |name: &str| std::env::var(name).ok();
    let (Some(folder), Some(what), Some(storm)) = (said(FOLDER), said(WHAT), said(STORM)) else { return };
    let storm = storm.parse().ok().filter(|day| *day > 0);
    let world = World::there(Path::new(&folder), large(storm));
    peak();
    let before = peak();
    let began = Instant::now();
    let report = world.clean(what == "dry run");
    let (took, most) = (began.elapsed(), peak());
    let index = std::fs::metadata(world.home().index_path()).expect("there").len();
    let disk = &report.destinations[0];
    eprintln!(
        "{what}: {took:?}, {} MB at most, {} MB before; {} MB stored, {} MB of index; {} packs deleted, {} of them \
         written anew; {} versions kept, {} dropped",
        most / 1_000_000,
        before / 1_000_000,
        stored(world.folder.join("disk")) / 1_000_000,
        index / 1_000_000,
        disk.packs_deleted,
        disk.packs_rewritten,
        report.versions_kept,
        report.versions_dropped,
    );
    world.has_cleaned(&report, what == "second run");
    assert!(most < MOST, "{} MB", most / 1_000_000);
}

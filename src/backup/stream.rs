//! What comes through a pipe, stored as a file: a source of its own that lies nowhere.
//!
//! The source is in the settings like any other, so that other runs carry it, and `status` says when it was stored last. It
//! is stored at its end or not at all: where reading fails, or nothing comes, there is no snapshot.
//!
//! A read that waits for the pipe cannot be interrupted, so a thread of its own does it. A run that is interrupted leaves that
//! thread behind; it ends with the pipe.
//!
//! ```
//! use cryptbackup::backup::stream::{self, StreamRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! # let dump = std::io::Cursor::new(b"create table shop ();");
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! let request = StreamRequest { name: "/shop.sql".into(), ..StreamRequest::default() };
//! let report = stream::run(&mut repo, request, Box::new(dump), &Silent)?;
//! println!("{} bytes, on {} destinations", report.bytes_read, report.copies);
//! assert_eq!(repo.versions("/shop.sql".as_ref())?.len(), 1);
//! # Ok(())
//! # }
//! ```

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::begun::WalkSteps;
use super::carried::carried_roots;
use super::coverage::Coverage;
use super::outcome::Written;
use super::pipeline::{Buffers, SourceRun};
use super::read::GroupReader;
use super::scan::Scan;
use super::step::{FileJob, Step};
use super::trees::RootBuilder;
use super::{BackupReport, BackupRequest, Phase, commit};
use crate::error::Error;
use crate::format::record::Time;
use crate::format::snapshot::Root;
use crate::format::tree::Metadata;
use crate::repo::settings::{SourceSettings, source_path};
use crate::repo::{Repo, require_tags};
use crate::report::{Monitor, Stage};
use crate::source::{Event, piped};

/// Bytes that are read at once, and how many of such pieces wait.
const PIECE_BYTES: usize = 256 << 10;
const PIECES_WAITING: usize = 2;
/// How long it may take until a run that waits for the pipe is interrupted.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is stored, and how.
#[derive(Debug, Clone, Default)]
pub struct StreamRequest {
    /// The absolute path by which it is listed and restored. Nothing needs to be there.
    pub name: PathBuf,
    /// Words to find the snapshot by.
    pub tags: Vec<String>,
    /// Store it although nothing comes.
    pub force: bool,
    /// Leave destinations that are behind as they are.
    pub no_sync: bool,
}

/// Stores what `input` gives, to its end. An error of `input` ends the run, and nothing is stored.
///
/// # Errors
/// [`Error::Usage`] for a tag or a name that is none or that of a folder, [`Error::NothingCame`] where nothing comes,
/// [`Error::Io`] where reading fails, [`Error::NoDestination`], [`Error::TooFewCopies`], [`Error::Interrupted`].
/// [`Error::Overtaken`] where another machine has cleaned away what was stored: it cannot be read once more.
pub fn run(
    repo: &mut Repo,
    request: StreamRequest,
    input: Box<dyn Read + Send>,
    monitor: &dyn Monitor,
) -> Result<BackupReport, Error> {
    let (began, started) = (Instant::now(), repo.now());
    require_tags(&request.tags)?;
    let source = source(repo, &request)?;
    if repo.destinations().is_empty() {
        return Err(repo.no_destination());
    }
    repo.prepare_to_write()?;
    monitor.begin(Stage::Reading, None, None);
    monitor.current(&request.name.display().to_string());
    let mut input = Patient::new(input, monitor).map_err(Error::NoThread)?;
    let written = read(repo, &source, &request, started, &mut input, monitor)?;
    repo.note_damaged(&written.damaged)?;
    if repo.settings.source(&source.path).is_none() {
        repo.home.edit_settings(|settings| {
            settings.put_source(source.clone());
            Ok(())
        })?;
        repo.settings.put_source(source);
    }
    let request = BackupRequest { tags: request.tags, no_sync: request.no_sync, ..BackupRequest::default() };
    let report = commit::commit(repo, written, &request, 0, monitor)?;
    Ok(BackupReport { started, duration_seconds: began.elapsed().as_secs_f64(), ..report })
}

/// The source that it is, or will be.
fn source(repo: &Repo, request: &StreamRequest) -> Result<SourceSettings, Error> {
    let name = &request.name;
    if !name.is_absolute() || source_path(name).is_err() || name.file_name().is_none() {
        return Err(Error::Usage(format!("{} is no name of a file", name.display())));
    }
    match repo.settings.source(name) {
        Some(folder) if !folder.stdin => {
            Err(Error::Usage(format!("{} is a source already; choose another name", name.display())))
        }
        Some(known) => Ok(known.clone()),
        None => Ok(SourceSettings { stdin: true, ..SourceSettings::new(name) }),
    }
}

fn read(
    repo: &Repo,
    source: &SourceSettings,
    request: &StreamRequest,
    started: Time,
    input: &mut Patient<'_>,
    monitor: &dyn Monitor,
) -> Result<Written, Error> {
    let view = repo.index.reader()?;
    let line = repo.lineage(&view)?;
    let fetcher = repo.fetcher(&view);
    let reachable = repo.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b);
    let mut store = repo.store(&view, &repo.destinations, monitor)?;
    let sources = std::slice::from_ref(source);
    let mut roots = carried_roots(repo, sources, &line, &fetcher, reachable, &mut store)?;
    let all = BackupRequest { force: true, ..BackupRequest::default() };
    let run = SourceRun {
        repo,
        source,
        request: &all,
        phase: &Phase::default(),
        started,
        line: &line,
        fetcher: &fetcher,
        reachable,
    };
    let context = run.scan_context();
    let coverage = context.previous.as_ref().map_or_else(Coverage::default, |previous| previous.coverage);
    let mut builder = RootBuilder::new(&repo.chunker, &fetcher, coverage, started, monitor);
    let mut job = None;
    Scan::run(&context, &mut Once(Some(Event::Leaf(piped(&source.path, started)))), &mut |step| {
        if let Step::Read(read) = step {
            job = Some(read);
        }
        true
    })?;
    let buffers = Buffers::new(2);
    let mut stored = Ok(());
    let mut out = |batch: super::read::Batch| {
        if stored.is_ok() {
            stored = builder.batch(batch.items, &batch.bytes, &mut store);
        }
        buffers.put(batch.bytes);
        stored.is_ok() && store.is_alive()
    };
    let job = job.map(|job| described(job, repo)).ok_or(Error::Interrupted)?;
    let read = GroupReader::stream(&repo.chunker, &repo.keys, &repo.owners, &buffers, job, input, &mut out);
    let (node, tally, lacking) = builder.finish();
    if let Err(error) = ended(request, read, stored, tally.bytes_read, monitor) {
        store.abandon();
        return Err(error);
    }
    store.lacking |= lacking;
    let (is_complete, path) = (store.is_alive(), context.root.clone());
    roots.extend(node.map(|node| Root { path, node, carried_from: None, scanned: started, counts: tally.counts }));
    roots.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(Written {
        is_complete,
        has_partials: false,
        is_same: false,
        roots,
        version_ceiling: line.version_ceiling,
        previous: line.head().map(|known| known.id),
        stored: store.finish()?,
        tally,
        damaged: fetcher.take_damaged(),
        changes: Vec::new(),
        started,
    })
}

/// Whether everything was read, and anything.
fn ended(
    request: &StreamRequest,
    read: io::Result<()>,
    stored: Result<(), Error>,
    bytes: u64,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    stored?;
    // What writes into the pipe often ends by the same signal: then its end is no end.
    if monitor.should_stop() {
        return Err(Error::Interrupted);
    }
    read.map_err(|source| Error::Io { what: "read".to_owned(), path: request.name.clone(), source })?;
    if bytes == 0 && !request.force {
        return Err(Error::NothingCame { name: request.name.clone() });
    }
    Ok(())
}

/// The file as it will be restored.
fn described(mut job: Box<FileJob>, repo: &Repo) -> Box<FileJob> {
    let stat = job.entry.stat;
    job.node.metadata = Metadata {
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        user: repo.owners.user(stat.uid),
        group: repo.owners.group(stat.gid),
        mtime: stat.mtime,
        ctime: stat.ctime,
        links: stat.links,
        ..Metadata::default()
    };
    job
}

/// A walk of one entry.
struct Once(Option<Event>);

impl WalkSteps for Once {
    fn next_event(&mut self) -> Option<Event> {
        self.0.take()
    }

    fn descend(&mut self) -> Option<Event> {
        None
    }

    fn excluded(&self) -> u64 {
        0
    }
}

/// A pipe that can be waited for without end, until a stop is asked for.
struct Patient<'m> {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    monitor: &'m dyn Monitor,
}

impl<'m> Patient<'m> {
    fn new(mut input: Box<dyn Read + Send>, monitor: &'m dyn Monitor) -> io::Result<Self> {
        let (give, pieces) = sync_channel(PIECES_WAITING);
        thread::Builder::new().spawn(move || {
            loop {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                let read = input.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece);
                let is_last = read.as_ref().map_or(true, |count| *count == 0);
                // Where nobody wants more, the run has ended.
                if give.send(read.map(|_| piece)).is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Self { pieces, piece: io::Cursor::default(), monitor })
    }
}

impl Read for Patient<'_> {
    /// 0 at the end, and never before it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => {
                    let piece = piece?;
                    if piece.is_empty() {
                        return Ok(0);
                    }
                    self.piece = io::Cursor::new(piece);
                }
                Err(RecvTimeoutError::Timeout) if !self.monitor.should_stop() => {}
                Err(_) => return Err(io::Error::other("the end of the stream was not seen")),
            }
        }
    }
}

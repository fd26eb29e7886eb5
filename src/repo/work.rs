//! What the verbs that write share: being ready to write, the time, numbers, stores, small files of the state folder.

use std::path::PathBuf;

use super::Repo;
use super::clock::Clock;
use super::home::Home;
use super::settings::{Settings, SourceSettings};
use super::store::{Store, StoreContext};
use super::writer::Writer;
use crate::error::Error;
use crate::format::cleaning::Announcement;
use crate::format::record::Time;
use crate::format::snapshot::Snapshot;
use crate::index::IndexReader;
use crate::replicate::neighbours;
use crate::replicate::{CatchUp, Lanes, OpenDestination};
use crate::report::Monitor;
use crate::snapshot::ReadError;
use crate::source::{FolderIdentity, WalkOptions};

impl Repo {
    /// Makes sure that there is a writer, and that every destination opens without this machine.
    pub(crate) fn prepare_to_write(&mut self) -> Result<(), Error> {
        // Once only: a run that is repeated looks again.
        if std::mem::take(&mut self.is_listed) && self.writer.is_some() {
            return self.put_missing_marks();
        }
        let view = self.index.reader()?;
        let head = self.lineage(&view)?.head().map(|known| known.id);
        let is_copied = self.is_copied()?;
        self.writer = Some(Writer::ready(&self.home, &self.keys, self.writer.take(), is_copied, head, self.now())?);
        self.put_missing_heads()?;
        self.meet_neighbours(false)
    }

    /// The same before anything is deleted: a session is put in any case, and everything is listed afresh after it.
    pub(crate) fn prepare_to_clean(&mut self) -> Result<(), Error> {
        self.meet_neighbours(true)
    }

    /// Where others write too: says that this writer is at work, takes in what they are going to delete, and looks again
    /// at what is there.
    fn meet_neighbours(&mut self, is_cleaning: bool) -> Result<(), Error> {
        let ring = self.keys.ring_number();
        let mut lost = Vec::new();
        for destination in self.destinations.clone() {
            let met = self.meet(&destination, is_cleaning);
            // Only what is listed after the session shows is sure to be no older than what this writer itself did last.
            match met.and_then(|is_open| if is_open { self.reconcile(&destination).map(drop) } else { Ok(()) }) {
                Ok(()) => {}
                Err(Error::Destination(error)) => lost.push((destination, error)),
                Err(other) => return Err(other),
            }
        }
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        if self.keys.ring_number() != ring {
            // What is written from now on is sealed in an epoch of which other destinations have no ring yet (I9).
            self.put_missing_heads()?;
        }
        Ok(())
    }

    /// Says that this writer is at work, where others may be; gives whether what is there has to be looked at again.
    fn meet(&self, destination: &OpenDestination, is_cleaning: bool) -> Result<bool, Error> {
        // Whoever is new here may not show yet where another one looks, nor that one here: so a session is put in any case,
        // into the one folder where at least one of the two sees the other.
        if !is_cleaning && !self.is_new(destination)? && !self.has_others(destination)? {
            return Ok(false);
        }
        self.announce(destination, Announcement::Session)?;
        if !neighbours::is_alone(&self.keys, destination)? || self.has_others(destination)? {
            neighbours::look(&self.keys, destination)?;
        } else if !is_cleaning {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether this writer committed nothing on the destination so far.
    fn is_new(&self, destination: &OpenDestination) -> Result<bool, Error> {
        let (own, mut is_new) = (self.writer_id()?, true);
        self.index.reader()?.each_snapshot(|_, row| -> Result<(), Error> {
            if row.committed & destination.bit != 0 {
                is_new &= Snapshot::decode(&row.record).map_err(ReadError::Format)?.writer != own;
            }
            Ok(())
        })?;
        Ok(is_new)
    }

    /// Whether another writer was seen on any destination.
    pub(crate) fn is_beside_others(&self) -> bool {
        self.destinations.iter().any(|destination| destination.neighbours.are_there())
    }

    /// Looks again at what is there, where others write too.
    pub(crate) fn look_beside_others(&mut self) -> Result<(), Error> {
        let mut lost = Vec::new();
        for destination in self.destinations.clone().iter().filter(|destination| destination.neighbours.are_there()) {
            match self.reconcile(destination) {
                Ok(_) => {}
                Err(Error::Destination(error)) => lost.push((destination.clone(), error)),
                Err(other) => return Err(other),
            }
        }
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        Ok(())
    }

    /// Copies from destination to destination.
    pub(crate) fn catch_up<'a>(&'a self, monitor: &'a dyn Monitor) -> Result<CatchUp<'a>, Error> {
        Ok(CatchUp {
            keys: &self.keys,
            index: &self.index,
            destinations: self.readable(),
            writer: self.writer_id()?,
            budget: self.budget,
            monitor,
        })
    }

    /// Makes keys, config and writers durable on every destination within reach, before anything that needs them is
    /// (invariant I9). A destination where that fails is out of this run.
    pub(crate) fn put_missing_heads(&mut self) -> Result<(), Error> {
        let mut lost = Vec::new();
        for destination in &self.destinations {
            match self.put_heads(destination.place.as_ref()) {
                Ok(()) => {}
                Err(Error::Destination(error)) => lost.push((destination.clone(), error)),
                Err(other) => return Err(other),
            }
        }
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        self.drop_removed_slots()?;
        self.put_missing_marks()
    }

    /// How a source is walked: without the places where backups and settings are kept.
    pub(crate) fn walk_options(&self, source: &SourceSettings) -> WalkOptions {
        walk_options(&self.home, &self.settings, source)
    }

    /// Lets another clock than the system's say what time it is.
    ///
    /// ```
    /// use cryptbackup::backup::{self, BackupRequest};
    /// use cryptbackup::repo::{Access, Clock, Home, Repo, Time};
    /// use cryptbackup::report::Silent;
    ///
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = set_up()?;
    /// let home = Home::at(folder.path().join("state"));
    /// let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
    /// // A test of what is kept for how long need not wait for it.
    /// repo.set_clock(Clock::of(|| Time { seconds: 2_000_000_000, nanos: 0 }));
    /// let report = backup::run(&mut repo, BackupRequest::default(), &Silent)?;
    /// assert_eq!(report.started.seconds, 2_000_000_000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// Local time minus UTC now, in seconds.
    pub(crate) fn zone_offset(&self) -> i32 {
        let zone = jiff::tz::TimeZone::system();
        jiff::Timestamp::new(self.now().seconds, 0).map_or(0, |time| zone.to_offset(time).seconds())
    }

    /// One more than the highest sequence number this writer ever gave, by its own file or by any snapshot of its.
    pub(crate) fn next_sequence(&self) -> Result<u64, Error> {
        let highest = self.writer.as_ref().map_or(0, |writer| writer.sequence);
        Ok(highest.max(self.highest_sequence()?) + 1)
    }

    /// The highest sequence number of any snapshot of this writer.
    pub(crate) fn highest_sequence(&self) -> Result<u64, Error> {
        let (writer, mut highest) = (self.writer_id()?, 0);
        self.index.reader()?.each_snapshot(|_, row| -> Result<(), Error> {
            if let Ok(snapshot) = Snapshot::decode(&row.record)
                && snapshot.writer == writer
            {
                highest = highest.max(snapshot.sequence);
            }
            Ok(())
        })?;
        Ok(highest)
    }

    /// Remembers that this writer gave a number, before anything with it is stored: it is not given again, though the index
    /// is lost and the destination that shows it is away.
    pub(crate) fn remember_sequence(&mut self, sequence: u64) -> Result<(), Error> {
        let Some(writer) = self.writer.as_mut().filter(|writer| writer.sequence < sequence) else { return Ok(()) };
        writer.sequence = sequence;
        writer.save(&self.home)
    }

    /// Whether others write to a destination too. Who never wrote finds only what others did.
    pub(crate) fn has_others(&self, destination: &OpenDestination) -> Result<bool, Error> {
        let Some(own) = self.writer.as_ref().map(|writer| writer.id) else { return Ok(true) };
        Ok(neighbours::has_other_writers(&self.keys, destination, &own)?)
    }

    /// A folder of the state folder for what is only needed while a command runs.
    pub(crate) fn scratch_folder(&self) -> Result<PathBuf, Error> {
        self.home.scratch_folder()
    }

    /// How many bytes can be written below the state folder.
    pub(crate) fn scratch_free_bytes(&self) -> Result<u64, Error> {
        let path = self.home.path();
        let free = self.home.machine().open_root(path).and_then(|disk| disk.free_bytes());
        free.map_err(|source| Error::Io { what: "read".to_owned(), path: path.to_owned(), source })
    }

    /// A small file of the state folder that may be lost; none where there is none.
    pub(crate) fn read_state(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.home.read_state(name)
    }

    /// Writes such a file.
    pub(crate) fn write_state(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.home.write_state(name, bytes)
    }

    /// What this machine calls itself.
    pub(crate) fn machine_name(&self) -> String {
        self.home.machine().name()
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Stores what a backup reads on some destinations. While one pack is written, the next is being filled. The view is
    /// renewed as the index learns what is new.
    pub(crate) fn store<'a>(
        &'a self,
        view: &'a IndexReader,
        destinations: &[OpenDestination],
        monitor: &'a dyn Monitor,
    ) -> Result<Store<'a>, Error> {
        let lanes = Lanes::start(destinations, true, monitor).map_err(Error::NoThread)?;
        self.store_through(view, lanes, destinations, false)
    }

    /// The same for what is only moved: packs come faster than any disk takes them, and none waits in memory.
    pub(crate) fn store_moved<'a>(
        &'a self,
        view: &'a IndexReader,
        destinations: &[OpenDestination],
        monitor: &'a dyn Monitor,
    ) -> Result<Store<'a>, Error> {
        let lanes = Lanes::start(destinations, false, monitor).map_err(Error::NoThread)?;
        self.store_through(view, lanes, destinations, true)
    }

    fn store_through<'a>(
        &'a self,
        view: &'a IndexReader,
        lanes: Lanes<'a>,
        destinations: &[OpenDestination],
        is_moving: bool,
    ) -> Result<Store<'a>, Error> {
        let context = StoreContext {
            keys: &self.keys,
            index: &self.index,
            view,
            reachable: destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b),
            level: self.settings.compression_level(),
            avg_bytes: self.config.chunker.avg_bytes as usize,
            max_bytes: self.config.chunker.max_bytes as usize,
            block_bytes: self.config.block_bytes as usize,
            pack_bytes: self.config.pack_bytes as usize,
            budget: self.budget,
            is_moving,
        };
        Store::new(context, lanes)
    }
}

/// How a source is walked: by its settings, and without what is this program's own.
pub(crate) fn walk_options(home: &Home, settings: &Settings, source: &SourceSettings) -> WalkOptions {
    let own = settings.destinations.iter().map(|(_, path)| path.as_path());
    let skip = own.chain([home.path()]).filter_map(|path| FolderIdentity::of(path).ok());
    WalkOptions {
        root: source.path.clone(),
        excludes: source.exclude.clone(),
        exclude_caches: source.exclude_caches,
        one_file_system: source.one_file_system,
        git_ignore: source.git_ignore,
        bytes_max: source.exclude_larger_than,
        skip_folders: skip.collect(),
        changes: None,
    }
}

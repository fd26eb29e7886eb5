//! What was said on the destinations from this state folder (docs/format.md §14).
//!
//! A cloned computer has the same writer as the one it was cloned from, and so has a copy of a state folder. They are told
//! apart by what each said itself: its names are remembered before it is said. What else is there under the same writer was
//! said by another, and this one begins a new writer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Repo;
use super::home::Home;
use crate::error::Error;
use crate::format::cleaning::Announcement;
use crate::format::id::{DestinationId, ObjectHash};
use crate::replicate::OpenDestination;
use crate::replicate::neighbours::{Announced, Statement};

const FILE: &str = "said.json";
/// Sessions, and lists, that are kept of a destination, the newest ones. What is older was taken back long ago.
const NAMES_MAX: usize = 100;

/// What was said on one destination.
#[derive(Default, Serialize, Deserialize)]
struct OnDestination {
    sessions: Vec<String>,
    lists: Vec<String>,
}

/// What was said, by destination.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Said(BTreeMap<String, OnDestination>);

impl Said {
    pub(super) fn load(home: &Home) -> Result<Self, Error> {
        // What cannot be read is as good as not there: a new writer begins.
        Ok(home.read_state(FILE)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// The names of all of it. A destination that is a copy of another one has what was said on that.
    pub(super) fn names(&self) -> impl Iterator<Item = ObjectHash> {
        self.0.values().flat_map(|there| there.sessions.iter().chain(&there.lists)).filter_map(|name| name.parse().ok())
    }

    fn add(&mut self, destination: &DestinationId, name: &ObjectHash, is_session: bool) {
        let there = self.0.entry(destination.to_string()).or_default();
        let names = if is_session { &mut there.sessions } else { &mut there.lists };
        names.drain(..(names.len() + 1).saturating_sub(NAMES_MAX));
        names.push(name.to_string());
    }

    fn save(&self, home: &Home) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::Usage(error.to_string()))?;
        home.write_state(FILE, &bytes)
    }
}

impl Repo {
    /// Says something on a destination and waits until it shows.
    pub(crate) fn announce(
        &self,
        destination: &OpenDestination,
        announcement: Announcement,
    ) -> Result<ObjectHash, Error> {
        let is_session = announcement == Announcement::Session;
        let statement = Statement::new(&self.keys, destination, self.writer_id()?, self.now(), announcement)?;
        let mut said = Said::load(&self.home)?;
        said.add(&destination.id, &statement.name(), is_session);
        said.save(&self.home)?;
        Ok(statement.put(destination)?)
    }

    /// Whether a copy of this state folder said something, or made a snapshot that this one does not know it made.
    pub(super) fn is_copied(&self) -> Result<bool, Error> {
        let Some(own) = &self.writer else { return Ok(false) };
        for destination in &self.destinations {
            match Announced::read(&self.keys, destination).map_err(Error::from) {
                Ok(announced) if announced.has_another(&own.id) => return Ok(true),
                // Who cannot be asked now is met, and lost, later.
                Ok(_) | Err(Error::Destination(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(self.highest_sequence()? > own.sequence)
    }
}

//! Which sources and destinations are there: a look at their folders and at the table of mounts, every other second.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::repo::settings::Settings;
use crate::source::FolderIdentity;

/// A folder that may come and go.
struct Place {
    /// None for a source.
    name: Option<String>,
    path: PathBuf,
    found: Option<FolderIdentity>,
}

/// What changed since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Destinations that went.
    pub went: Vec<String>,
    /// Destinations that came, or are other folders now.
    pub came: Vec<String>,
    /// Sources that went, came, or are other folders now, or in which something was mounted.
    pub sources: Vec<PathBuf>,
    /// Whether something was mounted or unmounted at, above or in a destination.
    pub is_mounted_anew: bool,
}

/// The folders, as they were at the last look.
pub(super) struct Presence {
    places: Vec<Place>,
    /// Open all the time: opening it anew costs more than reading it.
    table: Option<File>,
    mounts: Vec<String>,
}

impl Presence {
    /// Looks for the first time.
    pub fn new(settings: &Settings) -> Self {
        let place = |name: Option<&String>, path: &Path| Place {
            name: name.cloned(),
            path: path.to_owned(),
            found: FolderIdentity::of(path).ok(),
        };
        let destinations = settings.destinations.iter().map(|(name, path)| place(Some(name), path));
        let sources = settings.folders().map(|source| place(None, &source.path));
        let places = destinations.chain(sources).collect();
        let mut presence = Self { places, table: File::open("/proc/self/mounts").ok(), mounts: Vec::new() };
        presence.mounts = presence.read_mounts();
        presence
    }

    /// Whether any destination is there.
    pub fn has_destination(&self) -> bool {
        self.places.iter().any(|place| place.name.is_some() && place.found.is_some())
    }

    /// Looks again.
    pub fn look(&mut self) -> Difference {
        let mut difference = Difference::default();
        for place in &mut self.places {
            let found = FolderIdentity::of(&place.path).ok();
            if found == place.found {
                continue;
            }
            place.found = found;
            match (&place.name, found) {
                (Some(name), Some(_)) => difference.came.push(name.clone()),
                (Some(name), None) => difference.went.push(name.clone()),
                (None, _) => difference.sources.push(place.path.clone()),
            }
        }
        let mounts = self.read_mounts();
        if mounts != self.mounts {
            let differing = mounts.iter().filter(|mount| !self.mounts.contains(mount));
            let differing: Vec<&String> =
                differing.chain(self.mounts.iter().filter(|mount| !mounts.contains(mount))).collect();
            for place in &self.places {
                let concerns = |mount: &&String| concerns(mount, &place.path);
                if differing.iter().any(concerns) {
                    difference.is_mounted_anew |= place.name.is_some();
                    if place.name.is_none() && !difference.sources.contains(&place.path) {
                        difference.sources.push(place.path.clone());
                    }
                }
            }
            self.mounts = mounts;
        }
        difference
    }

    fn read_mounts(&mut self) -> Vec<String> {
        let Some(table) = &mut self.table else { return Vec::new() };
        let mut text = Vec::new();
        // What cannot be read is told by what is not there any more.
        let _ = table.seek(SeekFrom::Start(0)).and_then(|_| table.read_to_end(&mut text));
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }
}

/// Whether a line of the table of mounts is about a path, a folder above it or one in it.
fn concerns(line: &str, path: &Path) -> bool {
    let Some(point) = line.split(' ').nth(1) else { return false };
    let point = point.replace("\\040", " ");
    path.starts_with(&point) || Path::new(&point).starts_with(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::repo::settings::SourceSettings;

    #[test]
    fn what_goes_and_comes_is_noticed_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let mut settings = Settings::new(&jiff::Zoned::now());
        settings.put_source(SourceSettings::new(path("source")));
        settings.destinations.insert("usb".to_owned(), path("usb"));
        fs::create_dir(path("source")).expect("made");
        let mut presence = Presence::new(&settings);
        assert!(!presence.has_destination());
        assert_eq!(presence.look(), Difference::default());
        fs::create_dir(path("usb")).expect("made");
        assert_eq!(presence.look().came, ["usb"]);
        assert!(presence.has_destination() && presence.look() == Difference::default());
        fs::rename(path("usb"), path("away")).expect("unplugged");
        fs::rename(path("source"), path("gone")).expect("moved");
        let difference = presence.look();
        assert_eq!((difference.went, difference.sources), (vec!["usb".to_owned()], vec![path("source")]));
    }

    #[test]
    fn a_mount_concerns_what_is_above_and_below_it() {
        let line = "/dev/sdb1 /media/my\\040stick vfat rw 0 0";
        assert!(concerns(line, Path::new("/media/my stick/backup")));
        assert!(concerns(line, Path::new("/media")));
        assert!(!concerns(line, Path::new("/media/my")) && !concerns("", Path::new("/")));
    }
}

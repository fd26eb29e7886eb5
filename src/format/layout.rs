//! §3 Where objects live on a destination: [`ObjectName`] to relative path and back.

use std::fmt;

use super::id::{ObjectHash, PackId, SnapshotId};

/// The name of one object on a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectName {
    /// `cryptbackup.repo`: the repository header.
    Header,
    /// `dest.id`: which destination this is.
    DestinationMark,
    /// `reserve`: ballast for cleaning on a full disk.
    Reserve,
    /// `keys/<64>`: a key slot.
    Slot(ObjectHash),
    /// `keys/ring-<n>-<64>`: the key ring, sealed under the root key.
    Ring(u32, ObjectHash),
    /// `config/<n>-<64>`: chunker and block parameters.
    Config(u32, ObjectHash),
    /// `writers/<2>/<64>`: a writer.
    Writer(ObjectHash),
    /// `packs/<2>/<64>`: a pack.
    Pack(PackId),
    /// `snaps/<2>/<64>`: a snapshot or a history, the commit point.
    Snapshot(SnapshotId),
    /// `marks/<2>/<64>`: a decision about snapshots.
    Mark(ObjectHash),
    /// `gc/<64>`: what writers and cleaners tell each other.
    Cleaning(ObjectHash),
}

/// The kinds of objects that come in numbers and can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// Key slots and rings.
    Keys,
    /// Configs.
    Config,
    /// Writers.
    Writers,
    /// Packs.
    Packs,
    /// Snapshots and histories.
    Snapshots,
    /// Marks.
    Marks,
    /// Sessions and condemned packs.
    Cleaning,
}

impl ObjectKind {
    /// Every kind, in the order they are written.
    pub const ALL: [ObjectKind; 7] = [
        ObjectKind::Keys,
        ObjectKind::Config,
        ObjectKind::Writers,
        ObjectKind::Packs,
        ObjectKind::Snapshots,
        ObjectKind::Marks,
        ObjectKind::Cleaning,
    ];

    /// The folder of the kind.
    pub const fn folder(self) -> &'static str {
        match self {
            ObjectKind::Keys => "keys",
            ObjectKind::Config => "config",
            ObjectKind::Writers => "writers",
            ObjectKind::Packs => "packs",
            ObjectKind::Snapshots => "snaps",
            ObjectKind::Marks => "marks",
            ObjectKind::Cleaning => "gc",
        }
    }

    /// Whether the kind's folder holds 256 folders named by the first two hex digits.
    pub const fn is_spread(self) -> bool {
        matches!(self, ObjectKind::Writers | ObjectKind::Packs | ObjectKind::Snapshots | ObjectKind::Marks)
    }
}

impl ObjectName {
    /// The kind, if the object is one of many.
    pub const fn kind(&self) -> Option<ObjectKind> {
        match self {
            ObjectName::Header | ObjectName::DestinationMark | ObjectName::Reserve => None,
            ObjectName::Slot(_) | ObjectName::Ring(..) => Some(ObjectKind::Keys),
            ObjectName::Config(..) => Some(ObjectKind::Config),
            ObjectName::Writer(_) => Some(ObjectKind::Writers),
            ObjectName::Pack(_) => Some(ObjectKind::Packs),
            ObjectName::Snapshot(_) => Some(ObjectKind::Snapshots),
            ObjectName::Mark(_) => Some(ObjectKind::Marks),
            ObjectName::Cleaning(_) => Some(ObjectKind::Cleaning),
        }
    }

    /// The hash the stored bytes must have, for the objects that are named by it.
    pub const fn hash(&self) -> Option<ObjectHash> {
        match self {
            ObjectName::Header | ObjectName::DestinationMark | ObjectName::Reserve => None,
            ObjectName::Slot(hash)
            | ObjectName::Ring(_, hash)
            | ObjectName::Config(_, hash)
            | ObjectName::Writer(hash)
            | ObjectName::Mark(hash)
            | ObjectName::Cleaning(hash) => Some(*hash),
            ObjectName::Pack(id) => Some(ObjectHash::from_bytes(*id.as_bytes())),
            ObjectName::Snapshot(id) => Some(ObjectHash::from_bytes(*id.as_bytes())),
        }
    }

    /// Whether `stored` are the bytes this name stands for; always true for the three fixed names.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.hash().is_none_or(|hash| hash == ObjectHash::of(stored))
    }

    /// The path below the destination's root, parts joined by `/`.
    pub fn path(&self) -> String {
        let spread = |kind: ObjectKind, hex: String| format!("{}/{}/{hex}", kind.folder(), &hex[..2]);
        match self {
            ObjectName::Header => "cryptbackup.repo".into(),
            ObjectName::DestinationMark => "dest.id".into(),
            ObjectName::Reserve => "reserve".into(),
            ObjectName::Slot(hash) => format!("keys/{hash}"),
            ObjectName::Ring(number, hash) => format!("keys/ring-{number}-{hash}"),
            ObjectName::Config(number, hash) => format!("config/{number}-{hash}"),
            ObjectName::Writer(hash) => spread(ObjectKind::Writers, hash.to_string()),
            ObjectName::Pack(id) => spread(ObjectKind::Packs, id.to_string()),
            ObjectName::Snapshot(id) => spread(ObjectKind::Snapshots, id.to_string()),
            ObjectName::Mark(hash) => spread(ObjectKind::Marks, hash.to_string()),
            ObjectName::Cleaning(hash) => format!("gc/{hash}"),
        }
    }

    /// The object at `path`, or `None` where no object of this format can be (a stranger's file, a temporary one).
    pub fn parse(path: &str) -> Option<Self> {
        let numbered = |text: &str| -> Option<(u32, ObjectHash)> {
            let (number, hash) = text.split_once('-')?;
            // One spelling per number, so that a name and its path are the same thing.
            let value: u32 = number.parse().ok()?;
            (value.to_string() == number).then_some((value, hash.parse().ok()?))
        };
        let name = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["cryptbackup.repo"] => ObjectName::Header,
            ["dest.id"] => ObjectName::DestinationMark,
            ["reserve"] => ObjectName::Reserve,
            ["keys", file] => match file.strip_prefix("ring-") {
                Some(rest) => numbered(rest).map(|(number, hash)| ObjectName::Ring(number, hash))?,
                None => ObjectName::Slot(file.parse().ok()?),
            },
            ["config", file] => numbered(file).map(|(number, hash)| ObjectName::Config(number, hash))?,
            ["writers", folder, file] if file.starts_with(folder) => ObjectName::Writer(file.parse().ok()?),
            ["packs", folder, file] if file.starts_with(folder) => ObjectName::Pack(file.parse().ok()?),
            ["snaps", folder, file] if file.starts_with(folder) => ObjectName::Snapshot(file.parse().ok()?),
            ["marks", folder, file] if file.starts_with(folder) => ObjectName::Mark(file.parse().ok()?),
            ["gc", file] => ObjectName::Cleaning(file.parse().ok()?),
            _ => return None,
        };
        (name.path() == path).then_some(name)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_the_same_thing() {
        let hash = ObjectHash::of(b"abc");
        let names = [
            ObjectName::Header,
            ObjectName::DestinationMark,
            ObjectName::Reserve,
            ObjectName::Slot(hash),
            ObjectName::Ring(3, hash),
            ObjectName::Config(12, hash),
            ObjectName::Writer(hash),
            ObjectName::Pack(PackId::of(b"abc")),
            ObjectName::Snapshot(SnapshotId::of(b"abc")),
            ObjectName::Mark(hash),
            ObjectName::Cleaning(hash),
        ];
        for name in names {
            assert_eq!(ObjectName::parse(&name.path()), Some(name));
            assert!(name.path().len() <= 100, "{name} must fit every file system");
        }
        let hex = hash.to_string();
        for stranger in [
            "",
            "keys/",
            "keys/abc",
            "packs/00/abc",
            &format!("packs/00/{hex}"),
            &format!("keys/ring-03-{hex}"),
            &format!("packs/{}/{hex}/x", &hex[..2]),
            &format!("../packs/{}/{hex}", &hex[..2]),
            "tmp/1",
        ] {
            assert_eq!(ObjectName::parse(stranger), None, "{stranger}");
        }
    }
}

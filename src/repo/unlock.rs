//! What a secret opens: the heads of the repository in the state folder, or where those are damaged, on a destination.

use super::Secret;
use super::heads::{self, HeadStore, Objects, Unlocked};
use super::home::Home;
use super::settings::Settings;
use crate::destination::LocalDestination;
use crate::error::Error;
use crate::format::header::RepoHeader;
use crate::format::layout::ObjectName;
use crate::format::record::ConfigRecord;
use crate::seal::slots;

/// What is known before the index and the destinations are.
pub(super) type Opened = (Settings, RepoHeader, Unlocked, ConfigRecord);

type Heads = (RepoHeader, Unlocked, ConfigRecord);

pub(super) fn unlock(home: &Home, secret: Option<Secret>) -> Result<Opened, Error> {
    home.require()?;
    let settings = home.settings()?;
    let secret = Secret::or_inline(secret, &settings)?.parse()?;
    let kept = HeadStore::new(home).all()?;
    let place = home.path().display().to_string();
    let (header, unlocked, config) = match open(&kept, &secret, &place) {
        Err(error @ (Error::WrongKey { .. } | Error::Damaged { .. })) => {
            with_a_destination(home, &settings, kept, &secret, &place)?.ok_or(error)?
        }
        opened => opened?,
    };
    Ok((settings, header, unlocked, config))
}

fn open(objects: &Objects, secret: &slots::Secret, place: &str) -> Result<Heads, Error> {
    let header = heads::header(objects, place)?;
    let unlocked = heads::unlock(objects, &header, secret, place)?;
    let config = heads::config(objects, &header, &unlocked.keys, place)?;
    Ok((header, unlocked, config))
}

/// Opens with what is damaged or missing here and whole on a destination, and keeps it. None where that does not help.
fn with_a_destination(
    home: &Home,
    settings: &Settings,
    mut kept: Objects,
    secret: &slots::Secret,
    place: &str,
) -> Result<Option<Heads>, Error> {
    let header = heads::header(&kept, place).ok();
    if header.is_none() {
        kept.retain(|(name, _)| *name != ObjectName::Header);
    }
    for (_, path) in settings.destinations.iter() {
        let Ok(there) = LocalDestination::open_at(home.machine(), path, None) else { continue };
        if header.is_some_and(|header| header.repo != there.header().repo) {
            continue;
        }
        let Ok(found) = heads::from_destination(&there, &there.header()) else { continue };
        let is_new = |name: &ObjectName| kept.iter().all(|(known, _)| known != name);
        let more: Objects = found.objects.into_iter().filter(|(name, _)| is_new(name)).collect();
        // A wrong secret is not tried again with what was tried already.
        if more.is_empty() {
            continue;
        }
        let together: Objects = kept.iter().chain(&more).cloned().collect();
        let Ok(heads) = open(&together, secret, place) else { continue };
        let store = HeadStore::new(home);
        more.iter().filter(|(name, _)| heads.1.keeps(name)).try_for_each(|(name, bytes)| store.put(name, bytes))?;
        return Ok(Some(heads));
    }
    Ok(None)
}

//! How each destination stands: what it holds, how long its space lasts, how much of it was proven. In one pass over the
//! packs; nothing is read of what is in them.

use super::growth::Growth;
use super::proofs::{Stored, Sum};
use super::{DestinationStatus, Repo};
use crate::error::Error;
use crate::format::record::Time;
use crate::index::{DestinationBits, IndexReader, PackNumber};

/// How one destination stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Bytes of the packs on it.
    pub bytes_stored: u64,
    /// Bytes a day by which they grew lately; none where too little is known.
    pub bytes_per_day: Option<u64>,
    /// For how many days its free space lasts at that rate; none where that is not known, or nothing comes.
    pub days_left: Option<u64>,
    /// How much of what snapshots need there was proven to be readable in the last [`PROVEN_DAYS`](super::PROVEN_DAYS)
    /// days, in percent of the stored bytes; none where nothing is there.
    pub proven_percent: Option<u64>,
    /// When something was last proven there.
    pub last_proof: Option<Time>,
}

/// What the packs take on the destination that has most. Destinations are cleaned each for itself, so that the same chunks
/// can be in other packs elsewhere: what all of them take together says nothing about what is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Bytes of their chunks before compression.
    pub bytes_unique: u64,
    /// Their stored bytes.
    pub bytes_stored: u64,
}

/// One destination while packs are counted.
struct Count {
    bit: DestinationBits,
    proofs: Stored,
    damaged: Vec<PackNumber>,
    totals: Totals,
    sum: Sum,
}

impl Repo {
    /// How each of these destinations stands, in their order, and what packs take.
    pub(super) fn standings(
        &self,
        view: &IndexReader,
        destinations: &[DestinationStatus],
    ) -> Result<(Vec<Standing>, Totals), Error> {
        let now = self.now();
        let mut counts = Vec::new();
        for status in destinations {
            let id = self.destination_id(&status.name)?;
            let bit = id.map(|id| view.destination_bit(&id)).transpose()?.flatten().unwrap_or(0);
            let proofs = id.map(|id| Stored::load(self, &id)).transpose()?.unwrap_or_default();
            let damaged = view.damaged_on(bit)?;
            counts.push((id, Count { bit, proofs, damaged, totals: Totals::default(), sum: Sum::default() }));
        }
        view.each_size(|pack| -> Result<(), Error> {
            for (_, count) in &mut counts {
                let is_damaged = count.damaged.binary_search(&pack.number).is_ok();
                if pack.presence & count.bit != 0 {
                    count.totals.bytes_unique = count.totals.bytes_unique.saturating_add(pack.raw_len);
                    count.totals.bytes_stored = count.totals.bytes_stored.saturating_add(pack.info.len);
                } else if !is_damaged {
                    continue;
                }
                count.sum.add(count.proofs.shares(view, &pack, now)?, is_damaged);
            }
            Ok(())
        })?;
        let totals = counts.iter().map(|(_, count)| count.totals).max_by_key(|totals| totals.bytes_unique);
        let growth = Growth::load(self)?;
        let standings = counts.into_iter().zip(destinations).map(|((id, count), status)| {
            let bytes_stored = count.totals.bytes_stored;
            let bytes_per_day = id.and_then(|id| growth.bytes_per_day(&id, bytes_stored, now));
            let rate = bytes_per_day.filter(|rate| *rate > 0);
            Standing {
                bytes_stored,
                bytes_per_day,
                days_left: status.free_bytes.zip(rate).map(|(free, rate)| free / rate),
                proven_percent: count.sum.percent(),
                last_proof: count.proofs.last(),
            }
        });
        Ok((standings.collect(), totals.unwrap_or_default()))
    }

    /// How much of what snapshots need on a destination is proven, in percent.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Io`].
    pub fn standing(&self, name: &str) -> Result<Standing, Error> {
        let view = self.index.reader()?;
        let path = self.settings.destinations.iter().find(|(known, _)| *known == name).map(|(_, path)| path.clone());
        let status = self.destination_status(&view, name.to_owned(), path.unwrap_or_default())?;
        Ok(self.standings(&view, &[status])?.0.first().copied().unwrap_or_default())
    }
}

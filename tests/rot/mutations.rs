//! T9: what can happen to a file besides one flipped bit.

use std::collections::BTreeMap;

use cryptbackup::check::object::faults;
use cryptbackup::format::layout::{ObjectKind, ObjectName};

use crate::world::{Dice, World};

/// A way to damage an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    Delete,
    Flip(usize, usize),
    /// To so many of 64 parts.
    Truncate(usize),
    /// By so many bytes.
    Shorten(usize),
    Append(usize),
    ZeroPage(usize),
    SwapSameKind(usize),
    SwapOtherKind(usize),
    SwapOtherRepo(usize),
}

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    Bytes(Vec<u8>),
    Gone,
}

impl Mutation {
    pub fn random(dice: &mut Dice) -> Self {
        let number = dice.roll(1 << 20);
        match dice.roll(9) {
            0 => Self::Delete,
            1 => Self::Flip(number, number % 8),
            2 => Self::Truncate(number % 64),
            3 => Self::Shorten(1 + number % 256),
            4 => Self::Append(1 + number % 5000),
            5 => Self::ZeroPage(number),
            6 => Self::SwapSameKind(number),
            7 => Self::SwapOtherKind(number),
            _ => Self::SwapOtherRepo(number),
        }
    }

    /// What it makes of an object; none where that is no change, or no damage but another valid object.
    pub fn of(
        self,
        name: &ObjectName,
        whole: &BTreeMap<ObjectName, Vec<u8>>,
        strangers: &BTreeMap<ObjectName, Vec<u8>>,
        dice: &mut Dice,
    ) -> Option<Damage> {
        let stored = &whole[name];
        let mut bytes = stored.clone();
        let pick = |from: &BTreeMap<ObjectName, Vec<u8>>, number: usize, is_one: &dyn Fn(&ObjectName) -> bool| {
            let all: Vec<&Vec<u8>> = from.iter().filter(|(name, _)| is_one(name)).map(|(_, bytes)| bytes).collect();
            (!all.is_empty()).then(|| all[number % all.len()].clone())
        };
        let is_fixed = name.kind().is_none();
        match self {
            Self::Delete => return (name.kind() != Some(ObjectKind::Cleaning)).then_some(Damage::Gone),
            Self::Flip(at, bit) => {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            Self::Truncate(part) => bytes.truncate(stored.len() * part / 64),
            Self::Shorten(count) => bytes.truncate(stored.len().saturating_sub(count)),
            Self::Append(count) => bytes.extend((0..count).map(|_| dice.roll(256) as u8)),
            Self::ZeroPage(number) => {
                let start = (number * 4096) % stored.len().next_multiple_of(4096);
                let end = (start + 4096).min(stored.len());
                bytes[start..end].fill(0);
            }
            Self::SwapSameKind(number) => {
                bytes = pick(whole, number, &|other| other != name && other.kind() == name.kind())?;
            }
            Self::SwapOtherKind(number) => bytes = pick(whole, number, &|other| other.kind() != name.kind())?,
            // A header of another repository, or a mark of one, is not damage but another disk.
            Self::SwapOtherRepo(number) if !is_fixed => {
                bytes = pick(strangers, number, &|other| other.kind() == name.kind())?;
            }
            Self::SwapOtherRepo(_) => return None,
        }
        (bytes != *stored).then_some(Damage::Bytes(bytes))
    }

    /// Every mutation of an object that can be counted up.
    fn all() -> Vec<Self> {
        let mut all: Vec<Self> = (0..64).map(Self::Truncate).chain((1..=256).map(Self::Shorten)).collect();
        all.extend([1, 16, 4096, 70_000].map(Self::Append));
        all.extend((0..64).map(Self::ZeroPage));
        all.extend((0..40).map(Self::SwapSameKind).chain((0..40).map(Self::SwapOtherKind)));
        all.extend((0..40).map(Self::SwapOtherRepo));
        all
    }
}

#[test]
fn t09_mutations_of_objects() {
    let world = World::with_everything(&["a"]);
    let other = World::with_everything(&["a"]);
    let (whole, strangers) = (world.objects("a"), other.objects("a"));
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, _) in whole.iter().filter(|(name, _)| **name != ObjectName::Reserve) {
        let mut dice = Dice::new(7);
        for mutation in Mutation::all() {
            let Some(Damage::Bytes(bytes)) = mutation.of(name, &whole, &strangers, &mut dice) else { continue };
            assert!(!faults(name, &bytes).is_empty(), "{name} after {mutation:?} was not noticed");
            let word = match mutation {
                Mutation::Truncate(_) | Mutation::Shorten(_) => "cut",
                Mutation::Append(_) => "longer",
                Mutation::ZeroPage(_) => "zeroed pages",
                _ => "swapped",
            };
            *counts.entry(word).or_default() += 1;
        }
        // The same bytes under a name of another folder.
        for (place, _) in whole.iter().filter(|(place, _)| place.kind() != name.kind()) {
            assert!(!faults(place, &whole[name]).is_empty(), "{name} as {place}");
            *counts.entry("duplicated").or_default() += 1;
        }
    }
    let sum: u64 = counts.values().sum();
    eprintln!("t09 objects: {counts:?}, {sum} mutations, all detected without a key");
    assert!(sum >= 5_000, "{sum}");
}

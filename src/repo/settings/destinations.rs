//! `destinations`: names and folders, in the order in which people read them.

use std::path::{Path, PathBuf};

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::PathText;

/// The names the seed knows, in their order.
const ORDERED: [&str; 3] = ["primary", "secondary", "tertiary"];

/// Destinations by name: primary, secondary, tertiary, then the others by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destinations(Vec<(String, PathBuf)>);

impl Destinations {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder of one.
    pub fn get(&self, name: &str) -> Option<&PathBuf> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, path)| path)
    }

    /// Whether there is one of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The name of the one in this folder.
    pub fn name_of(&self, path: &Path) -> Option<&str> {
        self.0.iter().find(|(_, known)| known == path).map(|(name, _)| name.as_str())
    }

    /// Sets the folder of one; gives back the one it had.
    pub fn insert(&mut self, name: String, path: PathBuf) -> Option<PathBuf> {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == name) {
            return Some(std::mem::replace(known, path));
        }
        let at = self.0.partition_point(|(known, _)| rank(known) < rank(&name));
        self.0.insert(at, (name, path));
        None
    }

    /// Takes one out.
    pub fn remove(&mut self, name: &str) -> Option<PathBuf> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and folders in order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &PathBuf)> {
        self.into_iter()
    }
}

/// Where a name stands: the seed's three first.
fn rank(name: &str) -> (usize, &str) {
    (ORDERED.iter().position(|known| *known == name).unwrap_or(ORDERED.len()), name)
}

impl<'a> IntoIterator for &'a Destinations {
    type Item = (&'a String, &'a PathBuf);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, (String, PathBuf)>, fn(&'a (String, PathBuf)) -> (&'a String, &'a PathBuf)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, path)| (name, path))
    }
}

impl Serialize for Destinations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, path) in self {
            map.serialize_entry(name, &PathText(path.clone()))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Destinations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Destinations;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("names of destinations with their folders")
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Destinations, E> {
                Ok(Destinations::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Destinations, A::Error> {
                let mut all = Destinations::default();
                // The forerunner writes `secondary: null` for what is not set.
                while let Some((name, path)) = map.next_entry::<String, Option<PathText>>()? {
                    let Some(path) = path else { continue };
                    if all.insert(name.clone(), path.0).is_some() {
                        return Err(A::Error::custom(format_args!("destination {name} is given twice")));
                    }
                }
                Ok(all)
            }
        }

        deserializer.deserialize_any(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_three_come_first_and_the_others_by_name() {
        let mut all = Destinations::default();
        for name in ["zoo", "tertiary", "attic", "primary", "secondary"] {
            assert_eq!(all.insert(name.to_owned(), PathBuf::from(format!("/{name}"))), None);
        }
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["primary", "secondary", "tertiary", "attic", "zoo"]);
        assert_eq!(all.insert("zoo".to_owned(), PathBuf::from("/z")), Some(PathBuf::from("/zoo")));
        assert_eq!(all.name_of(Path::new("/z")), Some("zoo"));
        assert_eq!(all.remove("zoo"), Some(PathBuf::from("/z")));
        assert_eq!(all.remove("zoo"), None);
        assert_eq!(all.len(), 4);
    }
}

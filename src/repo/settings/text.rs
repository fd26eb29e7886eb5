//! How single values stand in `config.yaml`, and what is accepted there: a pair of functions per kind of value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::sections::Level;
use super::values;

/// Marks a path that is not UTF-8, or itself begins so, which no absolute one does.
const BASE64_PREFIX: &str = "base64:";

/// Writes a path: text, or `base64:` and the bytes.
pub fn write_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str().filter(|text| !text.starts_with(BASE64_PREFIX)) {
        Some(text) => serializer.serialize_str(text),
        None => {
            let encoded = BASE64.encode(path.as_os_str().as_encoded_bytes());
            serializer.serialize_str(&format!("{BASE64_PREFIX}{encoded}"))
        }
    }
}

/// Reads a path.
pub fn read_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.strip_prefix(BASE64_PREFIX) {
        None => Ok(PathBuf::from(text)),
        Some(encoded) => BASE64
            .decode(encoded.as_bytes())
            .ok()
            .and_then(path_of_bytes)
            .ok_or_else(|| D::Error::custom("a path that is not base64")),
    }
}

/// Reads the path of a source without what changes only its spelling: it has one series of versions.
pub fn read_source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(read_path(deserializer)?.components().collect())
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// A path where serde takes no functions.
pub struct PathText(pub PathBuf);

impl Serialize for PathText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_path(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_path(deserializer).map(Self)
    }
}

/// Writes the secret of the inline slot.
pub fn write_secret<S: Serializer>(key: &Option<Zeroizing<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_some(key.as_str()),
        None => serializer.serialize_none(),
    }
}

/// Reads the secret of the inline slot; an empty one is none.
pub fn read_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    let key = Option::<String>::deserialize(deserializer)?.map(Zeroizing::new);
    Ok(key.filter(|key| !key.is_empty()))
}

/// Reads the sealing algorithm: what the forerunner wrote is read as what is used.
pub fn read_algorithm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    values::algorithm(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads the compressor.
pub fn read_compressor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    values::compressor(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads the number of threads: at least one.
pub fn read_threads<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    match Option::<usize>::deserialize(deserializer)? {
        Some(0) => Err(D::Error::custom("limits.threads must be at least 1")),
        threads => Ok(threads),
    }
}

/// Writes the compression level.
pub fn write_level<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    match level {
        Level::Off => serializer.serialize_str("off"),
        Level::Zstd(level) => serializer.serialize_i32(*level),
    }
}

/// Reads the compression level: a number, `off`, or the `false` that YAML 1.1 makes of it.
pub fn read_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    match deserializer.deserialize_any(ScalarVisitor)?.as_str() {
        "false" => Ok(Level::Off),
        text => values::level(text).map_err(|why| D::Error::custom(format_args!("compression.level: {why}"))),
    }
}

/// Writes a budget of memory, with a unit.
pub fn write_memory<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&values::bytes_text(*bytes))
}

/// Reads a budget of memory.
pub fn read_memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = deserializer.deserialize_any(ScalarVisitor)?;
    values::memory(&text).map_err(|why| D::Error::custom(format_args!("limits.memory: {why}")))
}

/// Reads a number of bytes.
pub fn read_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = deserializer.deserialize_any(ScalarVisitor)?;
    values::bytes(&text).map_err(D::Error::custom)
}

/// Writes a number of bytes, with a unit, where there is one.
pub fn write_optional_size<S: Serializer>(bytes: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serializer.serialize_str(&values::bytes_text(*bytes)),
        None => serializer.serialize_none(),
    }
}

/// Reads a number of bytes that need not be there.
pub fn read_optional_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = Option::<Scalar>::deserialize(deserializer)?;
    text.map(|text| values::bytes(&text.0).map_err(D::Error::custom)).transpose()
}

/// Reads a share in percent.
pub fn read_percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = deserializer.deserialize_any(ScalarVisitor)?;
    values::percent(&text).map_err(D::Error::custom)
}

/// Writes bytes per second by name.
pub fn write_rates<S: Serializer>(rates: &BTreeMap<String, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(rates.iter().map(|(name, rate)| (name, values::bytes_text(*rate))))
}

/// Reads bytes per second by name.
pub fn read_rates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u64>, D::Error> {
    let texts = Option::<BTreeMap<String, Scalar>>::deserialize(deserializer)?.unwrap_or_default();
    let rate = |(name, text): (String, Scalar)| {
        let refused = |why| D::Error::custom(format_args!("limits.upload.{name}: {why}"));
        let rate = values::rate(&text.0).map_err(refused)?;
        Ok((name, rate))
    };
    texts.into_iter().map(rate).collect()
}

/// Any scalar, as the text a person would type for it.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(Self)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a word")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }
}

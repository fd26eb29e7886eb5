//! How single values stand in `config.yaml`, and what is accepted there.

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Marks a path that is not UTF-8. No absolute path begins so.
const BASE64_PREFIX: &str = "base64:";

/// A path as text.
pub struct PathText(PathBuf);

impl From<&PathBuf> for PathText {
    fn from(path: &PathBuf) -> Self {
        Self(path.clone())
    }
}

impl From<PathText> for PathBuf {
    fn from(text: PathText) -> Self {
        text.0
    }
}

impl Serialize for PathText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        path::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        path::deserialize(deserializer).map(Self)
    }
}

/// Paths: text, or `base64:` and the bytes.
pub mod path {
    use super::*;

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        match path.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let encoded = BASE64.encode(path.as_os_str().as_encoded_bytes());
                serializer.serialize_str(&format!("{BASE64_PREFIX}{encoded}"))
            }
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.strip_prefix(BASE64_PREFIX) {
            None => Ok(PathBuf::from(text)),
            Some(encoded) => BASE64
                .decode(encoded.as_bytes())
                .ok()
                .and_then(super::path_of_bytes)
                .ok_or_else(|| D::Error::custom("a path that is not base64")),
        }
    }
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

/// The secret of the inline slot.
pub mod secret {
    use super::*;
    use zeroize::Zeroizing;

    pub fn serialize<S: Serializer>(key: &Option<Zeroizing<String>>, serializer: S) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => serializer.serialize_some(key.as_str()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
    }
}

/// The sealing algorithm: what the forerunner wrote is read as what is used.
pub mod algorithm {
    use super::*;

    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        super::super::values::algorithm(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The compressor.
pub fn compressor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    super::values::compressor(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The number of threads: at least one.
pub fn threads<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    match Option::<usize>::deserialize(deserializer)? {
        Some(0) => Err(D::Error::custom("limits.threads must be at least 1")),
        threads => Ok(threads),
    }
}

/// The compression level: a number, `off`, or the `false` that YAML 1.1 makes of it.
pub mod level {
    use super::super::sections::Level;
    use super::super::values;
    use super::*;

    pub fn serialize<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
        match level {
            Level::Off => serializer.serialize_str("off"),
            Level::Zstd(level) => serializer.serialize_i32(*level),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        match deserializer.deserialize_any(Scalar)?.as_str() {
            "false" => Ok(Level::Off),
            text => values::level(text).map_err(|why| D::Error::custom(format_args!("compression.level: {why}"))),
        }
    }
}

/// Numbers of bytes, written with a unit.
pub mod bytes {
    use super::super::values;
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&values::bytes_text(*bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = deserializer.deserialize_any(Scalar)?;
        values::memory(&text).map_err(|why| D::Error::custom(format_args!("limits.memory: {why}")))
    }
}

/// Bytes per second by name.
pub mod rates {
    use std::collections::BTreeMap;

    use super::super::values;
    use super::*;

    pub fn serialize<S: Serializer>(rates: &BTreeMap<String, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(rates.iter().map(|(name, rate)| (name, values::bytes_text(*rate))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u64>, D::Error> {
        let texts = Option::<BTreeMap<String, ScalarText>>::deserialize(deserializer)?.unwrap_or_default();
        let rate = |(name, text): (String, ScalarText)| {
            let rate =
                values::rate(&text.0).map_err(|why| D::Error::custom(format_args!("limits.upload.{name}: {why}")))?;
            Ok((name, rate))
        };
        texts.into_iter().map(rate).collect()
    }
}

/// Any scalar, as the text a person would type for it.
struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a word")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Float(value), &self))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }
}

struct ScalarText(String);

impl<'de> Deserialize<'de> for ScalarText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar).map(Self)
    }
}

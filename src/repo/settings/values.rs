//! Values of keys: from the text a person types to a type and back. Refusals are one sentence without a full stop.

use std::collections::HashSet;
use std::path::{Component, Path};

use super::sections::{ALGORITHM, Level};
use crate::format::PACK_LEN_MAX;
use crate::format::pack::PACK_GRANULE;
use crate::format::record::ConfigRecord;
use crate::memory::LEAST_BYTES;

/// A reason why a value is refused.
pub type Refusal = String;

/// `true` or `false`, in the spellings people use.
pub fn boolean(text: &str) -> Result<bool, Refusal> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is not true or false")),
    }
}

/// A whole number from `least` on.
pub fn number<N: TryFrom<u64>>(text: &str, least: u64) -> Result<N, Refusal> {
    let refused = || format!("`{text}` is not a whole number from {least} on");
    let value: u64 = text.parse().map_err(|_| refused())?;
    if value < least {
        return Err(refused());
    }
    N::try_from(value).map_err(|_| format!("{value} is too large"))
}

/// A share in percent.
pub fn percent(text: &str) -> Result<u32, Refusal> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    match number.parse() {
        Ok(percent @ 1..=100) => Ok(percent),
        _ => Err(format!("`{text}` is not a share from 1 to 100 percent")),
    }
}

/// A zstd level or `off`.
pub fn level(text: &str) -> Result<Level, Refusal> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(Level::Off);
    }
    match text.parse::<i32>() {
        Ok(level @ 1..=22) => Ok(Level::Zstd(level)),
        _ => Err(format!("`{text}` is not a level from 1 to 22, or off")),
    }
}

/// The level as it is typed.
pub fn level_text(level: Level) -> String {
    match level {
        Level::Off => "off".to_owned(),
        Level::Zstd(level) => level.to_string(),
    }
}

/// How much something counts, against how much it usually does.
pub fn weight(text: &str) -> Result<f64, Refusal> {
    let weight = text.trim().parse().map_err(|_| format!("`{text}` is not a number"))?;
    is_weight(weight).map(|()| weight)
}

/// Whether a number can be such a weight.
pub fn is_weight(weight: f64) -> Result<(), Refusal> {
    if (0.0..=10.0).contains(&weight) { Ok(()) } else { Err(format!("`{weight}` is not between 0 and 10")) }
}

/// The name of the sealing algorithm.
pub fn algorithm(text: &str) -> Result<String, Refusal> {
    match text {
        "AES-256-GCM" | ALGORITHM => Ok(ALGORITHM.to_owned()),
        _ => Err(format!("`{text}` is not known; data are sealed with {ALGORITHM}")),
    }
}

/// The name of the compressor.
pub fn compressor(text: &str) -> Result<String, Refusal> {
    if text == "zstd" { Ok(text.to_owned()) } else { Err(format!("`{text}` is not known; blocks are zstd frames")) }
}

/// A number of bytes: `96MiB`, `1.5 GB`, `500000`.
pub fn bytes(text: &str) -> Result<u64, Refusal> {
    let refused = || format!("`{text}` is not a size such as 96MiB or 1.5GB");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(refused()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(|| format!("{text} is too large"));
    }
    let value: f64 = number.parse().map_err(|_| refused())?;
    let product = value * factor as f64;
    // Above this the float would no longer be exact to the byte.
    if product.fract() != 0.0 && factor == 1 || product > (1u64 << 53) as f64 {
        return Err(refused());
    }
    Ok(product.round() as u64)
}

/// The shortest exact way to write a number of bytes.
pub fn bytes_text(bytes: u64) -> String {
    for (factor, unit) in [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    for (factor, unit) in [(1_000_000_000_000u64, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

/// A budget of memory.
pub fn memory(text: &str) -> Result<u64, Refusal> {
    check_memory(bytes(text)?)
}

/// Refuses a budget nothing could run in.
pub fn check_memory(bytes: u64) -> Result<u64, Refusal> {
    if bytes < LEAST_BYTES { Err(format!("must be at least {}", bytes_text(LEAST_BYTES))) } else { Ok(bytes) }
}

/// Stored bytes of a full pack.
///
/// # Errors
/// Why it cannot be.
pub fn pack_bytes(text: &str) -> Result<u32, Refusal> {
    let least = 2 * ConfigRecord::BLOCK_BYTES + PACK_GRANULE as u32;
    let bytes = bytes(text)?;
    match u32::try_from(bytes) {
        Ok(size) if size >= least && bytes <= PACK_LEN_MAX && bytes.is_multiple_of(PACK_GRANULE) => Ok(size),
        _ => Err(format!(
            "must be from {} to {}, in steps of {}",
            bytes_text(least.into()),
            bytes_text(PACK_LEN_MAX),
            bytes_text(PACK_GRANULE)
        )),
    }
}

/// Bytes per second: `5MiB`, `5MiB/s`.
pub fn rate(text: &str) -> Result<u64, Refusal> {
    check_rate(bytes(text.strip_suffix("/s").unwrap_or(text))?)
}

/// Refuses a rate at which nothing would ever arrive.
pub fn check_rate(rate: u64) -> Result<u64, Refusal> {
    if rate == 0 { Err("must be more than nothing; unset the key for no limit".to_owned()) } else { Ok(rate) }
}

/// Checks the name of a destination.
pub fn destination_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 32 || !name.chars().all(plain) || name.starts_with('-') {
        return Err(format!("`{name}` is not a name: 1 to 32 letters, digits, `-` and `_`"));
    }
    Ok(())
}

/// Checks that a path is one.
pub fn not_empty(path: &Path) -> Result<(), Refusal> {
    if path.as_os_str().is_empty() { Err("the path is empty".to_owned()) } else { Ok(()) }
}

/// Checks the path of a source: by its spelling its versions are found again, so it has one.
pub fn source_path(path: &Path) -> Result<(), Refusal> {
    // A file that another system wrote has paths that begin with the letter of a disk or the name of a computer.
    let is_elsewhere = match path.as_os_str().as_encoded_bytes() {
        [letter, b':', b'\\' | b'/', ..] => letter.is_ascii_alphabetic(),
        bytes => bytes.starts_with(br"\\"),
    };
    if !path.has_root() && !is_elsewhere {
        return Err(format!("`{}` is a relative path; write the whole one", path.display()));
    }
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(format!("`{}` has `..` in it; write the path without", path.display()));
    }
    Ok(())
}

/// Checks that each source is there once.
pub fn different<'a>(mut paths: impl Iterator<Item = &'a Path>) -> Result<(), Refusal> {
    let mut known = HashSet::new();
    match paths.find(|path| !known.insert(*path)) {
        Some(twice) => Err(format!("`{}` is there twice; take one of them out", twice.display())),
        None => Ok(()),
    }
}

/// Checks the secret of an inline slot: 32 bytes in base64.
pub fn secret(text: &str) -> Result<(), Refusal> {
    let decoded = data_encoding::BASE64.decode(text.as_bytes()).map(zeroize::Zeroizing::new);
    match decoded {
        Ok(bytes) if bytes.len() == 32 => Ok(()),
        _ => Err("is not a key: 32 bytes in base64".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, expected) in [
            ("96MiB", 96 << 20),
            ("96 mib", 96 << 20),
            ("1G", 1 << 30),
            ("1.5GB", 1_500_000_000),
            ("0.5KiB", 512),
            ("500000", 500_000),
            ("0", 0),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "MiB", "-1", "1e9", "1.5", "1.2.3MB", "5 apples", "99999999999999999999", "17000000TiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for size in [0, 1, 1023, 1024, 1 << 20, 96 << 20, 5_000_000, 1_500_000_001, u64::MAX] {
            assert_eq!(bytes(&bytes_text(size)), Ok(size), "{size} as {}", bytes_text(size));
        }
        assert_eq!(bytes_text(96 << 20), "96MiB");
    }

    #[test]
    fn limits_have_floors() {
        assert!(memory("63MiB").is_err());
        assert_eq!(memory("64MiB"), Ok(64 << 20));
        assert_eq!(pack_bytes("64MiB"), Ok(64 << 20));
        assert_eq!((pack_bytes("4160KiB"), pack_bytes("128MiB")), (Ok(4160 << 10), Ok(128 << 20)));
        for other in ["4MiB", "129MiB", "5000000", "5GiB", "large"] {
            assert!(pack_bytes(other).is_err(), "{other}");
        }
        assert_eq!(rate("5MiB/s"), Ok(5 << 20));
        assert!(rate("0").is_err());
    }

    #[test]
    fn names_are_plain() {
        for good in ["primary", "usb-2", "NAS_office"] {
            assert_eq!(destination_name(good), Ok(()));
        }
        for bad in ["", "a.b", "a b", "-x", "é", "x/y", &"n".repeat(33)] {
            assert!(destination_name(bad).is_err(), "{bad}");
        }
    }
}

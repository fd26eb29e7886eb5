//! Paths as the bytes that are stored, and back. Names are stored as bytes: on Unix as they are, on Windows as WTF-8.

use std::path::{Path, PathBuf};

/// The bytes of a path, as they are stored.
pub fn to_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The path with these bytes.
#[cfg(unix)]
pub fn from_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// The path with these bytes. What is not Unicode cannot be expressed without unsafe code and is replaced.
#[cfg(not(unix))]
pub fn from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// The components of `path` below `root`, or `None` where it is not at or below it.
pub fn below<'a>(root: &[u8], path: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let rest = path.strip_prefix(root)?;
    let is_at_boundary = rest.is_empty() || rest[0] == b'/' || root.last() == Some(&b'/');
    is_at_boundary.then(|| rest.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_respects_component_boundaries() {
        assert_eq!(below(b"/a", b"/a"), Some(vec![]));
        assert_eq!(below(b"/a", b"/a/b//c"), Some(vec![&b"b"[..], b"c"]));
        assert_eq!(below(b"/a", b"/ab"), None);
        assert_eq!(below(b"/", b"/ab"), Some(vec![&b"ab"[..]]));
        assert_eq!(below(b"/a/b", b"/a"), None);
    }
}

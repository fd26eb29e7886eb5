//! Paths as they are typed: made absolute, their existing parents resolved, a final symbolic link left alone.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::messages::text;
use crate::error::Error;

/// The path a person means: absolute, without `.` and `..`, through no link but perhaps the last component.
///
/// # Errors
/// [`Error::Usage`] for an empty path, [`Error::Io`] when the current folder is gone.
pub fn absolute(typed: &Path) -> Result<PathBuf, Error> {
    if typed.as_os_str().is_empty() {
        return Err(Error::Usage(text!("path-empty")));
    }
    let failed = |source: io::Error| Error::Io { what: text!("verb-resolve"), path: typed.to_owned(), source };
    let full = std::path::absolute(typed).map_err(failed)?;
    let Some(Component::Normal(name)) = full.components().next_back() else {
        // The root of a file system, or a path that ends in `..`: there is no final name to leave alone.
        return Ok(resolve_existing(&full));
    };
    let parent = full.parent().unwrap_or(&full);
    Ok(resolve_existing(parent).join(name))
}

/// Resolves the longest part that exists; of the rest, `..` takes one component away.
fn resolve_existing(path: &Path) -> PathBuf {
    let mut rest: Vec<Component> = Vec::new();
    let mut known = path;
    loop {
        if let Ok(real) = std::fs::canonicalize(known) {
            return append(plain(real), rest.into_iter().rev());
        }
        match (known.parent(), known.components().next_back()) {
            (Some(parent), Some(last)) => {
                rest.push(last);
                known = parent;
            }
            _ => return append(known.to_owned(), rest.into_iter().rev()),
        }
    }
}

fn append<'a>(mut path: PathBuf, rest: impl Iterator<Item = Component<'a>>) -> PathBuf {
    for component in rest {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    path
}

#[cfg(not(windows))]
fn plain(path: PathBuf) -> PathBuf {
    path
}

/// Windows resolves to `\\?\C:\…`; people and other programs know `C:\…` and `\\server\share\…`.
#[cfg(windows)]
fn plain(path: PathBuf) -> PathBuf {
    let Some(text) = path.to_str() else { return path };
    if let Some(share) = text.strip_prefix(r"\\?\UNC\") {
        return PathBuf::from(format!(r"\\{share}"));
    }
    match text.strip_prefix(r"\\?\") {
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') && rest.len() < 260 => PathBuf::from(rest),
        _ => path,
    }
}

/// Splits `SNAPSHOT[:PATH]` at its first colon. No snapshot's name has one.
///
/// # Errors
/// [`Error::Usage`] when the snapshot is not UTF-8.
pub fn snapshot_and_path(typed: &OsStr) -> Result<(String, Option<PathBuf>), Error> {
    let (snapshot, path) = split_at_colon(typed);
    match snapshot.to_str() {
        Some(snapshot) if !snapshot.is_empty() => Ok((snapshot.to_owned(), path)),
        _ => Err(Error::Usage(text!("snapshot-not-one"))),
    }
}

/// `FILE@N`: a file, made absolute, and the number of a version.
///
/// # Errors
/// Those of [`absolute`].
pub fn file_and_version(typed: &OsStr) -> Result<Option<(PathBuf, u32)>, Error> {
    let split = typed.to_str().and_then(|text| text.rsplit_once('@'));
    match split.and_then(|(file, number)| Some((file, number.parse().ok()?))) {
        Some((file, number)) if !file.is_empty() => Ok(Some((absolute(Path::new(file))?, number))),
        _ => Ok(None),
    }
}

#[cfg(unix)]
fn split_at_colon(typed: &OsStr) -> (&OsStr, Option<PathBuf>) {
    use std::os::unix::ffi::OsStrExt;
    let bytes = typed.as_bytes();
    match bytes.iter().position(|byte| *byte == b':') {
        Some(at) => (OsStr::from_bytes(&bytes[..at]), Some(PathBuf::from(OsStr::from_bytes(&bytes[at + 1..])))),
        None => (typed, None),
    }
}

#[cfg(not(unix))]
fn split_at_colon(typed: &OsStr) -> (&OsStr, Option<PathBuf>) {
    match typed.to_str().and_then(|text| text.split_once(':')) {
        Some((snapshot, path)) => (OsStr::new(snapshot), Some(PathBuf::from(path))),
        None => (typed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_and_paths_part_at_the_first_colon() {
        let split = |text: &str| snapshot_and_path(OsStr::new(text)).expect("well formed");
        assert_eq!(split("latest"), ("latest".to_owned(), None));
        assert_eq!(split("latest~2:/a:b"), ("latest~2".to_owned(), Some(PathBuf::from("/a:b"))));
        assert!(snapshot_and_path(OsStr::new(":/a")).is_err());
        assert!(snapshot_and_path(OsStr::new("")).is_err());
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;

        use tempfile::TempDir;

        use super::*;

        #[test]
        fn parents_are_resolved_and_the_last_link_is_not() {
            let folder = TempDir::new().expect("a folder");
            let base = folder.path().canonicalize().expect("it exists");
            std::fs::create_dir_all(base.join("real/sub")).expect("writable");
            symlink(base.join("real"), base.join("link")).expect("a link");
            let resolved = |path: &str| absolute(&base.join(path)).expect("a path");
            assert_eq!(resolved("link/file"), base.join("real/file"));
            assert_eq!(resolved("link"), base.join("link"));
            assert_eq!(resolved("link/"), base.join("link"));
            assert_eq!(resolved("link/sub/../x/./y"), base.join("real/x/y"));
            assert_eq!(resolved("link/gone/deeper/file"), base.join("real/gone/deeper/file"));
            assert_eq!(resolved("link/gone/../file"), base.join("real/file"));
            assert_eq!(resolved("link/sub/.."), base.join("real"));
            assert_eq!(resolved("link/."), base.join("link"));
            assert_eq!(absolute(Path::new("/")).expect("the root"), Path::new("/"));
            assert!(absolute(Path::new("")).is_err());
        }

        #[test]
        fn relative_paths_begin_here_and_bytes_stay() {
            let here = std::env::current_dir().expect("a folder").canonicalize().expect("it exists");
            assert_eq!(absolute(Path::new("Cargo.toml")).expect("a path"), here.join("Cargo.toml"));
            let odd = OsStr::from_bytes(b"caf\xe9");
            assert_eq!(absolute(Path::new(odd)).expect("a path"), here.join(odd));
            let (snapshot, path) = snapshot_and_path(OsStr::from_bytes(b"latest:/caf\xe9")).expect("well formed");
            assert_eq!((snapshot.as_str(), path), ("latest", Some(PathBuf::from(OsStr::from_bytes(b"/caf\xe9")))));
        }
    }
}

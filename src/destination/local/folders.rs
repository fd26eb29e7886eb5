//! Which folders a local destination has.

use crate::format::layout::ObjectKind;

/// Where objects are written before they are renamed.
pub(super) const TEMP: &str = "tmp";

/// The folders whose names an object can have been put in: the root, the kinds, and the folders of the spread kinds.
/// Parents stand before what is in them.
pub(super) fn all() -> impl Iterator<Item = String> {
    let below_root = ObjectKind::ALL.into_iter().flat_map(|kind| {
        let spread = kind.is_spread().then(|| of_kind(kind, None)).into_iter().flatten();
        std::iter::once(kind.folder().to_owned()).chain(spread)
    });
    std::iter::once(String::new()).chain(below_root)
}

/// The folders that hold the objects of a kind, or only the one for hashes that begin with `prefix`.
pub(super) fn of_kind(kind: ObjectKind, prefix: Option<u8>) -> Vec<String> {
    let folder = kind.folder();
    match (kind.is_spread(), prefix) {
        (false, _) => vec![folder.to_owned()],
        (true, Some(first)) => vec![format!("{folder}/{first:02x}")],
        (true, None) => (0..=u8::MAX).map(|first| format!("{folder}/{first:02x}")).collect(),
    }
}

/// The folder a path is in; empty for the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

//! The names in one folder, sorted. One allocation for all of them, so that a folder of a million files stays small.

/// What the listing says an entry is, where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    Folder,
    Other,
    Unknown,
}

/// Names of one folder; give them with [`Names::push`], then [`Names::sort`], then take them.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// For each name: a byte for its hint, the name, a zero byte. Names hold no zero byte.
    bytes: Vec<u8>,
    /// Where each name begins, in order.
    order: Vec<usize>,
    next: usize,
}

impl Names {
    pub fn push(&mut self, name: &[u8], hint: Hint) {
        self.bytes.push(hint as u8);
        self.order.push(self.bytes.len());
        self.bytes.extend_from_slice(name);
        self.bytes.push(0);
    }

    /// Sorts by name as bytes and drops names listed twice, which some file systems do when a folder changes under a
    /// listing.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        // The zero byte at each name's end sorts before all others, so nothing needs to be cut out to compare.
        self.order.sort_unstable_by(|&a, &b| bytes[a..].cmp(&bytes[b..]));
        self.order.dedup_by(|a, b| name_at(bytes, *a) == name_at(bytes, *b));
    }

    /// These names, which are sorted.
    pub fn of<'a>(sorted: impl Iterator<Item = &'a Vec<u8>>) -> Self {
        let mut names = Self::default();
        sorted.for_each(|name| names.push(name, Hint::Unknown));
        names
    }

    /// The next name, in order.
    pub fn advance(&mut self) -> Option<(&[u8], Hint)> {
        let &start = self.order.get(self.next)?;
        self.next += 1;
        let hint = match self.bytes[start - 1] {
            0 => Hint::Folder,
            1 => Hint::Other,
            _ => Hint::Unknown,
        };
        Some((name_at(&self.bytes, start), hint))
    }

    /// Whether `name` is among them.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.order.binary_search_by(|&start| name_at(&self.bytes, start).cmp(name)).is_ok()
    }

    /// Drops all but `name`; how many that were.
    pub fn keep_only(&mut self, name: &[u8]) -> u64 {
        let before = self.order.len();
        let bytes = &self.bytes;
        self.order.retain(|&start| name_at(bytes, start) == name);
        (before - self.order.len()) as u64
    }
}

fn name_at(bytes: &[u8], start: usize) -> &[u8] {
    let rest = &bytes[start..];
    let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    &rest[..end]
}

#[cfg(test)]
mod tests {
    use super::{Hint, Names};

    fn names(list: &[&[u8]]) -> Names {
        let mut names = Names::default();
        for name in list {
            names.push(name, Hint::Unknown);
        }
        names.sort();
        names
    }

    fn drain(mut names: Names) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while let Some((name, _)) = names.advance() {
            all.push(name.to_vec());
        }
        all
    }

    #[test]
    fn names_come_sorted_as_bytes_and_once() {
        let list: [&[u8]; 9] = [b"b", b"a.b", b"a", b"\xff", b"ab", b"A", b"a\n", b"a", b"\x01"];
        let sorted: [&[u8]; 8] = [b"\x01", b"A", b"a", b"a\n", b"a.b", b"ab", b"b", b"\xff"];
        assert_eq!(drain(names(&list)), sorted);
    }

    #[test]
    fn hints_stay_with_their_names() {
        let mut names = Names::default();
        names.push(b"z", Hint::Folder);
        names.push(b"a", Hint::Other);
        names.push(b"m", Hint::Unknown);
        names.sort();
        assert_eq!(names.advance(), Some((&b"a"[..], Hint::Other)));
        assert_eq!(names.advance(), Some((&b"m"[..], Hint::Unknown)));
        assert_eq!(names.advance(), Some((&b"z"[..], Hint::Folder)));
        assert_eq!(names.advance(), None);
    }

    #[test]
    fn looking_for_a_name_finds_only_that_name() {
        let names = names(&[b"ab", b"abc", b"b"]);
        assert!(names.contains(b"abc") && names.contains(b"ab") && names.contains(b"b"));
        assert!(!names.contains(b"a") && !names.contains(b"abcd") && !names.contains(b""));
    }

    #[test]
    fn keeping_one_name_counts_the_others() {
        let mut names = names(&[b"x", b"tag", b"tags"]);
        assert_eq!(names.keep_only(b"tag"), 2);
        assert_eq!(drain(names), [b"tag"]);
    }
}

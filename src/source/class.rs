//! Bracketed classes of a pattern, `[a-z]`, read the way git reads them and written the way the matching crate does.
//!
//! The crate lets a class match `/`, so that `a[!b]c` would leave out `c` in every folder `a`; it knows neither escapes
//! in a class nor `[:space:]`. To git, a class is one character of one component.

/// A set of characters, without `/` whether negated or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    is_negated: bool,
    /// First and last of each range, as they were written.
    ranges: Vec<(char, char)>,
}

/// Reads the class `rest` begins with; its length in bytes comes with it. `None` when its bracket is never closed, and
/// when it names a class of characters that git does not know.
pub(super) fn parse(rest: &str) -> Option<(usize, Class)> {
    let body = rest.strip_prefix('[')?;
    let members = body.strip_prefix(['!', '^']).unwrap_or(body);
    let mut class = Class { is_negated: members.len() < body.len(), ranges: Vec::new() };
    let mut chars = members.chars();
    // What a `-` could make the start of a range.
    let mut before = None;
    let mut is_first = true;
    loop {
        let after_char = |chars: &std::str::Chars<'_>| chars.as_str().chars().next();
        let char = chars.next()?;
        match (char, before) {
            (']', _) if !is_first => break,
            ('-', Some(start)) if after_char(&chars).is_some_and(|next| next != ']') => {
                class.ranges.push((start, unescaped(&mut chars)?));
                before = None;
            }
            ('[', _) if chars.as_str().starts_with(':') && named(chars.as_str()).is_some() => {
                let (name, rest) = named(chars.as_str())?;
                class.ranges.extend_from_slice(ranges_of(name)?);
                chars = rest.chars();
                before = None;
            }
            ('\\', _) => {
                let escaped = chars.next()?;
                class.ranges.push((escaped, escaped));
                before = Some(escaped);
            }
            (other, _) => {
                class.ranges.push((other, other));
                before = Some(other);
            }
        }
        is_first = false;
    }
    Some((rest.len() - chars.as_str().len(), class))
}

fn unescaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    match chars.next()? {
        '\\' => chars.next(),
        other => Some(other),
    }
}

/// The name in `:name:]`, and what follows.
fn named(text: &str) -> Option<(&str, &str)> {
    let (inner, rest) = text.strip_prefix(':')?.split_once(']')?;
    Some((inner.strip_suffix(':')?, rest))
}

fn ranges_of(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "cntrl" => &[('\0', '\x1F'), ('\x7F', '\x7F')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}

/// Characters that mean something at some place in a class of the crate; they are written where they do not.
const SPECIAL: [char; 4] = [']', '-', '!', '^'];

impl Class {
    /// A range that ends before it begins: nothing matches it, and nobody means it.
    pub fn upside_down(&self) -> Option<(char, char)> {
        self.ranges.iter().copied().find(|(first, last)| first > last)
    }

    /// The class in the crate's syntax, which has no escapes.
    pub fn to_glob(&self) -> String {
        let has = |char| self.ranges.iter().any(|&(first, last)| (first..=last).contains(&char));
        let mut plain = String::new();
        for &(first, last) in &self.ranges {
            for (first, last) in without_special(first, last) {
                plain.push(first);
                if last > first {
                    plain.extend(['-', last]);
                }
            }
        }
        if self.is_negated {
            plain.push('/');
        }
        if plain.is_empty() && !has(']') && !has('-') {
            return match (has('!'), has('^')) {
                (true, true) => r"{\!,\^}".into(),
                (true, false) => r"\!".into(),
                (false, true) => r"\^".into(),
                // Nothing is left: like a name with a zero byte, which there is none of.
                (false, false) => "\0".into(),
            };
        }
        let mut glob = String::from(if self.is_negated { "[!" } else { "[" });
        glob.extend(has(']').then_some(']'));
        // As the only other member it has to stand where a `!` would not negate.
        let dash_first = plain.is_empty() && !has(']');
        glob.extend((has('-') && dash_first).then_some('-'));
        glob.push_str(&plain);
        glob.extend(['!', '^'].into_iter().filter(|&char| has(char)));
        glob.extend((has('-') && !dash_first).then_some('-'));
        glob.push(']');
        glob
    }
}

/// The range without the characters that are written on their own, and without `/`.
fn without_special(first: char, last: char) -> Vec<(char, char)> {
    let mut cuts: Vec<char> = SPECIAL.into_iter().chain(['/']).filter(|cut| (first..=last).contains(cut)).collect();
    cuts.sort_unstable();
    let mut ranges = Vec::new();
    let mut start = first;
    for cut in cuts {
        // The cuts are ASCII, where every number is a character.
        let (below, above) = (char::from(cut as u8 - 1), char::from(cut as u8 + 1));
        if start < cut {
            ranges.push((start, below));
        }
        start = above;
    }
    if start <= last {
        ranges.push((start, last));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn matches(class: &str, text: &str) -> bool {
        let (len, class_read) = parse(class).expect("a class");
        assert_eq!(len, class.len(), "{class}");
        let glob = globset::GlobBuilder::new(&class_read.to_glob()).backslash_escape(true).build();
        glob.unwrap_or_else(|error| panic!("{class}: {error}")).compile_matcher().is_match(text)
    }

    #[test]
    fn classes_match_what_git_says() {
        for (class, yes, no) in [
            ("[abc]", "abc", "d-/["),
            ("[a-c]", "abc", "d-/"),
            ("[!a-c]", "d-^!]", "abc/"),
            ("[^a]", "b!^", "a/"),
            ("[]a]", "]a", "[b"),
            ("[!]a]", "b[", "]a/"),
            ("[-a]", "-a", "b"),
            ("[a-]", "-a", "b"),
            ("[+--]", "+,-", ".a"),
            ("[--0]", "-.0", "/1"),
            ("[ -~]", " !-]^~az", "/é"),
            (r"[\]\-\\]", r"]-\", "a["),
            (r"[a\-c]", "a-c", "b"),
            (r"[!\]]", "a", "]/"),
            (r"[\!]", "!", "^a"),
            (r"[\^]", "^", "!a"),
            (r"[\!^]", "!^", "a"),
            (r"[\!-]", "!-", "^a"),
            ("[[a]", "[a", "]"),
            ("[[:digit:]x]", "059x", "a:["),
            ("[![:alpha:]]", "0-", "aZ/"),
            ("[[:punct:]]", "!-]^_", "a/"),
            ("[[:x]", "[:x", "]"),
            ("[/]", "", "/a"),
        ] {
            for char in yes.chars() {
                assert!(matches(class, char.to_string().as_str()), "{class} {char}");
            }
            for char in no.chars() {
                assert!(!matches(class, char.to_string().as_str()), "{class} {char}");
            }
        }
    }

    #[test]
    fn what_is_not_closed_is_no_class() {
        for text in ["[", "[]", "[!]", "[a", "[a\\]", "[[:digit:]", "[[:nonsense:]]", "[a-", "a]"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("[a]b]").expect("a class").0, 3);
        assert_eq!(parse("[a-cz-x]").and_then(|(_, class)| class.upside_down()), Some(('z', 'x')));
    }
}

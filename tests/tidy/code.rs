//! Source files as the rules see them: what is left of the text without comments, literals and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file.
pub struct File {
    /// Path below the folder it was read from, parts joined by `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// The same with comments, literals and tests blanked out: as many lines, in the same places.
    pub code: String,
}

impl File {
    /// The modules it lies in, from the top: `backup/scan.rs` is `backup`, `scan`.
    pub fn modules(&self) -> Vec<&str> {
        let path = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let mut modules: Vec<&str> = path.split('/').collect();
        if matches!(modules.last(), Some(&("mod" | "lib" | "main"))) {
            modules.pop();
        }
        modules
    }

    /// Numbered lines of code.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }
}

/// A path in the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the project.
pub fn text(path: &str) -> String {
    fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file below a folder of the project, as it is.
pub fn files(folder: &str) -> Vec<File> {
    let mut files = Vec::new();
    collect(&project(folder), "", &mut files);
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// Every file of the library and the program. Files that only tests use have no code.
pub fn sources() -> Vec<File> {
    let mut files = files("src");
    let mut test_modules: Vec<Vec<String>> = Vec::new();
    for file in &mut files {
        let (code, modules) = without_tests(&file.code);
        let parents: Vec<String> = file.modules().into_iter().map(str::to_owned).collect();
        test_modules.extend(modules.into_iter().map(|name| [parents.clone(), vec![name]].concat()));
        file.code = code;
    }
    for file in &mut files {
        let modules: Vec<String> = file.modules().into_iter().map(str::to_owned).collect();
        if test_modules.iter().any(|module| modules.starts_with(module)) {
            file.code = blank(&file.code);
        }
    }
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder of the project can be listed");
        let name = entry.file_name().into_string().expect("names in the project are UTF-8");
        if entry.file_type().expect("the file system knows its entries").is_dir() {
            if name != "target" {
                collect(&entry.path(), &format!("{prefix}{name}/"), files);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("source files are UTF-8");
            let code = without_comments_and_literals(&text);
            files.push(File { path: format!("{prefix}{name}"), text, code });
        }
    }
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { ' ' }).collect()
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let dull = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            end_of_quoted(rest, '"')
        } else if first == 'r' && (!is_word(previous) || previous == 'b') {
            end_of_raw(rest)
        } else if first == '\'' {
            end_of_character(rest)
        } else {
            0
        };
        let taken = if dull == 0 { first.len_utf8() } else { dull };
        let (now, after) = rest.split_at(taken);
        if dull == 0 {
            code.push_str(now)
        } else {
            code.push_str(&blank(now))
        }
        previous = first;
        rest = after;
    }
    code
}

/// Where a literal that begins with a quote ends, with its quotes.
fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The same for `r"` and `r#"`; 0 for anything else that begins with an r.
fn end_of_raw(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|&c| c == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[2 + hashes..].find(&close).map_or(text.len(), |end| 2 + hashes + end + close.len())
}

/// The same for a character; 0 for a lifetime.
fn end_of_character(text: &str) -> usize {
    let mut after = text.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => end_of_quoted(text, '\''),
        _ => 0,
    }
}

/// Blanks out what is compiled for tests only; also gives the names of such modules that are files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    let mut kept = code.to_owned();
    let mut modules = Vec::new();
    while let Some(start) = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|mark| kept.find(mark)).min() {
        let end = end_of_item(&kept, start);
        let item = &kept[start..end];
        if let Some((_, name)) = item.strip_suffix(';').and_then(|item| item.rsplit_once("mod ")) {
            modules.push(name.trim().to_owned());
        }
        let blanked = blank(item);
        kept.replace_range(start..end, &blanked);
    }
    (kept, modules)
}

/// Where the item that begins at `start`, with its attributes, ends: after its braces or its semicolon.
pub fn end_of_item(code: &str, start: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in code[start..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + at + 1;
                }
            }
            ';' if depth == 0 => return start + at + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn comments_literals_and_tests_are_not_code() {
    let text = r##"
        use a::b; // use c::d
        /* e */ let f = "g \" h"; let i = r#"j " k"#; let l = 'm'; let n: &'o str = b"p\\";
        #[cfg(test)]
        mod q { fn r() -> [u8; 3] { s } }
        #[cfg(all(test, unix))]
        mod t;
        fn u() {}
    "##;
    let (code, modules) = without_tests(&without_comments_and_literals(text));
    assert_eq!(modules, ["t"]);
    let words: String = code.chars().filter(|c| is_word(*c)).collect();
    assert_eq!(words, "useabletfletiletlletnostrbfnu");
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn files_of_tests_have_no_code() {
    let files = sources();
    let code = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is gone"));
        file.code.chars().any(is_word)
    };
    assert!(code("lib.rs") && code("format/wire.rs") && code("source/mod.rs"));
    assert!(!code("source/tests/walk.rs") && !code("index/tests.rs"));
}

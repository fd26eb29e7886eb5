//! Who may use whom. Lower layers never use higher ones, and nothing uses its neighbours.

use crate::assert_none;
use crate::code::{File, end_of_item, files, is_word, sources};

/// From the lowest to the highest.
const LAYERS: &[&[&str]] = &[
    &["format", "report", "paths", "memory"],
    &["source", "chunk", "seal", "destination", "spill"],
    &["pack", "index"],
    &["replicate", "snapshot"],
    &["live"],
    // Names the errors of everything below, so that the verbs have one: it stands above them, and they do not know it.
    &["error"],
    &["repo"],
    VERBS,
    MADE_OF_VERBS,
    &["watch"],
    &["cli"],
];

/// What can be asked for.
pub const VERBS: &[&str] = &["backup", "restore", "check", "clean", "sync", "explore"];

/// What is made of verbs, because it tells whether they work.
pub const MADE_OF_VERBS: &[&str] = &["drill"];

/// What a program that uses the library needs beside the verbs and `watch`.
const AROUND_THE_VERBS: &[&str] = &["repo", "report", "error"];

/// The neighbours that may be used, in this direction only.
const NEIGHBOURS: &[(&str, &str, &str)] =
    &[("replicate", "snapshot", "catching up needs to know what a snapshot needs")];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn lower_layers_do_not_use_higher_ones() {
    let mut offences = Vec::new();
    let mut needed: Vec<bool> = NEIGHBOURS.iter().map(|_| false).collect();
    for file in sources() {
        let Some(own) = file.modules().first().copied().filter(|own| *own != "lib" && *own != "main") else { continue };
        let Some(own_layer) = layer(own) else {
            offences.push(format!("src/{}: `{own}` has no place in the layers", file.path));
            continue;
        };
        for (line, used) in uses(&file) {
            if used == own {
                continue;
            }
            if let Some(at) = NEIGHBOURS.iter().position(|(from, to, _)| (*from, *to) == (own, used.as_str())) {
                needed[at] = true;
                continue;
            }
            match layer(&used) {
                Some(layer) if layer < own_layer => {}
                Some(layer) if layer == own_layer => {
                    offences.push(format!("src/{}:{line}: `{own}` uses its neighbour `{used}`", file.path));
                }
                Some(_) => offences.push(format!("src/{}:{line}: `{own}` uses `{used}`, which is above it", file.path)),
                None => offences.push(format!("src/{}:{line}: `{used}` has no place in the layers", file.path)),
            }
        }
    }
    for ((from, to, _), needed) in NEIGHBOURS.iter().zip(needed) {
        if !needed {
            offences.push(format!("`{from}` does not use `{to}` any more: take it out of the table"));
        }
    }
    assert_none(offences);
}

/// So whatever the command line can do, any program that uses the library can do.
#[test]
fn the_command_line_uses_what_every_program_can_use() {
    let own = files("src").into_iter().filter(|file| file.modules().first() == Some(&"cli"));
    let mut is_empty = true;
    let mut offences = Vec::new();
    for file in own {
        for (line, used) in uses(&file) {
            is_empty = false;
            if !is_for_every_program(&used) {
                offences
                    .push(format!("src/{}:{line}: `{used}` is below the verbs; give what is needed there", file.path));
            }
        }
    }
    assert!(!is_empty, "nothing was looked at");
    assert_none(offences);
}

fn is_for_every_program(module: &str) -> bool {
    [VERBS, MADE_OF_VERBS, AROUND_THE_VERBS, &["watch", "cli"]].concat().contains(&module)
}

#[test]
fn every_layer_is_declared_in_the_library() {
    let lib = crate::code::text("src/lib.rs");
    let declared: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let missing = |module: &&&str| !declared.contains(*module);
    assert_eq!(LAYERS.iter().flat_map(|layer| layer.iter()).find(missing), None, "a module that is not there");
}

#[test]
fn uses_name_what_they_use() {
    let mut offences = Vec::new();
    for file in sources() {
        for (number, line) in file.lines() {
            let line = line.trim();
            if (line.starts_with("use ") || line.starts_with("pub")) && line.contains("::*") {
                offences.push(format!("src/{}:{number}: {line} hides what is used", file.path));
            }
        }
    }
    assert_none(offences);
}

/// The modules of the library a file uses, and in which line.
fn uses(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        let mut from = 0;
        while let Some(at) = file.code[from..].find(start).map(|at| from + at) {
            let mut after = at + start.len();
            let mut climbed = 1;
            while start == "super::" && file.code[after..].starts_with(start) {
                after += start.len();
                climbed += 1;
            }
            from = after;
            if start == "crate::" || climbed >= file.modules().len() + modules_around(&file.code, at) {
                let line = file.code[..at].matches('\n').count() + 1;
                found.extend(first_names(&file.code, after).into_iter().map(|name| (line, name)));
            }
        }
    }
    found
}

/// In how many modules of its file the code at `at` lies.
fn modules_around(code: &str, at: usize) -> usize {
    let begins = code[..at].match_indices("mod ").map(|(begin, _)| begin);
    begins.filter(|&begin| !code[..begin].ends_with(is_word) && end_of_item(code, begin) > at).count()
}

/// The names that stand at `at`: one, or the first of every path in braces.
fn first_names(code: &str, at: usize) -> Vec<String> {
    let name =
        |text: &str| -> String { text.trim_start().chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect() };
    if !code[at..].starts_with('{') {
        // What begins with a capital is an item, such as a macro's type, and not a module.
        return Some(name(&code[at..])).filter(|name| name.starts_with(char::is_lowercase)).into_iter().collect();
    }
    let group = &code[at + 1..end_of_item(code, at) - 1];
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (place, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..place]));
                start = place + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| name.starts_with(char::is_lowercase));
    names
}

#[test]
fn uses_are_found_in_any_form() {
    let file = |path: &str, code: &str| File { path: path.into(), text: String::new(), code: code.into() };
    let names = |file: File| uses(&file).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    let code = "use crate::{a::B, c::{d, e}, F};\nlet g: crate::h::I = $crate::j::k();\nuse super::l;";
    assert_eq!(names(file("backup/scan.rs", code)), ["a", "c", "h", "j"]);
    assert_eq!(names(file("backup/mod.rs", "use super::l;\nuse super::{m, n::O};")), ["l", "m", "n"]);
    assert_eq!(names(file("repo/settings/file.rs", "use super::super::a;\nuse super::super::super::b;")), ["b"]);
    assert_eq!(uses(&file("error.rs", "\n\nuse crate::{\n    a,\n};")), [(3, "a".to_owned())]);
    let tests =
        "mod tests {\n    use super::super::a;\n    use super::super::super::b::C;\n    fn d() { crate::e::f() }\n}";
    assert_eq!(names(file("cli/units.rs", tests)), ["e", "b"]);
    assert_eq!(names(file("cli/units.rs", &format!("{tests}\nuse super::super::g::H;"))), ["e", "b", "g"]);
}

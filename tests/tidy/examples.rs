//! The examples in the documentation of the library: each of them runs, and each verb is in one.

use crate::assert_none;
use crate::code::{File, end_of_item, files, is_word, sources};
use crate::layers::VERBS;

/// A block of code in a comment of the documentation.
struct Example {
    /// File and line.
    place: String,
    /// What stands after the three backticks.
    kind: String,
    code: String,
}

impl Example {
    fn is_run(&self) -> bool {
        self.kind.is_empty()
    }
}

fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    for file in files("src") {
        let mut open: Option<Example> = None;
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.trim_start();
            let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(kind), None) => {
                    let place = format!("src/{}:{number}", file.path);
                    open = Some(Example { place, kind: kind.to_owned(), code: String::new() });
                }
                (Some(_), Some(_)) => found.extend(open.take()),
                (None, Some(example)) => example.code.extend([line, "\n"]),
                (None, None) => {}
            }
        }
    }
    found
}

#[test]
fn every_example_is_run() {
    let is_none = |example: &&Example| !example.is_run() && example.kind != "text";
    let sentence = |example: Example| format!("{}: ```{} is neither run nor `text`", example.place, example.kind);
    let all = examples();
    assert!(all.iter().filter(|example| example.is_run()).count() > 20, "they are not found");
    assert_none(all.into_iter().filter(|example| is_none(&example)).map(sentence).collect());
}

#[test]
fn every_verb_is_in_an_example() {
    let run: Vec<Example> = examples().into_iter().filter(Example::is_run).collect();
    let is_shown = |call: &str| run.iter().any(|example| example.code.contains(call));
    let sources = sources();
    let mut offences = Vec::new();
    let mut calls_found = 0;
    for file in &sources {
        let Some(&first) = file.modules().first() else { continue };
        if !VERBS.contains(&first) && !["watch", "repo"].contains(&first) {
            continue;
        }
        for name in verbs(&file.code) {
            calls_found += 1;
            let call = format!("{}::{name}(", module_to_call(&sources, file));
            if !is_shown(&call) {
                offences.push(format!("src/{}: no example has `{call}…)`", file.path));
            }
        }
        for name in methods_of_repo(&file.code) {
            calls_found += 1;
            if !is_shown(&format!(".{name}(")) && !is_shown(&format!("Repo::{name}(")) {
                offences.push(format!("src/{}: no example calls `{name}` of a `Repo`", file.path));
            }
        }
    }
    assert!(calls_found > 30, "they are not found");
    assert_none(offences);
}

/// The public functions of a file that work on a repository or a state folder.
fn verbs(code: &str) -> Vec<String> {
    let begins = code.match_indices("pub fn ").filter(|(at, _)| *at == 0 || code[..*at].ends_with('\n'));
    let functions = begins.map(|(at, begin)| {
        let signature = &code[at..at + code[at..].find('{').unwrap_or(code.len() - at)];
        (signature, name_at(code, at + begin.len()))
    });
    let is_verb =
        |signature: &str| ["Repo,", "Repo)", "&Home,", "&dyn Monitor"].iter().any(|it| signature.contains(it));
    functions.filter(|(signature, _)| is_verb(signature)).map(|(_, name)| name).collect()
}

fn methods_of_repo(code: &str) -> Vec<String> {
    let blocks = code.match_indices("\nimpl Repo {").map(|(at, _)| &code[at..end_of_item(code, at + 1)]);
    blocks
        .flat_map(|block| {
            let begins = block.match_indices("\n    pub fn ");
            begins.map(|(at, begin)| name_at(block, at + begin.len())).collect::<Vec<_>>()
        })
        .collect()
}

fn name_at(code: &str, at: usize) -> String {
    code[at..].chars().take_while(|&c| is_word(c)).collect()
}

/// The module by which the functions of a file are called: its own where that is open to all, else the one it lies in.
fn module_to_call<'f>(sources: &[File], file: &'f File) -> &'f str {
    let modules = file.modules();
    let (last, parents) = modules.split_last().expect("a file lies in a module");
    let parent = sources.iter().find(|other| !parents.is_empty() && other.modules() == parents);
    match parent {
        Some(parent) if !parent.code.contains(&format!("pub mod {last};")) => {
            parents.last().expect("there are parents")
        }
        _ => last,
    }
}

#[test]
fn verbs_and_methods_are_found() {
    let code = "pub fn a(repo: &Repo, b: u8) -> X {}\npub fn c(path: &Path) {}\npub(crate) fn d(repo: &Repo) {}\n\
                pub fn e(\n    f: &mut Repo,\n) {}\n    pub fn g(repo: &Repo) {}\npub fn h(i: &dyn Monitor) {}\n";
    assert_eq!(verbs(code), ["a", "e", "h"]);
    let code = "use x;\nimpl Repo {\n    pub fn a(&self) {}\n    pub(crate) fn b(&self) {}\n}\nimpl Other {\n    pub fn c() {}\n}\n";
    assert_eq!(methods_of_repo(code), ["a"]);
}

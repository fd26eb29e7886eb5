//! Sentences against the sources: the command line says none that has no name, none of the library's is missing here, and
//! all that are here are still said.

use std::path::Path;

use super::super::language::in_french;
use super::super::library::translated;

/// Where there are texts that no user sees as they are: the names of errors, for which `hints` has the sentences, what
/// is wrong with single bytes, and what tests are made of.
const NOT_SAID: [&str; 5] = ["format", "error.rs", "report.rs", "destination/conformance.rs", "destination/memory.rs"];

/// What stands before texts that are for the compiler, for developers and for other programs.
const NOT_SENTENCES: [&str; 15] = [
    "expect(",
    "reason = ",
    "path = ",
    "with = ",
    "unreachable!(",
    "derive_key(",
    "bad(",
    "custom(",
    "custom(format_args!(",
    "write_str(",
    "System(",
    "Broken(",
    "Broken(format!(",
    "FormatError::Limit(",
    "object: ",
];

/// Texts that are put together with others to a sentence, which is known here as a whole.
const PARTS: [&str; 15] = [
    ": another one stands in its place",
    ": its space was given back",
    "the {} not open the repository in {place}",
    "key of config.yaml does",
    "recovery words do",
    "key file does",
    "decision about snapshots",
    "decisions about snapshots",
    "version {} ({count} known), saved {}, {holder} {}",
    " at or before {}",
    " in any snapshot",
    "run `cryptbackup check --read-data --heal`",
    "dest.id or cryptbackup.repo",
    "{} that {} here {} not in its listing ({}): run `cryptbackup sync`, which copies from another destination, or \
     `cryptbackup forget {}` if that was meant",
    "{}, where backups or settings are kept, is inside {}",
];

/// Sentences that are put together from such parts, or come from the system, by how they begin.
const PUT_TOGETHER: [&str; 13] = [
    "the key of config.yaml does",
    "the passphrase does",
    "the recovery words do",
    "the key file does",
    "version { $number } ({ $n } known)",
    "a snapshot that was here",
    "{ $path } in any history",
    "What was damaged",
    "{ $n } could not be healed",
    "{ $n } damaged pack",
    "{ $n } decision",
    "{ $n } snapshot",
    "forgotten snapshot `{ $name }`: ",
];

/// A text of a source file.
struct Literal {
    text: String,
    /// What stands before it in its file.
    before: String,
    place: String,
}

/// The texts of the command line, or of all else.
fn literals(of_command_line: bool) -> Vec<Literal> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (Vec::new(), vec![sources.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("listed").path();
            let place = path.strip_prefix(&sources).expect("below").display().to_string();
            if place == "cli/messages" || place.contains("tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if place.ends_with(".rs") && place.starts_with("cli/") == of_command_line {
                read(&std::fs::read_to_string(&path).expect("text"), &place, &mut found);
            }
        }
    }
    assert!(found.len() > 200, "the sources were not found");
    found
}

/// Adds the texts of a file; its tests stand at its end.
fn read(code: &str, place: &str, found: &mut Vec<Literal>) {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let is_tests = |pair: &[&str]| pair[0].starts_with("#[cfg(") && pair[0].contains("test") && pair[1].ends_with(" {");
    let end = lines.windows(2).position(|pair| is_tests(pair) && pair[1].contains("mod ")).unwrap_or(lines.len());
    let lines = code.lines().take(end);
    let code: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("//")).collect();
    let code: Vec<char> = code.join("\n").chars().collect();
    let mut at = 0;
    while at < code.len() {
        let (start, previous) = (at, at.checked_sub(1).map_or(' ', |before| code[before]));
        at += 1;
        if code[start] != '"' || previous == '\'' {
            continue;
        }
        let is_raw = previous == 'r' || previous == '#';
        let mut text = String::new();
        while code[at] != '"' {
            if code[at] != '\\' || is_raw {
                text.push(code[at]);
            } else {
                at += 1;
                if code[at] == '\n' {
                    // The text goes on after the indentation of the next line.
                    while code[at + 1] == ' ' {
                        at += 1;
                    }
                } else {
                    text.push(code[at]);
                }
            }
            at += 1;
        }
        at += 1;
        let before: String = code[start.saturating_sub(60)..start].iter().collect();
        found.push(Literal { text, before: before.trim_end().to_owned(), place: place.to_owned() });
    }
}

/// The text with something in each place where the program puts something in.
fn sample(text: &str) -> String {
    let (mut sample, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or_default();
        // What has a name is the same wherever that stands.
        let number = rest.len();
        sample.push_str(&if name.is_empty() { format!("{before}x{number}") } else { format!("{before}x-{name}") });
        rest = after;
    }
    sample + rest
}

fn words(text: &str) -> usize {
    let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.count()
}

/// The text without the places where the program puts something in.
fn without_gaps(text: &str) -> String {
    text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect()
}

fn is_sentence(literal: &Literal) -> bool {
    let fixed = without_gaps(&literal.text);
    !NOT_SAID.iter().any(|place| literal.place.starts_with(place))
        && words(&fixed) > 2
        && fixed.matches(' ').count() > 1
        && !NOT_SENTENCES.iter().any(|mark| literal.before.ends_with(mark.trim_end()))
        && !PARTS.iter().any(|part| literal.text.starts_with(part))
        && !literal.text.contains("{CHECK}")
        && !literal.before.contains("FormatError::Record(")
}

#[test]
fn every_sentence_of_the_library_is_there_in_french() {
    let mut offences = Vec::new();
    for literal in literals(false).iter().filter(|literal| is_sentence(literal)) {
        let sample = sample(&literal.text);
        // A reason may be put behind it.
        let with_reason = format!("{sample}: because");
        let is_known = in_french(|| translated(&sample) != sample || translated(&with_reason) != with_reason);
        if !is_known {
            offences.push(format!("src/{}: en-library.ftl and fr-library.ftl lack: {}", literal.place, literal.text));
        }
    }
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn the_command_line_says_nothing_that_has_no_name() {
    let mut offences = Vec::new();
    for Literal { text, before, place } in literals(true) {
        // What is typed is the same in every language.
        let is_typed = text.starts_with("EXAMPLES:") || text.trim_start().starts_with("cryptbackup ");
        let is_typed = is_typed || text.trim_start().starts_with("cp ");
        if words(&without_gaps(&text)) > 2 && text.contains(' ') && !is_typed && !before.ends_with("reason =") {
            offences.push(format!("src/{place}: this has no name in en.ftl and fr.ftl: {text}"));
        }
    }
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn every_sentence_that_is_there_is_still_said() {
    let said: String = literals(false).into_iter().map(|literal| literal.text + "\n").collect();
    let mut offences = Vec::new();
    for line in include_str!("../en-library.ftl").lines().filter(|line| line.starts_with("said-")) {
        let (id, sentence) = line.split_once(" = ").expect("a sentence");
        if sentence.contains("(os error ") || PUT_TOGETHER.iter().any(|begin| sentence.starts_with(begin)) {
            continue;
        }
        let parts = sentence.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        // A reason is put behind some of them.
        let mut parts = parts.map(|part| part.strip_suffix(": ").unwrap_or(part));
        let missing = parts.find(|part| words(part) > 0 && !said.contains(*part));
        offences.extend(missing.map(|part| format!("{id}: nobody says {part:?}")));
    }
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

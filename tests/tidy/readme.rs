//! What README.md says against what is there.

use crate::assert_none;
use crate::code::{project, text};

/// The pages for users and the sentences in their languages.
const READMES: [(&str, &str); 2] =
    [("README.md", "src/cli/messages/en.ftl"), ("README.fr.md", "src/cli/messages/fr.ftl")];

#[test]
fn the_first_commands_stand_in_the_readme() {
    for (page, _) in READMES {
        let readme = text(page);
        let lines: Vec<&str> = readme.lines().collect();
        for command in ["cargo run --release -- quickstart SOURCE DESTINATION", "cargo test"] {
            assert!(lines.contains(&command), "{page}: `{command}` has no line of its own");
        }
    }
}

#[test]
fn every_language_shows_the_same_commands() {
    let [first, others @ ..] = READMES.map(|(page, _)| commands(&text(page)));
    assert!(first.len() > 30, "README.md shows few commands");
    for other in others {
        assert_eq!(first, other);
    }
}

/// The lines of the code blocks of a page, without what is said about them.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().collect::<Vec<_>>());
    let commands = lines.map(|line| line.split(" # ").next().unwrap_or_default().trim_end().to_owned());
    commands.collect()
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let exit = text("src/cli/exit.rs");
    let codes = exit.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = ")?.1.parse::<u8>().ok());
    let codes: Vec<String> = codes.map(|code| code.to_string()).collect();
    assert!(codes.len() > 10, "the codes were not found in src/cli/exit.rs");
    for (readme, sentences) in READMES {
        let meaning = |code: &String| {
            let sentences = text(sentences);
            let line = sentences.lines().find_map(|line| line.strip_prefix(&format!("exit-{code} = ")));
            line.unwrap_or_else(|| panic!("no words for {code}")).to_owned()
        };
        let program: Vec<(String, String)> = codes.iter().map(|code| (code.clone(), meaning(code))).collect();
        let table: Vec<(String, String)> = text(readme)
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
            .filter(|(code, _)| code.parse::<u8>().is_ok())
            .map(|(code, meaning)| (code.to_owned(), meaning.to_owned()))
            .collect();
        assert_eq!(table, program, "{readme}");
    }
}

#[test]
fn links_lead_somewhere() {
    let mut offences = Vec::new();
    for page in ["README.md", "README.fr.md", "CHANGELOG.md", "docs/format.md", ".github/CONTRIBUTING.md"] {
        let folder = project(page).parent().map(ToOwned::to_owned).unwrap_or_default();
        for link in text(page).split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let file = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !file.is_empty() && !folder.join(file).exists() {
                offences.push(format!("{page}: {link} leads nowhere"));
            }
        }
    }
    assert_none(offences);
}

#[test]
fn the_rust_version_is_the_one_of_the_manifest() {
    let manifest = text("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
    let version = version.expect("Cargo.toml names a version of Rust");
    for (page, words) in [("README.md", "or newer"), ("README.fr.md", "ou plus récente")] {
        let is_named = text(page).contains(&format!("({version} {words}"));
        assert!(is_named, "{page} names another version than {version}");
    }
}

//! What README.md says against what is there.

use crate::assert_none;
use crate::code::{project, text};

/// The pages for users and the sentences in their languages.
const READMES: [(&str, &str); 1] = [("README.md", "src/cli/messages/en.ftl")];

#[test]
fn the_first_commands_stand_in_the_readme() {
    let readme = text("README.md");
    let lines: Vec<&str> = readme.lines().collect();
    for command in ["cargo run --release -- quickstart SOURCE DESTINATION", "cargo test"] {
        assert!(lines.contains(&command), "`{command}` has no line of its own");
    }
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
    for page in ["README.md", "CHANGELOG.md", "docs/format.md", ".github/CONTRIBUTING.md"] {
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
    assert!(
        text("README.md").contains(&format!("({version} or newer")),
        "README.md names another version than {version}"
    );
}

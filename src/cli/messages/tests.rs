//! Both languages say the same things, the code asks for what is there, and nothing is left over.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};
use fluent_syntax::parser;

use super::*;
use crate::cli::args::Cli;

const ENGLISH: &str = include_str!("en.ftl");
const FRENCH: &str = include_str!("fr.ftl");
const FRENCH_HELP: &str = include_str!("fr-help.ftl");
const ENGLISH_LIBRARY: &str = include_str!("en-library.ftl");
const FRENCH_LIBRARY: &str = include_str!("fr-library.ftl");

/// How the code asks for a sentence. In two parts, since this file is read too.
const CALL: &str = concat!("text!", "(");

type Variables = BTreeSet<String>;

/// The sentences of a file and the variables of each.
fn sentences(file: &str) -> BTreeMap<String, Variables> {
    let resource = parser::parse(file).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let mut found = BTreeMap::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let mut variables = Variables::new();
        let pattern = message.value.as_ref().unwrap_or_else(|| panic!("{} says nothing", message.id.name));
        collect(&pattern.elements, &mut variables);
        assert!(found.insert(message.id.name.to_owned(), variables).is_none(), "{} is there twice", message.id.name);
    }
    found
}

fn collect(elements: &[PatternElement<&str>], variables: &mut Variables) {
    for element in elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                variants.iter().for_each(|variant| collect(&variant.value.elements, variables));
                selector
            }
        };
        match inline {
            InlineExpression::VariableReference { id } => _ = variables.insert(id.name.to_owned()),
            InlineExpression::StringLiteral { .. } => {}
            other => panic!("only variables and literals are used: {other:?}"),
        }
    }
}

#[test]
fn both_languages_have_the_same_sentences_with_the_same_variables() {
    let mut offences = Vec::new();
    for (file, english, french) in [("", ENGLISH, FRENCH), ("-library", ENGLISH_LIBRARY, FRENCH_LIBRARY)] {
        let (english, french) = (sentences(english), sentences(french));
        for (id, variables) in &english {
            match french.get(id) {
                None => offences.push(format!("fr{file}.ftl lacks {id}")),
                Some(other) if other != variables => offences.push(format!("{id}: {variables:?} and {other:?}")),
                Some(_) => {}
            }
        }
        let missing = french.keys().filter(|id| !english.contains_key(*id));
        offences.extend(missing.map(|id| format!("en{file}.ftl lacks {id}")));
    }
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

/// What the code asks for: the name of each sentence, the variables it gives, and where.
fn asked_for(folder: &Path, found: &mut Vec<(String, Variables, String)>) {
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            asked_for(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let code = std::fs::read_to_string(&path).expect("text");
            for (at, _) in code.match_indices(CALL) {
                let rest = code[at + CALL.len()..].trim_start();
                // What has no name is the macro itself, or a comment on it.
                let Some((id, rest)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) else { continue };
                if is_comment(&code, at) {
                    continue;
                }
                found.push((id.to_owned(), variables_given(rest), path.display().to_string()));
            }
        }
    }
}

fn is_comment(code: &str, at: usize) -> bool {
    code[..at].rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with("//"))
}

/// The names before each ` = ` of a call, up to its closing parenthesis; `rest` begins after the name of the sentence.
fn variables_given(rest: &str) -> Variables {
    let (mut depth, mut in_text, mut previous, mut part) = (0, false, ' ', String::new());
    let mut parts = Vec::new();
    for c in rest.chars() {
        match c {
            '"' if previous != '\\' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ if depth == 0 => part.push(c),
            _ => {}
        }
        previous = c;
    }
    parts.push(part);
    let names = parts.iter().filter_map(|part| part.split_once(" = ")).map(|(name, _)| name.trim().to_owned());
    names.collect()
}

#[test]
fn the_code_asks_for_what_is_there_and_nothing_is_left_over() {
    let english = sentences(ENGLISH);
    let mut asked = Vec::new();
    asked_for(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli"), &mut asked);
    let mut offences = Vec::new();
    for (id, given, place) in &asked {
        match english.get(id) {
            None => offences.push(format!("{place}: {id} is in no file")),
            Some(wanted) if wanted != given => offences.push(format!("{place}: {id} has {wanted:?}, not {given:?}")),
            Some(_) => {}
        }
    }
    let used: BTreeSet<&String> = asked.iter().map(|(id, ..)| id).collect();
    offences.extend(english.keys().filter(|id| !used.contains(id)).map(|id| format!("nobody says {id}")));
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn numbers_are_grouped_and_decide_about_plurals() {
    let said = |n: u64| text!("count-files", n = n);
    assert_eq!([said(0), said(1), said(1_234_567)], ["0 files", "1 file", "1,234,567 files"]);
    let french = language::in_french(|| [said(0), said(1), said(1_234_567)]);
    assert_eq!(french, ["0 fichier", "1 fichier", "1\u{202f}234\u{202f}567 fichiers"]);
}

#[test]
fn what_goes_in_stays_as_it_is() {
    let sentence = "{ $n } \u{5d0} -term = \n  .x";
    assert_eq!(text!("line-warning", sentence = sentence), format!("warning: {sentence}"));
    assert_eq!(super::sentence("there-is-none", &Arguments::new()), "there-is-none");
}

/// Every command of the French command line beside the one that was written, and the names of their sentences.
fn each_command(each: &mut dyn FnMut(&Command, &Command, &str)) {
    fn visit(english: &Command, french: &Command, own: &str, each: &mut dyn FnMut(&Command, &Command, &str)) {
        each(english, french, own);
        for inner in english.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = inner.get_name();
            let other = french.find_subcommand(name).expect("the same commands");
            visit(inner, other, &format!("{own}-{name}"), each);
        }
    }
    let mut english = Cli::command();
    english.build();
    let french = language::in_french(help::command);
    visit(&english, &french, "help", each);
}

fn shown(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

#[test]
fn every_command_and_argument_is_explained_in_french() {
    let help = sentences(FRENCH_HELP);
    let mut offences = Vec::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    each_command(&mut |english, _, own| {
        let mut want = |id: String, is_wanted: bool| {
            if is_wanted && !help.contains_key(&id) {
                offences.push(format!("fr-help.ftl lacks {id}"));
            }
            if is_wanted {
                used.insert(id);
            }
        };
        want(own.to_owned(), true);
        want(format!("{own}-more"), english.get_long_about().is_some());
        for number in 1..=shown(english.get_after_help()).matches("  # ").count() {
            want(help::name_of_remark(own, number), true);
        }
        for argument in english.get_arguments() {
            let id = help::name_of(argument.get_id().as_str());
            let own = format!("{own}-{id}");
            want(if help.contains_key(&own) { own } else { format!("help-any-{id}") }, true);
            let heading = argument.get_help_heading().map_or("options".to_owned(), help::name_of).to_lowercase();
            want(format!("help-heading-{heading}"), true);
            for name in value_names(argument) {
                want(format!("help-value-{}", help::name_of(&name)), true);
            }
        }
    });
    for id in [
        "help-usage",
        "help-help",
        "help-default",
        "help-possible",
        "help-any-help-short",
        "help-any-help-long",
        "help-heading-arguments",
        "help-heading-commands",
        "help-heading-examples",
        "help-value-COMMAND",
    ] {
        used.insert(id.to_owned());
    }
    let of_mistakes = |id: &str| id.starts_with("help-wrong");
    offences.extend(
        help.keys().filter(|id| !used.contains(*id) && !of_mistakes(id)).map(|id| format!("nobody asks for {id}")),
    );
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

fn value_names(argument: &Arg) -> Vec<String> {
    if !argument.get_action().takes_values() {
        return Vec::new();
    }
    let names = argument.get_value_names().map(|names| names.iter().map(ToString::to_string).collect());
    names.unwrap_or_else(|| vec![argument.get_id().as_str().to_uppercase()])
}

#[test]
fn the_french_command_line_is_the_same_one_in_other_words() {
    language::in_french(help::command).debug_assert();
    each_command(&mut |english, french, own| {
        assert_ne!(shown(english.get_about()), shown(french.get_about()), "{own}");
        assert_eq!(english.get_long_about().is_some(), french.get_long_about().is_some(), "{own}");
        assert!(!shown(french.get_after_help()).contains("EXAMPLES:"), "{own}");
        let arguments = |command: &Command| -> Vec<_> {
            command.get_arguments().map(|argument| argument.get_id().to_string()).collect()
        };
        assert_eq!(arguments(english), arguments(french), "{own}");
        for (one, other) in english.get_arguments().zip(french.get_arguments()) {
            assert_ne!(shown(one.get_help()), shown(other.get_help()), "{own}: {}", one.get_id());
            assert_eq!(one.get_long_help().is_some(), other.get_long_help().is_some(), "{own}: {}", one.get_id());
        }
    });
}

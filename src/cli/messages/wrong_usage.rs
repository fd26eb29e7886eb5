//! What is said of arguments that are not understood. In English that is what clap says; in another language the kinds
//! of mistakes people make have sentences of their own, and of the others only the frame is translated.

use std::error::Error as _;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Arguments, language, sentence_in};

/// The whole answer, without the word that says it is an error; `None` where it is what clap says: in English, and where
/// it is the help.
pub fn answer(error: &Error) -> Option<String> {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return None;
    }
    let usage = error.get(ContextKind::Usage).map(shown).unwrap_or_default();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    let told = error.render().to_string();
    let told = told.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let sentence = sentence(error).unwrap_or(told);
    said(if usage.is_empty() { "help-wrong" } else { "help-wrong-usage" }, &[("sentence", sentence), ("usage", usage)])
}

fn sentence(error: &Error) -> Option<String> {
    let of = |kind| error.get(kind).map(shown);
    let argument = of(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => said("help-wrong-argument", &[("argument", argument)]),
        ErrorKind::InvalidSubcommand => said("help-wrong-command", &[("command", of(ContextKind::InvalidSubcommand)?)]),
        ErrorKind::MissingRequiredArgument => said("help-wrong-missing", &[("argument", argument)]),
        ErrorKind::MissingSubcommand => said("help-wrong-no-command", &[]),
        ErrorKind::ArgumentConflict => {
            said("help-wrong-conflict", &[("argument", argument), ("other", of(ContextKind::PriorArg)?)])
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = of(ContextKind::InvalidValue).unwrap_or_default();
            let given = [("value", value), ("argument", argument)];
            match (error.source(), of(ContextKind::ValidValue)) {
                (Some(why), _) => {
                    let [value, argument] = given;
                    said("help-wrong-value-why", &[value, argument, ("why", why.to_string())])
                }
                (None, Some(valid)) => {
                    let [value, argument] = given;
                    said("help-wrong-value-valid", &[value, argument, ("valid", valid)])
                }
                (None, None) => said("help-wrong-value", &given),
            }
        }
        _ => None,
    }
}

fn said(id: &str, given: &[(&str, String)]) -> Option<String> {
    let mut arguments = Arguments::new();
    for (name, value) in given {
        arguments.set(*name, value.as_str());
    }
    sentence_in(language::spoken(), id, &arguments)
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(list) => list.join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{help, language::in_french};
    use super::*;

    #[test]
    fn mistakes_have_french_sentences() {
        for (typed, expected) in [
            ("backup --nonsense", "Argument inattendu : `--nonsense`"),
            ("nonsense", "Commande inconnue : `nonsense`"),
            ("list", "Il manque : <FICHIER>"),
            ("--json", "Il manque une commande"),
            ("status -q -v", "`--quiet` ne va pas avec `--verbose"),
            (
                "restore --file a --overwrite perhaps",
                "Valeur invalide `perhaps` pour `--overwrite <QUAND>` ; possibles : ",
            ),
            (
                "restore --file a --date hier",
                "Valeur invalide `hier` pour `--date <DATE>` : Format de date invalide : ",
            ),
        ] {
            let words = || std::iter::once("cryptbackup").chain(typed.split(' ')).map(Into::into).collect::<Vec<_>>();
            let answer = in_french(|| help::parse(&words()).err().and_then(|error| answer(&error))).expect(typed);
            assert!(answer.starts_with(expected), "{typed}: {answer}");
            assert!(answer.ends_with("Pour en savoir plus, essayez `--help`."), "{typed}: {answer}");
            assert!(help::parse(&words()).is_err_and(|error| super::answer(&error).is_none()), "{typed}: in English");
        }
        let words = ["cryptbackup", "config"].map(Into::into);
        let error = in_french(|| help::parse(&words)).expect_err("an action is missing");
        assert_eq!(in_french(|| answer(&error)), None, "that is the help");
    }
}

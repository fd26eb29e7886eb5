//! What the program says, in the language of its user: sentences by name, from Fluent files.
//!
//! Every sentence stands whole in `en.ftl` and in `fr.ftl`, so that a language can order its words and bend its nouns as
//! it has to; the code names a sentence and what goes into it: `text!("folder-added", path = names::path(&path))`. Tests
//! see to it that both files have the same sentences with the same variables, that the code gives just these, and that
//! none is left over. Texts go in safe to show; numbers go in as numbers, so that plurals can follow them, unless they
//! are names (versions, processes).
//!
//! What stands in JSON beside a `message` or a `hint` has no language, and so have names, sizes and dates.
//!
//! | file | what |
//! |---|---|
//! | [`language`] | which language: `CRYPTBACKUP_LANG`, else the locale, else English |
//! | [`library`] | what the library says: English there, `en-library.ftl` and `fr-library.ftl` here |
//! | [`wrong_usage`] | what is said of arguments that are not understood |
//! | [`help`] | `--help`, which is English in the arguments themselves and French in `fr-help.ftl` |

pub mod help;
pub mod language;
pub mod library;
pub mod wrong_usage;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;
pub use fluent_bundle::{FluentArgs as Arguments, FluentValue as Value};

use super::units;
use language::Language;

type Bundle = FluentBundle<FluentResource>;

/// A sentence in the language of this run: its name, and what goes into it.
macro_rules! text {
    ($id:literal) => { $crate::cli::messages::sentence($id, &$crate::cli::messages::Arguments::new()) };
    ($id:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        let mut arguments = $crate::cli::messages::Arguments::new();
        $(arguments.set(stringify!($name), $crate::cli::messages::Value::from($value));)+
        $crate::cli::messages::sentence($id, &arguments)
    }};
}
pub(crate) use text;

/// The sentence of that name in the language of this run. One that is missing there is said in English, and one that is
/// missing there too is its name: a program must not stop for a word. Tests know of both.
pub fn sentence(id: &str, arguments: &Arguments) -> String {
    let spoken = sentence_in(language::spoken(), id, arguments);
    spoken.or_else(|| sentence_in(Language::English, id, arguments)).unwrap_or_else(|| id.to_owned())
}

fn sentence_in(language: Language, id: &str, arguments: &Arguments) -> Option<String> {
    let bundle = bundle(language);
    let message = bundle.get_message(id)?;
    // What goes wrong here leaves the name of the variable in the sentence.
    Some(bundle.format_pattern(message.value()?, Some(arguments), &mut Vec::new()).into_owned())
}

/// The sentences of a language, read when the first of them is needed.
fn bundle(language: Language) -> &'static Bundle {
    static ENGLISH: OnceLock<Bundle> = OnceLock::new();
    static FRENCH: OnceLock<Bundle> = OnceLock::new();
    match language {
        Language::English => ENGLISH.get_or_init(|| read(language, &[include_str!("en.ftl")])),
        Language::French => FRENCH.get_or_init(|| {
            let help = include_str!("fr-help.ftl");
            read(language, &[include_str!("fr.ftl"), help, include_str!("fr-library.ftl")])
        }),
    }
}

fn read(language: Language, files: &[&str]) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language.tag().parse().unwrap_or_default()]);
    // Marks around what goes in would be seen in terminals and get into what is copied from them.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, _| match value {
        Value::Number(number) => Some(units::count(number.value as u64)),
        _ => None,
    }));
    for file in files {
        // The files are part of the program and a test reads them; of one with an error the rest is used.
        let resource = FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

//! What the library says, in the language of this run. The library speaks English, in its errors, notes and findings; here
//! its sentences are known by their words, and what was put into them goes into the French ones.
//!
//! A sentence nobody knows stays English. A test reads the library for sentences that are missing here, and another sees
//! to it that every sentence here is still said.

use std::sync::OnceLock;

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};

use super::{Arguments, language, sentence_in};
use language::Language;

/// Longer texts are no sentences, and looking for one in them would take long.
const LEN_MAX: usize = 2 << 10;

/// A sentence of the library: words, and gaps with names.
struct Template {
    id: String,
    parts: Vec<Part>,
}

impl Template {
    /// Whether a text has all its words somewhere: soon seen, and not so of most.
    fn may_fit(&self, text: &str) -> bool {
        self.parts.iter().all(|part| if let Part::Words(words) = part { text.contains(words.as_str()) } else { true })
    }
}

enum Part {
    Words(String),
    Gap(String),
}

/// A sentence of the library, or a part of one.
pub fn translated(sentence: &str) -> String {
    match language::spoken() {
        Language::English => sentence.to_owned(),
        _ if sentence.len() > LEN_MAX => sentence.to_owned(),
        other => translated_to(other, sentence),
    }
}

fn translated_to(language: Language, sentence: &str) -> String {
    for template in templates() {
        let mut gaps = Vec::new();
        if !template.may_fit(sentence) || !fits(&template.parts, sentence, &mut gaps) {
            continue;
        }
        let mut arguments = Arguments::new();
        for (name, text) in gaps {
            // Only what the library says itself is translated again: a file may be called like one of its words.
            let is_said = ["what", "why", "also"].contains(&name);
            arguments.set(name, if is_said { translated_to(language, text) } else { text.to_owned() });
        }
        return sentence_in(language, &template.id, &arguments).unwrap_or_else(|| sentence.to_owned());
    }
    sentence.to_owned()
}

/// Whether a text has these parts, and what is in the gaps. A gap that comes twice has the same twice.
fn fits<'a, 't>(parts: &'t [Part], text: &'a str, gaps: &mut Vec<(&'t str, &'a str)>) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::Words(words), rest @ ..] => text.strip_prefix(words.as_str()).is_some_and(|text| fits(rest, text, gaps)),
        [Part::Gap(name), rest @ ..] => {
            let known = gaps.iter().find(|(known, _)| known == name).map(|(_, text)| *text);
            // As little as possible first: names have few of the words that stand between them.
            let mut ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            ends.any(|end| {
                let (inside, after) = text.split_at(end);
                if known.is_some_and(|known| known != inside) {
                    return false;
                }
                // A gap before words can only end where they begin; looking on otherwise would take long.
                if let Some(Part::Words(words)) = rest.first()
                    && !after.starts_with(words.as_str())
                {
                    return false;
                }
                gaps.push((name, inside));
                let fits = fits(rest, after, gaps);
                if !fits {
                    gaps.pop();
                }
                fits
            })
        }
    }
}

/// Every sentence, those with more words first: they tell more of what is meant.
fn templates() -> &'static [Template] {
    static TEMPLATES: OnceLock<Vec<Template>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let file = include_str!("en-library.ftl").to_owned();
        let resource = FluentResource::try_new(file).unwrap_or_else(|(resource, _)| resource);
        let mut templates: Vec<Template> = resource.entries().filter_map(template).collect();
        let words = |template: &Template| -> usize {
            let length = |part: &Part| if let Part::Words(words) = part { words.len() } else { 0 };
            template.parts.iter().map(length).sum()
        };
        templates.sort_by_key(|template| std::cmp::Reverse(words(template)));
        templates
    })
}

fn template(entry: &Entry<&str>) -> Option<Template> {
    let Entry::Message(message) = entry else { return None };
    let part = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { value } => Some(Part::Words((*value).to_owned())),
        PatternElement::Placeable { expression: Expression::Inline(InlineExpression::VariableReference { id }) } => {
            Some(Part::Gap(id.name.to_owned()))
        }
        PatternElement::Placeable { .. } => None,
    };
    let parts = message.value.as_ref()?.elements.iter().map(part).collect::<Option<_>>()?;
    Some(Template { id: message.id.name.to_owned(), parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn french(sentence: &str) -> String {
        language::in_french(|| translated(sentence))
    }

    #[test]
    fn sentences_are_known_by_their_words() {
        assert_eq!(translated("it is gone"), "it is gone");
        for (said, expected) in [
            ("it is gone", "il a disparu"),
            (
                "version 3 (4 known), saved 2026-01-15 10:30:42, snapshot abababab",
                "version 3 (4 connues), date du backup 2026-01-15 10:30:42, instantané abababab",
            ),
            ("/a; b in any snapshot", "Aucun backup trouvé pour : /a; b"),
            ("/in any snapshot in any snapshot", "Aucun backup trouvé pour : /in any snapshot"),
            (
                "it cannot be read: Permission denied (os error 13)",
                "il ne peut pas être lu : Permission refusée (os error 13)",
            ),
            ("it is gone; it is whole; what nobody knows", "il a disparu ; il est intact ; what nobody knows"),
            (
                "it could not be given its owner (Operation not permitted (os error 1)), its time (x)",
                "n'a pas pu lui être donné : son propriétaire (Opération non permise (os error 1)), sa date (x)",
            ),
            ("what nobody knows", "what nobody knows"),
            ("", ""),
        ] {
            assert_eq!(french(said), expected);
        }
    }

    #[test]
    fn names_are_not_translated_and_gaps_hold_something() {
        assert_eq!(french("the source it is gone does not exist"), "Source introuvable : it is gone");
        assert_eq!(french(" in any snapshot"), " in any snapshot");
        let twice = "snapshot ab is damaged (it is gone), and what it needs cannot be told; `cryptbackup forget ab` gives it up";
        assert!(french(twice).starts_with("l'instantané ab est endommagé (il a disparu)"), "{}", french(twice));
        let differs = twice.replace("forget ab", "forget cd");
        assert!(!french(&differs).starts_with("l'instantané"), "{}", french(&differs));
    }

    #[test]
    fn a_long_text_takes_no_time() {
        for text in ["a: b; c, d".repeat(LEN_MAX / 10), "it is gone; ".repeat(100_000)] {
            let began = std::time::Instant::now();
            assert!(french(&text).len() >= text.len());
            assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
        }
    }
}

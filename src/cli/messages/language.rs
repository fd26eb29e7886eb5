//! Which language the program speaks. Chosen once, at the start: everything said afterwards is said in it.

use std::ffi::OsString;
use std::sync::OnceLock;

use super::text;
use crate::error::Error;

/// The variable that names the language.
const VARIABLE: &str = "CRYPTBACKUP_LANG";
/// The variables of the locale: the first that is set to something decides.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// A language the program speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Whatever else is asked for.
    #[default]
    English,
    /// The forerunner's.
    French,
}

impl Language {
    /// Its name for the plural rules, and for whoever types it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// What stands between groups of three digits; in French a narrow blank at which no line breaks.
    pub const fn group_separator(self) -> char {
        match self {
            Self::English => ',',
            Self::French => '\u{202f}',
        }
    }

    /// The language of a locale such as `fr_CA.UTF-8`.
    fn of_locale(locale: &str) -> Option<Self> {
        let language = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
        [Self::English, Self::French].into_iter().find(|known| known.tag() == language)
    }
}

/// The language that the variables ask for: an own one, else that of the locale. A locale of another language, such as
/// `C`, is no mistake.
///
/// # Errors
/// [`Error::Usage`] when the program's own variable names no language it speaks.
pub fn of_variables(get: impl Fn(&str) -> Option<OsString>) -> Result<Language, Error> {
    if let Some(value) = get(VARIABLE) {
        let language = value.to_str().and_then(Language::of_locale);
        return language.ok_or_else(|| Error::Usage(text!("environment-language", variable = VARIABLE)));
    }
    let locale = LOCALE.iter().filter_map(|name| get(name)).find(|value| !value.is_empty());
    Ok(locale.and_then(|value| value.to_str().and_then(Language::of_locale)).unwrap_or_default())
}

static SPOKEN: OnceLock<Language> = OnceLock::new();

/// From now on the program speaks this language. Said once.
pub fn speak(language: Language) {
    // Whoever came first decides: half of an answer in another language would be worse.
    let _ = SPOKEN.set(language);
}

/// The language of this run.
pub fn spoken() -> Language {
    #[cfg(test)]
    if let Some(language) = tests::SPOKEN_HERE.get() {
        return language;
    }
    SPOKEN.get().copied().unwrap_or_default()
}

#[cfg(test)]
pub use tests::in_french;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// The language of the test on this thread.
        pub static SPOKEN_HERE: Cell<Option<Language>> = const { Cell::new(None) };
    }

    /// What `make` gives where the language is French. Other tests go on in English meanwhile.
    pub fn in_french<T>(make: impl FnOnce() -> T) -> T {
        SPOKEN_HERE.set(Some(Language::French));
        let made = make();
        SPOKEN_HERE.set(None);
        made
    }

    fn chosen(set: &[(&str, &str)]) -> Result<Language, Error> {
        of_variables(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn the_own_variable_comes_before_the_locale() {
        for (set, expected) in [
            (&[][..], Language::English),
            (&[("LANG", "fr_FR.UTF-8")], Language::French),
            (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")], Language::English),
            (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "fr")], Language::French),
            (&[("LANG", "fr_BE@euro"), ("LC_ALL", "")], Language::French),
            (&[("LANG", "POSIX")], Language::English),
            (&[("LANG", "frr_DE.UTF-8")], Language::English),
            (&[("LANG", "de_DE.UTF-8")], Language::English),
            (&[("LANG", "en_US.UTF-8"), ("CRYPTBACKUP_LANG", "fr")], Language::French),
            (&[("LC_ALL", "fr_FR.UTF-8"), ("CRYPTBACKUP_LANG", "en_GB")], Language::English),
        ] {
            assert_eq!(chosen(set).expect("a language"), expected, "{set:?}");
        }
    }

    #[test]
    fn the_own_variable_must_name_a_language() {
        for bad in ["", "de", "C", "francais", "FR"] {
            let set = [("CRYPTBACKUP_LANG", bad), ("LANG", "fr")];
            let error = chosen(&set).expect_err(bad).to_string();
            assert_eq!(error, "CRYPTBACKUP_LANG is not a language this program speaks: en, fr", "{bad:?}");
        }
    }
}

//! What every command gets: where to write, and the way to an opened repository.

use std::cell::Cell;

use super::messages::text;
use super::output::Output;
use super::progress::Progress;
use super::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::settings::Settings;
use crate::repo::{Access, Home, Repo, Secret};

/// The surroundings of a command.
pub struct Context {
    /// Where to write.
    pub out: Output,
    /// The state folder.
    pub home: Home,
    /// Whether it was said which keys of the configuration mean nothing.
    has_warned: Cell<bool>,
}

impl Context {
    /// The surroundings of a command.
    pub fn new(out: Output, home: Home) -> Self {
        Self { out, home, has_warned: Cell::new(false) }
    }

    /// The configuration; warns, once, of keys in it that mean nothing.
    ///
    /// # Errors
    /// Those of [`Home::require`] and of [`Settings::load`].
    pub fn settings(&self) -> Result<Settings, Error> {
        self.home.require()?;
        let settings = self.home.settings()?;
        if self.has_warned.replace(true) {
            return Ok(settings);
        }
        for key in settings.unknown_keys() {
            let key = super::names::escape(key.as_bytes());
            self.out.note(&text!("line-warning", sentence = text!("key-unknown", key = key)));
        }
        Ok(settings)
    }

    /// Changes the configuration, unless `change` fails.
    ///
    /// # Errors
    /// Those of [`Home::require`] and of [`Settings::edit`].
    pub fn edit_settings<T>(&self, change: impl FnOnce(&mut Settings) -> Result<T, Error>) -> Result<T, Error> {
        self.home.require()?;
        self.home.edit_settings(change)
    }

    /// What opens the repository; `None` is the key in the configuration.
    ///
    /// # Errors
    /// Those of [`Self::settings`] and of reading the secret.
    pub fn secret(&self, args: &SecretArgs) -> Result<Option<Secret>, Error> {
        let settings = self.settings()?;
        if settings.encryption.key.is_some() { args.explicit() } else { args.without_inline_key().map(Some) }
    }

    /// Opens the repository for long work, which can be interrupted. The secret is asked for before the bar appears.
    ///
    /// # Errors
    /// Those of [`Self::secret`] and of [`Repo::open`].
    pub fn open_for_work(&self, access: Access, args: &SecretArgs) -> Result<(Repo, Progress<'_>), Error> {
        let secret = self.secret(args)?;
        self.open_with(access, secret)
    }

    /// Opens the repository for long work with a secret that is at hand; `None` is the key in the configuration.
    ///
    /// # Errors
    /// Those of [`Repo::open`].
    pub fn open_with(&self, access: Access, secret: Option<Secret>) -> Result<(Repo, Progress<'_>), Error> {
        let progress = Progress::new(&self.out)?;
        let repo = Repo::open(&self.home, access, secret, &progress)?;
        Ok((repo, progress))
    }

    /// Opens the repository for a listing; `access` is to read.
    ///
    /// # Errors
    /// Those of [`Self::secret`] and of [`Repo::open`].
    pub fn open_for_listing(&self, access: Access, args: &SecretArgs) -> Result<Repo, Error> {
        let secret = self.secret(args)?;
        let progress = Progress::of_listing(&self.out);
        Repo::open(&self.home, access, secret, &progress)
    }
}

//! Where a passphrase, recovery words or a key file come from: options, then the environment, then a prompt. Never an argument,
//! because every process can read those, and never a prompt without somebody to answer it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::messages::text;
use crate::error::Error;
use crate::repo::Secret;

/// No passphrase is longer; what is longer is not one.
const LEN_MAX: u64 = 64 << 10;
/// No key file is longer. Some files never end.
const KEY_FILE_LEN_MAX: u64 = 64 << 20;
const VARIABLE: &str = "CRYPTBACKUP_PASSPHRASE";
const VARIABLE_FILE: &str = "CRYPTBACKUP_PASSPHRASE_FILE";
const VARIABLE_COMMAND: &str = "CRYPTBACKUP_PASSPHRASE_COMMAND";
const VARIABLE_KEY_FILE: &str = "CRYPTBACKUP_KEY_FILE";

/// Options that say where the passphrase is.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(id = "passphrase_source", multiple = false)]
pub struct PassphraseArgs {
    /// Ask for a passphrase on the terminal
    #[arg(long, help_heading = "Key options")]
    pub passphrase: bool,
    /// Read the passphrase from a file
    #[arg(long, value_name = "FILE", help_heading = "Key options")]
    pub passphrase_file: Option<PathBuf>,
    /// Run a shell command that prints the passphrase
    #[arg(long, value_name = "COMMAND", help_heading = "Key options")]
    pub passphrase_command: Option<String>,
}

/// Options that say what opens the repository. Without any: the key in config.yaml, else the passphrase from the
/// environment, else a prompt.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SecretArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Read recovery words from a file, `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "Key options", conflicts_with = "passphrase_source")]
    recovery_key: Option<PathBuf>,
    /// Open with a key file
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Key options",
        conflicts_with_all = ["passphrase_source", "recovery_key"]
    )]
    key_file: Option<PathBuf>,
}

/// What a passphrase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Typed twice.
    New,
    /// Typed once.
    Existing,
}

/// Where a secret is to be had, as the environment says.
#[derive(Debug, PartialEq)]
enum SecretFrom {
    Passphrase(PassphraseFrom),
    KeyFile(PathBuf),
}

/// Where a passphrase is to be had.
#[derive(Debug, PartialEq)]
enum PassphraseFrom {
    Prompt,
    Text(Zeroizing<String>),
    File(PathBuf),
    Command(OsString),
}

impl SecretArgs {
    /// Only a passphrase, from where these say.
    pub fn of_passphrase(passphrase: PassphraseArgs) -> Self {
        Self { passphrase, recovery_key: None, key_file: None }
    }

    /// What these files say, of which at most one is given.
    pub fn of_files(
        passphrase_file: Option<PathBuf>,
        recovery_key: Option<PathBuf>,
        key_file: Option<PathBuf>,
    ) -> Self {
        Self { passphrase: PassphraseArgs { passphrase_file, ..PassphraseArgs::default() }, recovery_key, key_file }
    }

    /// What was asked for explicitly, by an option.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn explicit(&self) -> Result<Option<Secret>, Error> {
        if let Some(file) = &self.recovery_key {
            return Ok(Some(Secret::Words(recovery_words(file)?)));
        }
        if let Some(file) = &self.key_file {
            return Ok(Some(key_file(file)?));
        }
        match self.passphrase.source() {
            Some(from) => Ok(Some(Secret::Passphrase(from.read(Purpose::Existing)?))),
            None => Ok(None),
        }
    }

    /// What opens the repository when its configuration holds no key.
    ///
    /// # Errors
    /// [`Error::WrongKey`] when there is nothing and nobody to ask, and those of reading it.
    pub fn without_inline_key(&self) -> Result<Secret, Error> {
        self.given_or_asked()?.ok_or_else(|| {
            // What is in the error has the language of the run already.
            Error::WrongKey { what: text!("secret-none") }
        })
    }

    /// What opens a repository of which there is no configuration yet; `refusal` is said when there is nothing and
    /// nobody to ask.
    ///
    /// # Errors
    /// [`Error::Usage`], and those of reading it.
    pub fn or_refuse(&self, refusal: &str) -> Result<Secret, Error> {
        self.given_or_asked()?.ok_or_else(|| Error::Usage(refusal.to_owned()))
    }

    fn given_or_asked(&self) -> Result<Option<Secret>, Error> {
        if let Some(secret) = self.explicit()? {
            return Ok(Some(secret));
        }
        let from = match environment()? {
            Some(SecretFrom::KeyFile(file)) => return Ok(Some(key_file(&file)?)),
            Some(SecretFrom::Passphrase(from)) => from,
            None if can_prompt() => PassphraseFrom::Prompt,
            None => return Ok(None),
        };
        Ok(Some(Secret::Passphrase(from.read(Purpose::Existing)?)))
    }
}

impl PassphraseArgs {
    fn source(&self) -> Option<PassphraseFrom> {
        if self.passphrase {
            return Some(PassphraseFrom::Prompt);
        }
        let file = self.passphrase_file.clone().map(PassphraseFrom::File);
        file.or_else(|| self.passphrase_command.clone().map(|command| PassphraseFrom::Command(command.into())))
    }

    /// The passphrase of a new repository, if it is to have one.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn for_new_repository(&self) -> Result<Option<Zeroizing<String>>, Error> {
        let from = match self.source() {
            Some(from) => Some(from),
            // A key file opens what was made without one.
            None => match environment()? {
                Some(SecretFrom::Passphrase(from)) => Some(from),
                _ => None,
            },
        };
        from.map(|from| from.read(Purpose::New)).transpose()
    }

    /// The new passphrase that was asked for by an option.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn new_one(&self) -> Result<Option<Secret>, Error> {
        self.source().map(|from| from.read(Purpose::New).map(Secret::Passphrase)).transpose()
    }
}

/// What the environment says. Also called at the start of every command, since an invalid value is an error even where
/// it is not needed.
///
/// # Errors
/// [`Error::Usage`].
pub fn check_environment() -> Result<(), Error> {
    environment().map(drop)
}

fn environment() -> Result<Option<SecretFrom>, Error> {
    from_variables(|name| std::env::var_os(name))
}

fn from_variables(get: impl Fn(&str) -> Option<OsString>) -> Result<Option<SecretFrom>, Error> {
    let mut found = Vec::new();
    for name in [VARIABLE, VARIABLE_FILE, VARIABLE_COMMAND, VARIABLE_KEY_FILE] {
        let Some(value) = get(name) else { continue };
        if value.is_empty() {
            return Err(Error::Usage(text!("environment-empty", name = name)));
        }
        found.push((name, value));
    }
    let Some((name, value)) = found.pop() else { return Ok(None) };
    if let Some((other, _)) = found.pop() {
        return Err(Error::Usage(text!("environment-both", one = other, other = name)));
    }
    Ok(Some(SecretFrom::Passphrase(match name {
        VARIABLE_KEY_FILE => return Ok(Some(SecretFrom::KeyFile(PathBuf::from(value)))),
        VARIABLE => PassphraseFrom::Text(Zeroizing::new(
            value.into_string().map_err(|_| Error::Usage(text!("environment-not-utf8", name = VARIABLE)))?,
        )),
        VARIABLE_FILE => PassphraseFrom::File(PathBuf::from(value)),
        _ => PassphraseFrom::Command(value),
    })))
}

/// The secret of a key file.
///
/// # Errors
/// [`Error::Usage`] for an empty one, [`Error::Io`].
pub fn key_file(path: &Path) -> Result<Secret, Error> {
    let failed = |source| Error::Io { what: text!("verb-read"), path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?.take(KEY_FILE_LEN_MAX + 1);
    let secret = Secret::of_key_file(&mut file).map_err(failed)?;
    match file.limit() {
        0 => Err(failed(io::Error::new(io::ErrorKind::InvalidData, text!("secret-too-long")))),
        left if left == KEY_FILE_LEN_MAX + 1 => {
            Err(Error::Usage(text!("key-file-empty", file = path.display().to_string())))
        }
        _ => Ok(secret),
    }
}

impl PassphraseFrom {
    fn read(self, purpose: Purpose) -> Result<Zeroizing<String>, Error> {
        let passphrase = match self {
            Self::Prompt => prompt(purpose)?,
            Self::Text(text) => text,
            Self::File(path) => one_line(text_of_file(&path)?),
            Self::Command(command) => one_line(output_of(&command)?),
        };
        if passphrase.is_empty() {
            return Err(Error::Usage(text!("passphrase-empty")));
        }
        Ok(passphrase)
    }
}

/// Without the end of line that editors and `echo` leave; other blanks belong to the passphrase.
fn one_line(mut text: Zeroizing<String>) -> Zeroizing<String> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn can_prompt() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn prompt(purpose: Purpose) -> Result<Zeroizing<String>, Error> {
    if !can_prompt() {
        return Err(Error::Usage(text!("passphrase-no-terminal")));
    }
    let ask = |words: &str| {
        rpassword::prompt_password(words).map(Zeroizing::new).map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => Error::Interrupted,
            _ => Error::Io { what: text!("verb-read-passphrase"), path: text!("the-terminal").into(), source },
        })
    };
    if purpose == Purpose::Existing {
        return ask(&format!("{} ", text!("passphrase-ask")));
    }
    let first = ask(&format!("{} ", text!("passphrase-ask-new")))?;
    if *first != *ask(&format!("{} ", text!("passphrase-ask-again")))? {
        return Err(Error::Usage(text!("passphrases-differ")));
    }
    Ok(first)
}

fn text_of_file(path: &Path) -> Result<Zeroizing<String>, Error> {
    let failed = |source| Error::Io { what: text!("verb-read"), path: path.to_owned(), source };
    if path == Path::new("-") {
        return bounded(&mut io::stdin().lock()).map_err(failed);
    }
    bounded(&mut File::open(path).map_err(failed)?).map_err(failed)
}

fn output_of(command: &OsString) -> Result<Zeroizing<String>, Error> {
    let failed = |source| Error::Io { what: text!("verb-run"), path: PathBuf::from(command), source };
    let mut child = shell(command).stdin(Stdio::inherit()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let text = match child.stdout.take() {
        Some(mut stdout) => bounded(&mut stdout),
        None => Ok(Zeroizing::default()),
    };
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(failed(io::Error::other(text!("ended-with", status = status.to_string()))));
    }
    text.map_err(failed)
}

#[cfg(not(windows))]
fn shell(command: &OsString) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &OsString) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

/// Reads text into one allocation, so that no copy of a secret stays behind where a buffer grew.
fn bounded(reader: &mut dyn Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(LEN_MAX as usize + 1));
    reader.take(LEN_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, text!("secret-too-long")));
    }
    Ok(text)
}

/// Recovery words from a file: lines that begin with `#` are remarks.
fn recovery_words(path: &Path) -> Result<Zeroizing<String>, Error> {
    let text = text_of_file(path)?;
    let mut words = Zeroizing::new(String::with_capacity(text.len() + 1));
    for word in text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    if words.is_empty() {
        return Err(Error::Usage(text!("words-none", file = path.display().to_string())));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn variables(set: &[(&str, &str)]) -> Result<Option<SecretFrom>, Error> {
        from_variables(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn one_variable_or_none() {
        assert_eq!(variables(&[]).expect("nothing set"), None);
        let text = variables(&[(VARIABLE, "a b ")]).expect("one");
        let passphrase = |from| Some(SecretFrom::Passphrase(from));
        assert_eq!(text, passphrase(PassphraseFrom::Text(Zeroizing::new("a b ".to_owned()))));
        assert_eq!(variables(&[(VARIABLE_FILE, "/f")]).expect("one"), passphrase(PassphraseFrom::File("/f".into())));
        let command = variables(&[(VARIABLE_COMMAND, "x")]).expect("one");
        assert_eq!(command, passphrase(PassphraseFrom::Command("x".into())));
        assert_eq!(variables(&[(VARIABLE_KEY_FILE, "/k")]).expect("one"), Some(SecretFrom::KeyFile("/k".into())));
        let two = [(VARIABLE_FILE, "/f"), (VARIABLE_KEY_FILE, "/k")];
        for bad in [&[(VARIABLE, "")][..], &[(VARIABLE, "a"), (VARIABLE_FILE, "/f")], &[(VARIABLE_COMMAND, "")], &two] {
            assert!(matches!(variables(bad), Err(Error::Usage(_))), "{bad:?}");
        }
    }

    #[test]
    fn files_give_their_first_line_whole() {
        let folder = TempDir::new().expect("a folder");
        let read = |content: &[u8]| {
            let path = folder.path().join("passphrase");
            std::fs::write(&path, content).expect("writable");
            PassphraseFrom::File(path).read(Purpose::New).map(|text| text.to_string())
        };
        assert_eq!(read(b"word\n").expect("text"), "word");
        assert_eq!(read(b" two words \r\n").expect("text"), " two words ");
        assert_eq!(read("é".as_bytes()).expect("text"), "é");
        assert!(matches!(read(b"\n"), Err(Error::Usage(_))));
        assert!(matches!(read(b"\xff"), Err(Error::Io { .. })));
        assert!(matches!(read(&[b'a'; LEN_MAX as usize + 1]), Err(Error::Io { .. })));
        let missing = PassphraseFrom::File(folder.path().join("missing"));
        assert!(matches!(missing.read(Purpose::New), Err(Error::Io { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn commands_give_what_they_print_unless_they_fail() {
        let run = |command: &str| PassphraseFrom::Command(command.into()).read(Purpose::Existing);
        assert_eq!(*run("printf 'a b\\n'").expect("it prints"), "a b");
        for bad in ["echo word; exit 3", "true", "kill -9 $$"] {
            assert!(run(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_file_is_read_whole_unless_it_is_empty_or_never_ends() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, [7; 40]).expect("writable");
        let Secret::KeyFile(hash) = key_file(&path).expect("a key file") else { panic!("a key file") };
        assert_eq!(*hash, *blake3::hash(&[7; 40]).as_bytes());
        std::fs::write(&path, "").expect("writable");
        assert!(matches!(key_file(&path), Err(Error::Usage(_))));
        assert!(matches!(key_file(&folder.path().join("missing")), Err(Error::Io { .. })));
        assert!(matches!(key_file(folder.path()), Err(Error::Io { .. })));
        std::fs::File::create(&path).and_then(|file| file.set_len(KEY_FILE_LEN_MAX + 1)).expect("a sparse file");
        assert!(matches!(key_file(&path), Err(Error::Io { .. })));
    }

    #[test]
    fn recovery_words_are_put_on_one_line() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("words");
        std::fs::write(&path, "# made today\nzoo  abandon\n able\n\n").expect("writable");
        assert_eq!(*recovery_words(&path).expect("words"), "zoo abandon able");
        std::fs::write(&path, "# nothing\n").expect("writable");
        assert!(recovery_words(&path).is_err());
    }
}

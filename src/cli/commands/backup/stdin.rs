//! What is read besides folders: lists of files, standard input, what a command prints.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::backup::FileList;
use crate::cli::messages::text;
use crate::cli::{names, paths};
use crate::error::Error;

/// The paths in a list: `-` is standard input.
pub fn files_of(list: &Path) -> Result<FileList, Error> {
    let failed = |source| Error::Io { what: text!("verb-read"), path: list.to_owned(), source };
    let mut bytes = Vec::new();
    let read = match list.to_str() {
        Some("-") => io::stdin().lock().read_to_end(&mut bytes),
        _ => File::open(list).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map_err(failed)?;
    let files: FileList = FileList::split(&bytes).map(|path| paths::absolute(&path)).collect::<Result<_, _>>()?;
    if files.paths().next().is_none() {
        return Err(Error::Usage(text!("backup-list-empty", file = names::path(list))));
    }
    Ok(files)
}

/// Nobody types a backup.
pub fn refuse_terminal(command: &[OsString]) -> Result<(), Error> {
    match command.is_empty() && io::stdin().is_terminal() {
        true => Err(Error::Usage(text!("backup-stdin-terminal"))),
        false => Ok(()),
    }
}

/// What the command prints, or standard input where there is none.
pub fn stream(command: &[OsString]) -> Result<Box<dyn Read + Send>, Error> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Box::new(io::stdin())) };
    let started = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn();
    let mut child =
        started.map_err(|source| Error::Io { what: text!("verb-run"), path: PathBuf::from(program), source })?;
    let name = names::escape(program.as_encoded_bytes());
    let output = child.stdout.take();
    Ok(Box::new(Printed { name, child, output }))
}

/// What a command prints. Its end is only reached where the command succeeds.
struct Printed {
    name: String,
    child: Child,
    output: Option<ChildStdout>,
}

impl Read for Printed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.as_mut().map_or(Ok(0), |output| output.read(buffer))?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let ended = self.child.wait()?;
        match ended.success() {
            true => Ok(0),
            false => {
                Err(io::Error::other(text!("command-failed", command = self.name.clone(), how = ended.to_string())))
            }
        }
    }
}

//! `ls`: what is in a snapshot.

use std::ffi::OsString;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::library::translated;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, Listing, with_path};
use crate::cli::{names, paths, units};
use crate::error::Error;
use crate::repo::{Access, LsEntry};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup ls latest
  cryptbackup ls latest:/home/ada/Documents
  cryptbackup ls latest~2 --recursive --json
  cryptbackup ls history:/home/ada/Documents   # versions that no snapshot holds any more";

/// List a folder of a snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An id prefix, `latest`, `latest~N` or `history`, and a folder in it; without one its sources
    #[arg(value_name = "SNAPSHOT[:PATH]")]
    snapshot: OsString,
    /// Also what is in its folders
    #[arg(short = 'R', long)]
    recursive: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (snapshot, path) = paths::snapshot_and_path(&args.snapshot)?;
    let path = path.filter(|path| !path.as_os_str().is_empty()).map(|path| paths::absolute(&path)).transpose()?;
    let repo = context.open_for_listing(Access::Salvage, &args.secret)?;
    let snapshot = match snapshot.as_str() {
        HISTORY => None,
        name => Some(repo.resolve_snapshot(name)?.id),
    };
    let list = |each: &mut dyn FnMut(LsEntry)| match &snapshot {
        Some(id) => repo.list_folder(id, path.as_deref(), args.recursive, each),
        None => repo.list_history(path.as_deref(), args.recursive, each),
    };
    let out = &context.out;
    if out.wishes.json {
        let mut listing = Listing::new(out);
        let given = list(&mut |entry| listing.item(&document(&entry)));
        listing.end(given)?;
    } else if snapshot.is_some() {
        list(&mut |entry| out.data(&line(&entry)))?;
    } else {
        list(&mut |entry| out.data(&line_of_version(&entry)))?;
    }
    Ok(ExitStatus::Done)
}

/// What stands for a snapshot where the histories are meant.
const HISTORY: &str = "history";

/// A line with the number of the version; folders have none.
fn line_of_version(entry: &LsEntry) -> String {
    match entry.version {
        0 => line(entry),
        number => format!("{}  ({})", line(entry), text!("ls-version", number = number.to_string())),
    }
}

fn document(entry: &LsEntry) -> Value {
    let value = json!({
        "type": kind_name(entry.kind),
        "mode": entry.mode,
        "uid": entry.uid,
        "user": entry.user,
        "gid": entry.gid,
        "group": entry.group,
        "size": entry.size,
        "mtime": shapes::moment(entry.mtime),
        "version": entry.version,
        "flags": entry.flags,
    });
    let value = with_path(value, "path", &entry.path);
    match &entry.link_target {
        Some(target) => with_path(value, "link_target", target),
        None => value,
    }
}

fn kind_name(kind: char) -> &'static str {
    match kind {
        'd' => "folder",
        'l' => "symlink",
        'p' => "fifo",
        's' => "socket",
        'c' => "char-device",
        'b' => "block-device",
        _ => "file",
    }
}

/// As `ls -l` has it. Names are made safe, also for whoever looks at a pipe; scripts take JSON.
fn line(entry: &LsEntry) -> String {
    let owner = |name: &Option<String>, id: u32| match name {
        Some(name) => names::escape(name.as_bytes()),
        None => id.to_string(),
    };
    let mut line = format!(
        "{} {:<8} {:<8} {:>9} {}  {}",
        mode(entry.kind, entry.mode),
        owner(&entry.user, entry.uid),
        owner(&entry.group, entry.gid),
        units::bytes(entry.size),
        units::moment(entry.mtime),
        names::escape(&entry.path),
    );
    if let Some(target) = &entry.link_target {
        line.push_str(&format!(" -> {}", names::escape(target)));
    }
    if !entry.flags.is_empty() {
        let flags: Vec<String> = entry.flags.iter().map(|flag| translated(flag)).collect();
        line.push_str(&format!("  ({})", flags.join(", ")));
    }
    line
}

/// `-rwxr-x---`, with `s`, `S`, `t` and `T` where the set-id and sticky bits are set.
fn mode(kind: char, mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(if kind.is_ascii_alphabetic() && kind != 'f' { kind } else { '-' });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Time;

    fn entry() -> LsEntry {
        LsEntry {
            path: b"/a/caf\xe9\x1b".to_vec(),
            kind: 'l',
            mode: 0o777,
            uid: 1000,
            user: Some("ada".to_owned()),
            gid: 5,
            group: None,
            size: 1_500,
            mtime: Time { seconds: 1_768_473_042, nanos: 0 },
            link_target: Some(b"x".to_vec()),
            version: 2,
            flags: vec!["unread"],
        }
    }

    #[test]
    fn modes_read_as_everywhere() {
        assert_eq!(mode('-', 0o644), "-rw-r--r--");
        assert_eq!(mode('f', 0o4755), "-rwsr-xr-x");
        assert_eq!(mode('d', 0o1777), "drwxrwxrwt");
        assert_eq!(mode('-', 0o7000), "---S--S--T");
    }

    #[test]
    fn a_line_is_safe_to_look_at() {
        let line = line(&entry());
        assert!(line.starts_with("lrwxrwxrwx ada      5           1.5 kB "), "{line}");
        assert!(line.ends_with("  /a/caf\\xe9\\u{1b} -> x  (unread)"), "{line}");
    }

    #[test]
    fn the_document_keeps_the_bytes() {
        let value = document(&entry());
        assert_eq!((&value["type"], &value["path_b64"]), (&json!("symlink"), &json!("L2EvY2Fm6Rs=")));
        assert_eq!((&value["link_target"], &value["mtime"]), (&json!("x"), &json!("2026-01-15T10:30:42Z")));
    }
}

//! `connect`: on a new machine, from one destination to a working setup.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::hints::explain;
use crate::cli::messages::text;
use crate::cli::output::Style;
use crate::cli::progress::Progress;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{names, paths, words};
use crate::error::Error;
use crate::repo::settings::Settings;
use crate::repo::{self, ConnectReport};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup connect /media/usb/backup --config /media/key/config.yaml
  cryptbackup connect /media/usb/backup --recovery-key words.txt
  cryptbackup connect /mnt/nas/backup --passphrase
  cryptbackup connect /mnt/nas/backup --key-file /media/stick/photo.jpg";

/// Set up this machine from a destination that holds backups
///
/// The key comes from a copy of config.yaml, a passphrase, recovery words, or a key file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder of the destination
    dir: PathBuf,
    /// A copy of config.yaml: its key and its settings are used
    #[arg(long, value_name = "FILE", help_heading = "Key options")]
    config: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    if context.home.exists() {
        let home = context.home.path().to_owned();
        return Err(Error::AlreadyInitialised { home, lacks_settings: false });
    }
    let dir = paths::absolute(&args.dir)?;
    repo::require_destination(&dir)?;
    let in_place = context.home.settings_path();
    let copied = match &args.config {
        Some(file) => Some(copy(context, file)?),
        // A copy put back where it belongs.
        None if in_place.exists() => Some(Settings::load(&in_place, true)?),
        None => None,
    };
    let holds_key = copied.as_ref().is_some_and(|settings| settings.encryption.key.is_some());
    let secret = match (holds_key, &copied) {
        (true, _) => args.secret.explicit()?,
        (false, Some(_)) => Some(args.secret.without_inline_key()?),
        (false, None) => Some(args.secret.or_refuse(&text!("connect-no-key"))?),
    };
    let progress = Progress::new(&context.out)?;
    let report = repo::connect(&context.home, &dir, secret, copied, &progress)?;
    progress.done();
    print(context, &report);
    Ok(ExitStatus::Done)
}

/// Reads a copy of a configuration. A stick may have no modes, so that others can read it is only said.
fn copy(context: &Context, file: &Path) -> Result<Settings, Error> {
    match Settings::load(file, true) {
        Err(Error::OpenToOthers { path }) => {
            context.out.warn(&text!("error-open-to-others", path = names::path(&path)));
            Settings::load(file, false)
        }
        other => other,
    }
}

fn print(context: &Context, report: &ConnectReport) {
    let out = &context.out;
    if let Some(error) = &report.key_not_put {
        let why = explain(&Error::from(error.clone())).sentence;
        out.warn(&text!("connect-key-not-put", name = report.destination_name.as_str(), why = why));
    }
    if out.wishes.json {
        let source = |path: &PathBuf| with_path(json!({}), "path", path_bytes(path));
        let sources: Value = report.sources.iter().map(source).collect();
        let name = &report.destination_name;
        let (snapshots, defaults) = (report.snapshots, report.has_defaults);
        let value = json!({ "destination": name, "snapshots": snapshots, "sources": sources, "defaults": defaults });
        out.message("summary", value);
        return;
    }
    out.say(&text!("connected", name = report.destination_name.as_str(), n = report.snapshots));
    for source in &report.sources {
        out.say(&format!("  {}", names::path(source)));
    }
    if report.has_defaults {
        out.say(&out.paint(Style::Attention, &text!("connect-defaults")));
    }
    out.say(&text!("next-steps"));
    let dir = text!("value-dir");
    words::steps(
        out,
        58,
        &[
            ("cryptbackup restore --list".to_owned(), text!("next-list")),
            (format!("cryptbackup restore --snapshot latest --destination {dir}"), text!("next-everything")),
            ("cryptbackup backup".to_owned(), text!("next-go-on")),
        ],
    );
}

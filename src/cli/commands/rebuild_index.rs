//! `rebuild-index`: the local index anew, from what the destinations hold.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::names;
use crate::cli::progress::Progress;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::with_optional_path;
use crate::error::Error;
use crate::repo;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup rebuild-index";

/// Make the local index anew from the destinations; the old one is moved aside
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let secret = context.secret(&args.secret)?;
    let progress = Progress::new(&context.out)?;
    let report = repo::rebuild_index(&context.home, secret, &progress)?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        let value = json!({
            "destinations": report.destinations,
            "packs": report.packs,
            "chunks": report.chunks,
            "snapshots": report.snapshots,
        });
        out.message("summary", with_optional_path(value, "moved_aside", report.moved_aside.as_deref()));
        return Ok(ExitStatus::Done);
    }
    out.say(&text!(
        "index-rebuilt",
        names = names::escape(report.destinations.join(", ").as_bytes()),
        snapshots = text!("count-snapshots", n = report.snapshots),
        packs = text!("count-packs", n = report.packs),
        chunks = text!("count-chunks", n = report.chunks),
    ));
    if let Some(aside) = &report.moved_aside {
        out.say(&text!("index-kept", path = names::path(aside)));
    }
    Ok(ExitStatus::Done)
}

//! `exclude`: what is left out of the sources, more of it or less, and what that would do.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::table::Table;
use crate::cli::{names, paths, units};
use crate::error::Error;
use crate::explore::{self, WhatIf, WhatIfRequest};
use crate::repo::Access;
use crate::repo::settings::{Settings, SourceSettings};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup exclude
  cryptbackup exclude --what-if \"*.iso,node_modules\"
  cryptbackup exclude \"*.iso\" --source ~/Documents
  cryptbackup exclude \"*.iso\" --remove";

/// Show what is left out of the sources, change it, or say what a change would do
///
/// What is stored already stays in the snapshots that have it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Patterns to leave out, as in .gitignore, separated by commas; without any, those that are set are shown
    #[arg(value_name = "PATTERNS")]
    patterns: Vec<String>,
    /// Only of this source; may be given again
    #[arg(long, value_name = "DIR")]
    source: Vec<PathBuf>,
    /// Only say what would be left out, and what is stored of it
    #[arg(long, requires = "patterns", conflicts_with = "remove")]
    what_if: bool,
    /// Do not leave them out any more
    #[arg(long, requires = "patterns")]
    remove: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let sources: Vec<PathBuf> = args.source.iter().map(|path| paths::absolute(path)).collect::<Result<_, _>>()?;
    let patterns = patterns(&args.patterns)?;
    if args.what_if {
        return what_if(WhatIfRequest { patterns, sources }, &args.secret, context);
    }
    if !patterns.is_empty() {
        context.edit_settings(|settings| {
            for path in &sources {
                require_source(settings, path)?;
            }
            change(settings, &sources, &patterns, args.remove)
        })?;
    }
    let settings = context.settings()?;
    for path in &sources {
        require_source(&settings, path)?;
    }
    let chosen: Vec<&SourceSettings> = settings.folders().filter(|source| is_wanted(&sources, source)).collect();
    show(&context.out, &chosen);
    Ok(ExitStatus::Done)
}

/// The patterns of all lists.
fn patterns(lists: &[String]) -> Result<Vec<String>, Error> {
    let mut all = SourceSettings::new("/");
    lists.iter().try_for_each(|list| all.leave_out(list))?;
    Ok(all.exclude)
}

fn require_source(settings: &Settings, path: &PathBuf) -> Result<(), Error> {
    match settings.folders().any(|source| source.path == *path) {
        true => Ok(()),
        false => Err(Error::Usage(text!("folder-no-source", path = names::path(path)))),
    }
}

fn is_wanted(sources: &[PathBuf], source: &SourceSettings) -> bool {
    !source.stdin && (sources.is_empty() || sources.contains(&source.path))
}

fn change(settings: &mut Settings, sources: &[PathBuf], patterns: &[String], is_removing: bool) -> Result<(), Error> {
    let mut is_found = false;
    for source in settings.sources.iter_mut().filter(|source| is_wanted(sources, source)) {
        is_found |= !is_removing || source.exclude.iter().any(|known| patterns.contains(known));
        source.exclude.retain(|known| !patterns.contains(known));
        if !is_removing {
            source.exclude.extend(patterns.iter().cloned());
        }
    }
    match is_found {
        true => Ok(()),
        false if is_removing => Err(Error::Usage(text!("exclude-not-set", patterns = shown(patterns)))),
        false => Err(Error::NothingToBackUp(text!("status-no-source"))),
    }
}

fn shown(patterns: &[String]) -> String {
    names::escape(patterns.join(", ").as_bytes())
}

fn show(out: &Output, sources: &[&SourceSettings]) {
    if out.wishes.json {
        let document = |source: &&SourceSettings| {
            with_path(json!({ "exclude": source.exclude }), "path", path_bytes(&source.path))
        };
        return out.document(&sources.iter().map(document).collect::<Value>());
    }
    let mut table = Table::bare(2);
    for source in sources {
        let patterns = if source.exclude.is_empty() { text!("exclude-none") } else { shown(&source.exclude) };
        table.row(vec![names::path(&source.path), patterns]);
    }
    table.print(out);
}

fn what_if(request: WhatIfRequest, secret: &SecretArgs, context: &Context) -> Result<ExitStatus, Error> {
    let repo = context.open_for_listing(Access::Read, secret)?;
    let progress = Progress::of_listing(&context.out);
    let answer = explore::what_if(&repo, &request, &progress)?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.document(&document(&request.patterns, &answer));
        return Ok(ExitStatus::Done);
    }
    let WhatIf { read, left_out, largest, bytes_needed, bytes_alone } = &answer;
    out.data(&text!("exclude-what-if", patterns = shown(&request.patterns)));
    let mut table = Table::bare(2);
    let files = |sum: &explore::Sum| format!("{}, {}", text!("count-files", n = sum.files), units::bytes(sum.bytes));
    table.row(vec![format!("  {}", text!("exclude-left-out")), files(left_out)]);
    table.row(vec![format!("  {}", text!("exclude-of")), files(read)]);
    table.row(vec![format!("  {}", text!("exclude-stored")), units::bytes(*bytes_needed)]);
    table.row(vec![format!("  {}", text!("exclude-alone")), units::bytes(*bytes_alone)]);
    table.print(out);
    if !largest.is_empty() {
        out.data(&text!("exclude-largest"));
        let mut table = Table::bare(2);
        for (path, bytes) in largest {
            table.row(vec![format!("  {}", units::bytes(*bytes)), names::path(path)]);
        }
        table.print(out);
    }
    Ok(ExitStatus::Done)
}

fn document(patterns: &[String], answer: &WhatIf) -> Value {
    let WhatIf { read, left_out, largest, bytes_needed, bytes_alone } = answer;
    let file = |(path, bytes): &(PathBuf, u64)| with_path(json!({ "bytes": bytes }), "path", path_bytes(path));
    json!({
        "patterns": patterns,
        "files": read.files,
        "bytes": read.bytes,
        "files_left_out": left_out.files,
        "bytes_left_out": left_out.bytes,
        "largest": largest.iter().map(file).collect::<Value>(),
        "bytes_needed": bytes_needed,
        "bytes_alone": bytes_alone,
    })
}

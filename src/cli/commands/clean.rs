//! `clean`: what the rules do not keep goes, and its space comes back.

use crate::clean::choose::Rules;
use crate::clean::{self, CleanRequest};
use crate::cli::cleaned;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::Access;
use crate::repo::settings::Retention;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup clean --dry-run
  cryptbackup clean
  cryptbackup clean --keep-days 90 --keep-versions 20
  cryptbackup clean --keep-last 3 --keep-daily 7 --keep-monthly 12";

/// Remove what the rules do not keep, and give its space back on every destination
///
/// The rules are those of `retention` in the configuration, changed for this run by the options. Every snapshot younger
/// than --keep-days stays, and beyond that every version of a file that is among its newest --keep-versions. The options
/// --keep-last to --keep-yearly keep whole snapshots; given without --keep-days and --keep-versions they stand in the place
/// of all other rules. The newest snapshot of every source and pinned ones always stay.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    rules: RuleArgs,
    /// Only say what would stay, what would go, and how much space would come back
    #[arg(long)]
    dry_run: bool,
    /// Do it also where it looks like a mistake
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// The rules as they are typed.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Rules")]
struct RuleArgs {
    /// Keep everything that is younger than N days
    #[arg(long, value_name = "N")]
    keep_days: Option<u32>,
    /// Keep the newest N versions of each file, whatever their age
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_versions: Option<u32>,
    /// Keep the newest N snapshots
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep the newest snapshot of each of the last N hours that have one
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u32>,
    /// Keep the newest snapshot of each of the last N days that have one
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Keep the newest snapshot of each of the last N weeks that have one
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Keep the newest snapshot of each of the last N months that have one
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Keep the newest snapshot of each of the last N years that have one
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
}

impl RuleArgs {
    /// The rules of the settings, changed by what was typed.
    fn change(&self, settings: &Retention) -> Rules {
        let set = Rules::of(settings);
        let periods =
            [self.keep_last, self.keep_hourly, self.keep_daily, self.keep_weekly, self.keep_monthly, self.keep_yearly];
        let is_per_file = self.keep_days.or(self.keep_versions).is_some() || periods.iter().all(Option::is_none);
        // Where only whole snapshots are named, nothing counts but what is named.
        let or_set = |typed: Option<u32>, set: Option<u32>| typed.or(set.filter(|_| is_per_file));
        Rules {
            keep_days: self.keep_days.unwrap_or(set.keep_days),
            keep_versions: self.keep_versions.unwrap_or(set.keep_versions),
            keep_deleted_days: set.keep_deleted_days,
            keep_last: or_set(self.keep_last, set.keep_last),
            keep_hourly: or_set(self.keep_hourly, set.keep_hourly),
            keep_daily: or_set(self.keep_daily, set.keep_daily),
            keep_weekly: or_set(self.keep_weekly, set.keep_weekly),
            keep_monthly: or_set(self.keep_monthly, set.keep_monthly),
            keep_yearly: or_set(self.keep_yearly, set.keep_yearly),
            is_per_file,
        }
    }
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let settings = context.settings()?;
    let rules = args.rules.change(&settings.retention);
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let request = CleanRequest { dry_run: args.dry_run, is_forced: args.force, ..CleanRequest::new(rules) };
    let report = clean::run(&mut repo, request, &progress)?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", cleaned::document(&report));
    } else {
        cleaned::say(out, &report, &rules);
        cleaned::warn(out, &report);
    }
    Ok(cleaned::exit_status(&report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_changes_or_replaces_the_rules_of_the_settings() {
        let settings = Retention { keep_daily: Some(7), ..Retention::default() };
        let set = Rules::of(&settings);
        assert_eq!(RuleArgs::default().change(&settings), set);
        let days = RuleArgs { keep_days: Some(0), keep_last: Some(2), ..RuleArgs::default() };
        assert_eq!(days.change(&settings), Rules { keep_days: 0, keep_last: Some(2), ..set });
        let versions = RuleArgs { keep_versions: Some(1), keep_daily: Some(3), ..RuleArgs::default() };
        assert_eq!(versions.change(&settings), Rules { keep_versions: 1, keep_daily: Some(3), ..set });
        for typed in [
            RuleArgs { keep_last: Some(2), ..RuleArgs::default() },
            RuleArgs { keep_yearly: Some(2), ..RuleArgs::default() },
        ] {
            let expected = Rules {
                keep_last: typed.keep_last,
                keep_yearly: typed.keep_yearly,
                keep_daily: None,
                is_per_file: false,
                ..set
            };
            assert_eq!(typed.change(&settings), expected);
        }
    }
}

//! How destinations stand, in words and as parts of documents: what they hold, how long they last, what is proven.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::messages::text;
use super::output::{Output, Style};
use super::table::Table;
use super::{shapes, units};
use crate::repo::{DestinationStatus, PROVEN_DAYS, Standing, StatusReport};

/// Beyond so many days nobody can tell.
const DAYS_MAX: u64 = 3_650;

/// Adds how a destination stands to its document.
pub fn add(value: &mut Value, standing: &Standing) {
    value["bytes_stored"] = json!(standing.bytes_stored);
    value["bytes_per_day"] = json!(standing.bytes_per_day);
    value["days_left"] = json!(standing.days_left);
    value["proven_percent"] = json!(standing.proven_percent);
    value["last_proof"] = json!(standing.last_proof.map(shapes::moment));
}

/// A line for each destination that holds something.
pub fn lines(out: &Output, report: &StatusReport, now: Timestamp) -> Vec<String> {
    let mut table = Table::bare(3);
    let mut is_empty = true;
    for (status, standing) in report.destinations.iter().zip(&report.standings) {
        if standing.bytes_stored == 0 {
            continue;
        }
        is_empty = false;
        let last = match status.last_snapshot {
            Some(time) => text!("standing-last", ago = units::ago(time, now)),
            None => text!("standing-no-snapshot"),
        };
        let others = [lasts(out, status, standing), proven(out, standing, now)];
        let others: Vec<String> = others.into_iter().flatten().collect();
        table.row(vec![format!("  [{}]", status.name), last, others.join(", ")]);
    }
    if is_empty { Vec::new() } else { table.lines() }
}

/// How long the space lasts; nothing where that is not known.
fn lasts(out: &Output, status: &DestinationStatus, standing: &Standing) -> Option<String> {
    status.free_bytes?;
    if standing.bytes_per_day? == 0 {
        return Some(text!("standing-does-not-grow"));
    }
    let days = standing.days_left?;
    let span = match days {
        0 => text!("span-hours"),
        1..60 => text!("span-days", n = days),
        60..730 => text!("span-months", n = days / 30),
        730..=DAYS_MAX => text!("span-years", n = days / 365),
        _ => text!("span-long", n = DAYS_MAX / 365),
    };
    let lasts = text!("standing-lasts", span = span);
    Some(if days < 30 { out.paint(Style::Attention, &lasts) } else { lasts })
}

fn proven(out: &Output, standing: &Standing, now: Timestamp) -> Option<String> {
    let percent = standing.proven_percent?;
    Some(match standing.last_proof {
        Some(last) => {
            text!("standing-proven", percent = percent, days = PROVEN_DAYS, ago = units::ago(last, now))
        }
        None => out.paint(Style::Attention, &text!("standing-never-proven")),
    })
}

/// What is saved because nothing is stored twice, and what because it is compressed.
pub fn saved(report: &StatusReport) -> (u64, u64) {
    let twice = report.bytes_all_snapshots.saturating_sub(report.bytes_unique);
    (twice, report.bytes_unique.saturating_sub(report.bytes_stored))
}

/// A size, and what share of the whole it is.
pub fn share(part: u64, whole: u64) -> String {
    match units::percent(part, whole) {
        // As the forerunner shows it, in every language.
        Some(percent) => format!("{} ({percent} %)", units::bytes(part)),
        None => units::bytes(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};
    use crate::repo::{DestinationState, PlaceKind, Time};

    fn status(free_bytes: Option<u64>) -> DestinationStatus {
        DestinationStatus {
            name: "primary".to_owned(),
            path: "/b".into(),
            kind: PlaceKind::Local,
            state: DestinationState::Online,
            detail: None,
            free_bytes,
            snapshots_behind: 0,
            last_snapshot: None,
        }
    }

    #[test]
    fn how_long_the_space_lasts() {
        let (out, ..) = captured::output(Wishes::default());
        let said = |days_left: Option<u64>| {
            let standing = Standing { bytes_per_day: Some(7), days_left, ..Standing::default() };
            lasts(&out, &status(Some(1)), &standing)
        };
        for (days, words) in [
            (0, "room for less than a day at this rate"),
            (1, "room for about 1 day at this rate"),
            (59, "room for about 59 days at this rate"),
            (60, "room for about 2 months at this rate"),
            (430, "room for about 14 months at this rate"),
            (800, "room for about 2 years at this rate"),
            (3_650, "room for about 10 years at this rate"),
            (3_651, "room for more than 10 years at this rate"),
            (u64::MAX, "room for more than 10 years at this rate"),
        ] {
            assert_eq!(said(Some(days)).as_deref(), Some(words));
        }
        assert_eq!(said(None), None);
        let still = Standing { bytes_per_day: Some(0), ..Standing::default() };
        assert_eq!(lasts(&out, &status(Some(1)), &still).as_deref(), Some("does not grow"));
        assert_eq!(lasts(&out, &status(Some(1)), &Standing::default()), None, "too little is known");
        assert_eq!(lasts(&out, &status(None), &still), None, "it is not there");
    }

    #[test]
    fn what_is_proven() {
        let (out, ..) = captured::output(Wishes::default());
        let time = Time { seconds: 1_768_473_042, nanos: 0 };
        let now = Timestamp::from_second(time.seconds + 3 * 86_400).expect("a moment");
        let standing = Standing { proven_percent: Some(82), last_proof: Some(time), ..Standing::default() };
        let words = "82 % proven in the last 90 days, last 3 days ago";
        assert_eq!(proven(&out, &standing, now).as_deref(), Some(words));
        let never = Standing { last_proof: None, ..standing };
        assert_eq!(proven(&out, &never, now).as_deref(), Some("never tried: cryptbackup drill"));
        assert_eq!(proven(&out, &Standing::default(), now), None);
        let mut value = json!({});
        add(&mut value, &standing);
        assert_eq!((&value["proven_percent"], &value["last_proof"]), (&json!(82), &json!("2026-01-15T10:30:42Z")));
    }
}

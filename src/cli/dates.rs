//! What `--date` accepts. A date, minute or second stands for everything up to its end, so that what was backed up on
//! that day, or in the second a listing shows, is found.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp, Zoned};

use super::messages::text;

/// Parses an argument against the clock and the zone of this machine.
pub fn argument(text: &str) -> Result<Timestamp, String> {
    parse(text, &Zoned::now())
}

/// The moment `text` means, in the zone of `now`. The refusal is a sentence for people.
pub fn parse(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let text = text.trim();
    let too_long_ago = || text!("date-too-long-ago", text = text);
    if let Some(span) = distance(text) {
        let span = span.ok_or_else(too_long_ago)?;
        let then = now.checked_sub(span).map_err(|_| too_long_ago())?;
        return Ok(then.timestamp());
    }
    absolute(text, now).ok_or_else(|| text!("date-not-one", text = text))
}

/// `2d`, `3w`, `5h`, each with or without `ago`: outer `None` when it is not of that form, inner when out of range.
fn distance(text: &str) -> Option<Option<Span>> {
    let text = text.strip_suffix("ago").map_or(text, str::trim_end);
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    let (number, unit) = text.split_at(digits);
    let number = number.parse::<i64>();
    let span = Span::new();
    let span = |set: fn(Span, i64) -> Result<Span, jiff::Error>| number.ok().and_then(|number| set(span, number).ok());
    Some(match unit.trim_start() {
        "h" => span(Span::try_hours),
        "d" => span(Span::try_days),
        "w" => span(Span::try_weeks),
        _ => return None,
    })
}

fn absolute(text: &str, now: &Zoned) -> Option<Timestamp> {
    let zone = now.time_zone().clone();
    let looks_like_a_date = text.len() >= 10 && text.is_char_boundary(10) && text.as_bytes()[4] == b'-';
    if !looks_like_a_date {
        return None;
    }
    let (day, rest) = text.split_at(10);
    let day: Date = day.parse().ok()?;
    if rest.is_empty() {
        let next = day.tomorrow().ok()?.to_zoned(zone).ok()?;
        return next.timestamp().checked_sub(Span::new().nanoseconds(1)).ok();
    }
    if !rest.starts_with(['T', 't', ' ']) {
        return None;
    }
    let clock = rest.get(1..)?;
    let clock_end = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let moment = if clock_end < clock.len() {
        text.parse::<Timestamp>().ok()?
    } else {
        text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp()
    };
    end_of(moment, &clock[..clock_end])
}

/// The end of the hour, minute or second that begins at `moment`, as `clock` names it; itself when it has a fraction.
fn end_of(moment: Timestamp, clock: &str) -> Option<Timestamp> {
    if clock.contains(['.', ',']) {
        return Some(moment);
    }
    let span = match clock.matches(':').count() {
        0 => Span::new().hours(1),
        1 => Span::new().minutes(1),
        _ => Span::new().seconds(1),
    };
    moment.checked_add(span).ok()?.checked_sub(Span::new().nanoseconds(1)).ok()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    /// 2026-03-30T12:00 in Paris, the day after its clocks went forward.
    fn now() -> Zoned {
        let zone = TimeZone::get("Europe/Paris").expect("a known zone");
        DateTime::constant(2026, 3, 30, 12, 0, 0, 0).to_zoned(zone).expect("a moment")
    }

    #[test]
    fn every_form_means_what_it_says() {
        for (text, expected) in [
            ("2026-01-15", "2026-01-15T22:59:59.999999999Z"),
            (" 2026-01-15 ", "2026-01-15T22:59:59.999999999Z"),
            ("2026-03-29", "2026-03-29T21:59:59.999999999Z"),
            ("2026-01-15T10:30", "2026-01-15T09:30:59.999999999Z"),
            ("2026-01-15 10:30", "2026-01-15T09:30:59.999999999Z"),
            ("2026-01-15T10", "2026-01-15T09:59:59.999999999Z"),
            ("2026-01-15T10:30:05", "2026-01-15T09:30:05.999999999Z"),
            ("2026-01-15T10:30:05.25", "2026-01-15T09:30:05.25Z"),
            ("2026-01-15T10:30:05Z", "2026-01-15T10:30:05.999999999Z"),
            ("2026-01-15T10:30:05.5Z", "2026-01-15T10:30:05.5Z"),
            ("2026-01-15T10:30:05+05:30", "2026-01-15T05:00:05.999999999Z"),
            ("2026-01-15T10:30:05.123456789-08:00", "2026-01-15T18:30:05.123456789Z"),
            ("5h", "2026-03-30T05:00:00Z"),
            ("2d", "2026-03-28T11:00:00Z"), // noon two days before, when clocks were an hour behind
            ("2d ago", "2026-03-28T11:00:00Z"),
            ("3w", "2026-03-09T11:00:00Z"),
            ("0h", "2026-03-30T10:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().expect("a timestamp");
            assert_eq!(parse(text, &now()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused_and_says_what_is() {
        for bad in [
            "",
            "yesterday",
            "2026",
            "2026-1-5",
            "2026-13-01",
            "2026-02-30",
            "2026-01-15T",
            "2026-01-15T25:00",
            "2026-01-15X10:30",
            "15/01/2026",
            "20260115",
            "2m",
            "d",
            "-2d",
            "2.5d",
            "2 d x",
            "2026-01-15T10:30+99:00",
            "2026-01-15é",
            "éééééééééé",
        ] {
            let refusal = parse(bad, &now()).expect_err(bad);
            assert!(refusal.contains("2026-01-15"), "{refusal}");
        }
        for far in ["99999999999999999999d", "9999999w", "9000000d"] {
            let refusal = parse(far, &now()).expect_err(far);
            assert!(refusal.contains("too long ago"), "{refusal}");
        }
    }
}

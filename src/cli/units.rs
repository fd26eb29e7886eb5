//! Numbers for people: sizes, counts, durations and moments.

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::messages::{language, text};
use crate::repo::Time;

/// A size with one decimal, in powers of 1000: `45.2 GB`.
pub fn bytes(bytes: u64) -> String {
    humansize::format_size(bytes, humansize::DECIMAL.decimal_places(1))
}

/// A count with its thousands apart as the language does it: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let separator = language::spoken().group_separator();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A count and its noun, in English: `1 file`, `2 files`. What is said in every language has a sentence of its own.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A percentage of a whole, without decimals; nothing of an empty whole.
pub fn percent(part: u64, whole: u64) -> Option<u64> {
    (whole > 0).then(|| (u128::from(part) * 100 / u128::from(whole)) as u64)
}

/// How long something took: `0.44 s`, `2.5 s`, `12 s`, `3m 5s`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "? s".to_owned();
    }
    if seconds < 1.0 {
        return format!("{seconds:.2} s");
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    let whole = SignedDuration::from_secs(seconds.round() as i64);
    SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::BetweenUnits).duration_to_string(&whole)
}

/// A moment of the format as one of `jiff`; what lies outside its range becomes its end.
pub fn timestamp(time: Time) -> Timestamp {
    let clamped = if time.seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(time.seconds, i32::try_from(time.nanos).unwrap_or(0)).unwrap_or(clamped)
}

/// A moment on this machine's clock: `2026-01-15 10:30:42`.
pub fn moment(time: Time) -> String {
    moment_in(time, TimeZone::system())
}

fn moment_in(time: Time, zone: TimeZone) -> String {
    timestamp(time).to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago: `just now`, `5 minutes ago`, `3 days ago`.
pub fn ago(time: Time, now: Timestamp) -> String {
    let seconds = now.as_second() - timestamp(time).as_second();
    match seconds {
        ..0 => text!("ago-future"),
        0..60 => text!("ago-now"),
        60..3_600 => text!("ago-minutes", n = seconds / 60),
        3_600..86_400 => text!("ago-hours", n = seconds / 3_600),
        86_400..5_184_000 => text!("ago-days", n = seconds / 86_400),
        _ => text!("ago-months", n = seconds / 2_629_746),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(45_200_000_000), "45.2 GB");
        assert_eq!(bytes(1_000_000), "1 MB");
        assert_eq!([count(0), count(999), count(1_000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "file", "files"), "1 file");
        assert_eq!(counted(0, "file", "files"), "0 files");
        assert_eq!([percent(1, 4), percent(1, 0), percent(u64::MAX, u64::MAX)], [Some(25), None, Some(100)]);
    }

    #[test]
    fn durations() {
        for (seconds, shown) in [
            (0.04, "0.04 s"),
            (2.54, "2.5 s"),
            (59.4, "59 s"),
            (185.2, "3m 5s"),
            (7_260.0, "2h 1m"),
            (f64::NAN, "? s"),
            (-1.0, "? s"),
        ] {
            assert_eq!(duration(seconds), shown);
        }
    }

    #[test]
    fn moments() {
        let time = Time { seconds: 1_768_473_042, nanos: 5 };
        assert_eq!(moment_in(time, TimeZone::UTC), "2026-01-15 10:30:42");
        assert_eq!(moment_in(time, TimeZone::fixed(jiff::tz::offset(-5))), "2026-01-15 05:30:42");
        assert_eq!(timestamp(Time { seconds: i64::MAX, nanos: 0 }), Timestamp::MAX);
        assert_eq!(timestamp(Time { seconds: i64::MIN, nanos: 0 }), Timestamp::MIN);
        let now = timestamp(time);
        for (before, shown) in [
            (-5, "in the future"),
            (5, "just now"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (90_000, "1 day ago"),
            (40_000_000, "15 months ago"),
        ] {
            assert_eq!(ago(Time { seconds: time.seconds - before, nanos: 0 }, now), shown);
        }
    }
}

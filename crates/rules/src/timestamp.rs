//! Times: full hours for all that is kept on a caller (P1), and date-times in stored values (P2).

use std::ops::Range;

/// Seconds since 1970-01-01T00:00:00Z.
pub type Timestamp = i64;

/// Seconds in an hour.
pub const HOUR: i64 = 3_600;

/// Seconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// The hour in which a time lies (P1).
pub fn floor_to_hour(time: Timestamp) -> Timestamp {
    time.saturating_sub(time.rem_euclid(HOUR))
}

/// When data expires that was written at a time and is retained for a number of days (E1).
pub(crate) fn expiry(written: Timestamp, retention_days: u8) -> Timestamp {
    floor_to_hour(written).saturating_add(i64::from(retention_days) * DAY)
}

/// The hour in which a time lies as RFC 3339 in UTC, such as `2026-01-01T10:00:00Z`.
pub(crate) fn format_hour(time: Timestamp) -> String {
    let (year, month, day) = civil_date(time.div_euclid(DAY));
    let hour = time.rem_euclid(DAY) / HOUR;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:00:00Z")
}

/// If a text is an RFC 3339 date-time finer than the hour: the same with its minutes, seconds and their fraction at
/// zero, which rounds it down in its own offset (P2).
///
/// The form is kept: `2026-03-02t10:20:30.50+05:30` becomes `2026-03-02t10:00:00.00+05:30`.
pub(crate) fn round_date_time(text: &str) -> Option<String> {
    let range = below_hour(text)?;
    let below_hour = text.get(range.clone())?;
    let is_fine = below_hour.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0');
    let zeros: String = below_hour.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    let rounded = [text.get(..range.start)?, &zeros, text.get(range.end..)?].concat();
    is_fine.then_some(rounded)
}

/// Where minutes, seconds and their fraction stand in an RFC 3339 date-time: the `:20:30.50` of
/// `2026-03-02T10:20:30.50Z`. None if the text is no such date-time. The standard lets a space stand for the `T`.
fn below_hour(text: &str) -> Option<Range<usize>> {
    let (date, rest) = text.split_at_checked(10)?;
    let (separator, rest) = rest.split_at_checked(1)?;
    let (hour, rest) = rest.split_at_checked(2)?;
    let (minute_and_second, rest) = rest.split_at_checked(6)?;
    let (fraction, offset) = rest.split_at_checked(fraction_length(rest)?)?;
    let (minute, second) = minute_and_second.strip_prefix(':')?.split_once(':')?;
    let is_date_time = is_date(date)
        && matches!(separator, "T" | "t" | " ")
        && number(hour, 2)? <= 23
        && number(minute, 2)? <= 59
        && number(second, 2)? <= 60
        && is_offset(offset);
    let start = date.len() + separator.len() + hour.len();
    is_date_time.then(|| start..start + minute_and_second.len() + fraction.len())
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day)) =
        (number_part(&mut parts, 4), number_part(&mut parts, 2), number_part(&mut parts, 2))
    else {
        return false;
    };
    parts.next().is_none() && (1..=days_in_month(year, month)).contains(&day)
}

/// The length of a fraction of the second, none included. None if there are no digits behind the dot.
fn fraction_length(text: &str) -> Option<usize> {
    let Some(fraction) = text.strip_prefix('.') else { return Some(0) };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(digits + 1)
}

fn is_offset(text: &str) -> bool {
    if matches!(text, "Z" | "z") {
        return true;
    }
    let Some((hour, minute)) = text.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':')) else {
        return false;
    };
    number(hour, 2).is_some_and(|hour| hour <= 23) && number(minute, 2).is_some_and(|minute| minute <= 59)
}

fn number_part<'a>(parts: &mut impl Iterator<Item = &'a str>, digits: usize) -> Option<u32> {
    number(parts.next()?, digits)
}

/// A number of exactly that many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The days of a month, none if there is no such month.
fn days_in_month(year: u32, month: u32) -> u32 {
    let is_leap_year = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year => 29,
        2 => 28,
        _ => 0,
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is a year's last, in cycles of 400 years that have 146,097 days
/// each. The cycle of 2000 begins 11,017 days after 1970-01-01.
fn civil_date(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_CYCLE: i64 = 146_097;
    let days = days - 11_017;
    let (cycle, day_of_cycle) = (days.div_euclid(DAYS_PER_CYCLE), days.rem_euclid(DAYS_PER_CYCLE));
    let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year_of_cycle = (day_of_cycle - leap_days) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // From March on, the months' lengths repeat every five months, which have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 2_000 + 400 * cycle + year_of_cycle + i64::from(month <= 2);
    (year, month, day)
}

//! What texts are compared by where case does not count.

use jiff::{SignedDuration, civil};

/// The form in which texts are compared, byte by byte, where case does not count.
///
/// A moment (RFC 3339: date, time and zone, at most nine digits of a second) becomes the same
/// moment in UTC, `2026-03-27t18:00:00.000000000z`: the order of such texts is that of the
/// moments. Any other text is put in small letters. What is folded already stays as it is.
pub fn fold(text: &str) -> String {
    moment(text).map_or_else(|| text.to_lowercase(), written)
}

/// In small letters too, so that a part of a moment (`sw "2026-03-27T18"`) is a part here.
fn written(moment: civil::DateTime) -> String {
    moment.strftime("%Y-%m-%dt%H:%M:%S.%9fz").to_string()
}

/// The moment in UTC. `None` also for one that is outside the years 0 to 9999 there.
fn moment(text: &str) -> Option<civil::DateTime> {
    let local = text.get(..19).filter(|local| has_shape(local, "0000-00-00T00:00:00"))?;
    let (nanosecond, zone) = fraction(&text[19..])?;
    let number = |from: usize, to: usize| local[from..to].parse::<i16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let local = civil::DateTime::new(
        number(0, 4)?,
        small(5)?,
        small(8)?,
        small(11)?,
        small(14)?,
        small(17)?,
        nanosecond,
    );
    let moment = local.ok()?.checked_sub(offset(zone)?).ok()?;
    (moment.year() >= 0).then_some(moment)
}

/// The nanoseconds of `.5` and what follows them; none where there is no dot.
fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    let (digits, zone) = digits.split_at(end);
    let missing = u32::try_from(9_usize.checked_sub(end)?).ok()?;
    digits.parse::<i32>().ok().map(|number| (number * 10_i32.pow(missing), zone))
}

/// `Z` or `+01:00`.
fn offset(zone: &str) -> Option<SignedDuration> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(SignedDuration::ZERO);
    }
    let (sign, time) = match zone.strip_prefix('-') {
        Some(time) => (-1, time),
        None => (1, zone.strip_prefix('+')?),
    };
    if !has_shape(time, "00:00") {
        return None;
    }
    let (hours, minutes) = (time[..2].parse::<i64>().ok()?, time[3..].parse::<i64>().ok()?);
    let within_a_day = hours < 24 && minutes < 60;
    within_a_day.then(|| SignedDuration::from_mins(sign * (hours * 60 + minutes)))
}

/// Whether the text has a digit wherever the shape has `0`, and is the shape otherwise.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            wanted => byte.eq_ignore_ascii_case(&wanted),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_mean_the_same_moment_fold_to_the_same_text() {
        let texts = [
            "2026-03-27T18:00:00Z",
            "2026-03-27t18:00:00z",
            "2026-03-27T18:00:00.000Z",
            "2026-03-27T20:00:00+02:00",
            "2026-03-28T01:30:00.0000000+07:30",
            "2026-03-26T18:01:00.000000000-23:59",
            "2026-03-27T18:00:00-00:00",
        ];
        for text in texts {
            assert_eq!(fold(text), "2026-03-27t18:00:00.000000000z", "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_put_in_small_letters() {
        let texts = [
            "",
            "Alice",
            "GRÖSSE İ",
            "2026-03-27",
            "2026-03-27T18:00:00",
            "2026-03-27 18:00:00Z",
            "2026-03-27T18:00Z",
            "2026-02-30T18:00:00Z",
            "2026-03-27T24:00:00Z",
            "2026-03-27T18:00:60Z",
            "2026-03-27T18:00:00.Z",
            "2026-03-27T18:00:00.5",
            "2026-03-27T18:00:00.0000000000Z",
            "2026-03-27T18:00:00+2:00",
            "2026-03-27T18:00:00+24:00",
            "2026-03-27T18:00:00+02:60",
            "2026-03-27T18:00:00ZZ",
            "2026-03-27T18:00:00Z[UTC]",
            "-026-03-27T18:00:00Z",
            "+026-03-27T18:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2026-03-27T18:00:0é",
        ];
        for text in texts {
            assert_eq!(fold(text), text.to_lowercase(), "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_moment_are_moments() {
        assert_eq!(fold("0000-01-01T00:00:00Z"), "0000-01-01t00:00:00.000000000z");
        assert_eq!(fold("9999-12-31T23:59:59.9Z"), "9999-12-31t23:59:59.900000000z");
    }

    fn moments() -> impl Strategy<Value = String> {
        let date = (0..10_000, 1..13, 1..29);
        let time = (0..24, 0..60, 0..60, "(\\.[0-9]{1,9})?", "(Z|[+-][01][0-9]:[0-5][0-9])");
        (date, time).prop_map(|((year, month, day), (hour, minute, second, fraction, zone))| {
            format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
            )
        })
    }

    proptest! {
        #[test]
        fn the_order_of_folded_moments_is_that_of_the_moments(a in moments(), b in moments()) {
            let read = |text: &str| text.parse::<jiff::Timestamp>().ok();
            if let (Some(first), Some(second)) = (read(&a), read(&b)) {
                let shifted = [&a, &b].iter().any(|text| fold(text) == text.to_lowercase());
                prop_assert!(shifted || fold(&a).cmp(&fold(&b)) == first.cmp(&second));
            }
        }

        #[test]
        fn what_is_folded_stays_as_it_is(text in "\\PC{0,30}", moment in moments()) {
            for text in [text, moment] {
                let folded = fold(&text);

                prop_assert_eq!(fold(&folded), folded);
            }
        }
    }
}

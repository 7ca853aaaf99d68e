//! Numbers for people, short enough for a column.

/// Such as 7, 850, 12.3k, 4.56M.
pub(super) fn count(number: f64) -> String {
    let (scaled, unit) = match number {
        n if n >= 999_500_000.0 => (n / 1e9, "G"),
        n if n >= 999_500.0 => (n / 1e6, "M"),
        n if n >= 9_999.5 => (n / 1e3, "k"),
        n => return format!("{n:.0}"),
    };
    format!("{scaled:.*}{unit}", if scaled < 10.0 { 2 } else { usize::from(scaled < 99.95) })
}

/// Microseconds with a unit.
pub(super) fn time_us(us: f64) -> String {
    match us {
        us if us >= 999_500.0 => format!("{:.1} s", us / 1e6),
        us if us >= 999.5 => format!("{:.1} ms", us / 1e3),
        us if us >= 99.95 => format!("{us:.0} us"),
        us => format!("{us:.1} us"),
    }
}

/// Such as 0:07, 12:34, 3:04:05.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut off at the seconds")]
pub(super) fn clock(seconds: f64) -> String {
    let all = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_five_characters_at_most() {
        let told = [0.4, 999.0, 9999.0, 12_345.0, 123_456.0, 999_700.0, 4_560_000.0, 2e9].map(count);
        assert_eq!(told, ["0", "999", "9999", "12.3k", "123k", "1.00M", "4.56M", "2.00G"]);
    }

    #[test]
    fn times_have_a_fitting_unit() {
        let told = [0.8, 12.34, 150.0, 2500.0, 3_000_000.0].map(time_us);
        assert_eq!(told, ["0.8 us", "12.3 us", "150 us", "2.5 ms", "3.0 s"]);
        assert_eq!([7.9, 754.0, 11045.0].map(clock), ["0:07", "12:34", "3:04:05"]);
    }
}

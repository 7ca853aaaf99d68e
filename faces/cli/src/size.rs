//! Sizes on the command line: a number, and K, M, G or T behind it.

/// `64M` and the like, in bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        unit => return Err(format!("`{unit}` is no unit; K, M, G and T are")),
    };
    let number: u64 = digits.parse().map_err(|_| "it begins with a number, such as in 64M".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "it is too large".to_owned())
}

/// Bytes for people: the largest unit that leaves at least one.
#[must_use]
pub fn told(bytes: u64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let fits = units.iter().find(|&&(shift, _)| bytes >> shift > 0).map(|&(shift, unit)| {
        let number = bytes as f64 / (1u64 << shift) as f64;
        if number < 10.0 && number.fract() != 0.0 {
            format!("{number:.1}{unit}")
        } else {
            format!("{number:.0}{unit}")
        }
    });
    fits.unwrap_or_else(|| format!("{bytes}B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!((size("4096"), size("64M"), size("2g")), (Ok(4096), Ok(64 << 20), Ok(2 << 30)));
        for wrong in ["", "M", "1X", "-1", "1.5G", "99999999T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_told() {
        assert_eq!([told(0), told(1536), told(64 << 20), told(1 << 40)], ["0B", "1.5K", "64M", "1T"]);
    }
}

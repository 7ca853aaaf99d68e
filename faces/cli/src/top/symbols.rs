//! What bars, charts and frames are drawn with: blocks where the terminal can show them, else ASCII.

use ratatui::symbols::{bar, border};

#[derive(Clone, Debug)]
pub(super) struct Symbols {
    pub(super) bars: bar::Set<'static>,
    pub(super) filled: &'static str,
    pub(super) unfilled: &'static str,
    pub(super) border: border::Set<'static>,
    /// Beside the column that is sorted by: the highest first, and last.
    pub(super) falling: &'static str,
    pub(super) rising: &'static str,
}

impl Symbols {
    pub(super) const UNICODE: Symbols = Symbols {
        bars: bar::NINE_LEVELS,
        filled: "█",
        unfilled: "░",
        border: border::PLAIN,
        falling: "▼",
        rising: "▲",
    };

    pub(super) const ASCII: Symbols = Symbols {
        bars: bar::Set {
            full: "#",
            seven_eighths: "#",
            three_quarters: "+",
            five_eighths: "+",
            half: "=",
            three_eighths: "-",
            one_quarter: "-",
            one_eighth: ".",
            empty: " ",
        },
        filled: "#",
        unfilled: ".",
        border: border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
        falling: "v",
        rising: "^",
    };

    /// As the user's locale says.
    pub(super) fn of_locale() -> Self {
        let said = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said);
        if utf8(locale.as_deref().unwrap_or("C")) { Symbols::UNICODE } else { Symbols::ASCII }
    }
}

fn utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::utf8;

    #[test]
    fn only_a_locale_of_utf_8_gets_blocks() {
        assert!(utf8("C.UTF-8") && utf8("en_GB.utf8"));
        assert!(!utf8("C") && !utf8("POSIX") && !utf8("de_DE.ISO-8859-1"));
    }
}

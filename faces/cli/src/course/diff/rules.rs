//! The contract's rules in words: as the manual has them, so that there is one wording.

const MANUAL: &str = include_str!("../../../../../docs/contract.md");

/// Rule `number`, on one line.
pub(super) fn text(number: u8) -> String {
    let head = format!("{number}. ");
    let mut lines = MANUAL.lines().skip_while(|line| !line.starts_with(&head));
    let first = lines.next().unwrap_or_default();
    let more = lines.take_while(|line| line.starts_with("   "));
    let words: Vec<&str> = first.trim_start_matches(&head).split_whitespace().collect();
    more.fold(words.join(" "), |text, line| format!("{text} {}", line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_all_36_rules() {
        for number in 1..=36 {
            let text = text(number);
            assert!(text.len() > 40 && text.ends_with('.'), "rule {number}: {text:?}");
        }
        assert_eq!(text(37), "");
    }

    #[test]
    fn a_rule_of_several_lines_is_told_whole() {
        let text = text(31);
        assert!(
            text.starts_with("Nothing is evicted") && text.ends_with("The hand stays where it is."),
            "{text}"
        );
    }
}

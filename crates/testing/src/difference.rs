//! Says how two values differ.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

/// How long a value may be to be shown on one line.
const ONE_LINE: usize = 72;

/// What was expected and what came, as indented lines: both side by side where they are short, the lines that differ
/// where they are long.
pub(crate) fn lines(expected: &str, came: &str) -> String {
    let is_short = |text: &str| !text.contains('\n') && text.chars().count() <= ONE_LINE;
    if is_short(expected) && is_short(came) {
        return format!("\n    expected: {expected}\n    came:     {came}");
    }
    let mut text = String::from(" (- expected, + came)");
    let difference = TextDiff::from_lines(expected, came);
    for (index, group) in difference.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            text.push_str("\n      ...");
        }
        for change in group.iter().flat_map(|operation| difference.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            // Writing to a text cannot fail.
            let _ = write!(text, "\n    {sign} {}", change.value().trim_end_matches(['\r', '\n']));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn short_values_stand_above_one_another() {
        assert_eq!(lines("\"brie\"", "\"gouda\""), "\n    expected: \"brie\"\n    came:     \"gouda\"");
    }

    #[test]
    fn of_long_values_the_lines_that_differ_are_shown() {
        let expected: Vec<_> = (0..20).map(|line| line.to_string()).collect();
        let mut came = expected.clone();
        came[10] = "ten".into();
        assert_eq!(
            lines(&expected.join("\n"), &came.join("\n")),
            " (- expected, + came)\n      8\n      9\n    - 10\n    + ten\n      11\n      12"
        );
    }
}

//! How a failure is told.

use std::io::Write;

use anstream::eprintln;
use owo_colors::OwoColorize;

/// Tells what went wrong, with its causes, on standard error.
pub(crate) fn report(error: &anyhow::Error) {
    eprintln!("{} {}", "error:".red().bold(), in_words(error));
    let _ = anstream::stderr().flush();
}

/// The chain of causes on one line. A cause that the message before it has told already is not told again.
pub(crate) fn in_words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::in_words;

    #[test]
    fn causes_stand_on_one_line_and_once() {
        let error = anyhow!("permission denied").context("the store cannot be opened: permission denied");
        assert_eq!(in_words(&error), "the store cannot be opened: permission denied");
        let error = anyhow!("permission denied").context("the store cannot be opened").context("no sweep");
        assert_eq!(in_words(&error), "no sweep: the store cannot be opened: permission denied");
    }
}

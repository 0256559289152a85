//! How a function fails.

use std::error::Error as StdError;
use std::panic::Location;

use crate::bindings::exports::agent::memory::functions as contract;

/// What a function returns when it cannot do what it was asked for.
///
/// Any error of the standard trait becomes one by `?`: its type's name, its message with those of its sources, and the
/// line of the `?`. What the function did before still stands.
///
/// ```
/// use agent_memory_sdk::Error;
///
/// fn cups(said: &str) -> Result<u32, Error> {
///     let cups = said.parse()?;
///     if cups > 12 {
///         return Err(Error::new("TooManyCups", "at most 12 cups are served at once"));
///     }
///     Ok(cups)
/// }
///
/// assert_eq!(cups("many").unwrap_err().name(), "ParseIntError");
/// assert_eq!(cups("13").unwrap_err().message(), "at most 12 cups are served at once");
/// ```
#[derive(Clone, Debug)]
pub struct Error {
    name: String,
    message: String,
    trace: String,
}

impl Error {
    /// An error with a name by which others can tell it, and a message for people.
    #[track_caller]
    pub fn new(name: &str, message: &str) -> Self {
        Self { name: name.to_owned(), message: message.to_owned(), trace: Location::caller().to_string() }
    }

    /// The name by which others can tell it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it came from: the file, line and column in which it was made or passed on by `?`.
    pub fn trace(&self) -> &str {
        &self.trace
    }
}

// `Error` itself is no `std::error::Error`: it would collide with this conversion, without which `?` does not work.
impl<E: StdError> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_message = cause.to_string();
            if !message.ends_with(&cause_message) {
                message.push_str(": ");
                message.push_str(&cause_message);
            }
            source = cause.source();
        }
        Self::new(short_type_name::<E>(), &message)
    }
}

impl From<Error> for contract::Failure {
    fn from(error: Error) -> Self {
        Self { name: error.name, message: error.message, trace: error.trace }
    }
}

/// The last part of a type's path, without its parameters.
fn short_type_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split_once('<').map_or(path, |(path, _)| path);
    path.rsplit_once("::").map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no cheese")]
    struct NoCheese<T: std::fmt::Debug>(#[source] std::num::ParseIntError, T);

    fn no_cheese() -> NoCheese<Vec<String>> {
        NoCheese("x".parse::<u8>().unwrap_err(), Vec::new())
    }

    #[test]
    fn an_error_has_its_types_name_the_messages_of_its_sources_and_the_line_of_the_question_mark() {
        fn fails() -> Result<(), Error> {
            Err(no_cheese())?;
            Ok(())
        }
        let error = fails().unwrap_err();
        assert_eq!(error.name(), "NoCheese");
        assert_eq!(error.message(), "no cheese: invalid digit found in string");
        assert!(error.trace().starts_with(&format!("{}:{}:", file!(), line!() - 6)), "{}", error.trace());
    }
}

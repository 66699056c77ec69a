//! How programs write their logs.

use std::fmt;
use std::str::FromStr;

/// The environment variable that chooses the format where no flag does.
pub const VARIABLE: &str = "ROCHDALE_LOG";

/// How a line of a log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Text, Self::Json]
            .into_iter()
            .find(|format| format.to_string() == text)
            .ok_or_else(|| format!("expected {} or {}", Self::Text, Self::Json))
    }
}

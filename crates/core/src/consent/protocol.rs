//! What the ethics board found out about a study: the facts on which members' conditions turn.

use serde::{Deserialize, Serialize};

use super::duo::Disease;
use crate::commit::{self, CommitError};

/// The facts of a study, as the ethics board signs them. What is absent is not known, and approves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Protocol {
    /// Which disease, where the purpose is disease-specific.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disease: Option<Disease>,
    /// The holder is a public body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_body: Option<bool>,
    /// Origins or ancestry of populations are studied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ancestry: Option<bool>,
    /// The holder undertakes to publish the results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishes: Option<bool>,
    /// The holder undertakes to give back what is derived from the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<bool>,
    /// The holder is a not-for-profit organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_for_profit: Option<bool>,
    /// The end is commercial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commercial: Option<bool>,
    /// General methods are to be developed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods_development: Option<bool>,
    /// It is a genetic study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genetic: Option<bool>,
    /// The cooperative's own investigators take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collaboration: Option<bool>,
    /// ISO 3166-1 alpha-2, upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The study's name with the ethics board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// ROR identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
}

impl Protocol {
    /// Most bytes of its text; `EthicsRegistry` takes no longer one.
    pub const MAX_BYTES: usize = 1_024;

    /// As the board signs it and it stands on chain: RFC 8785 JSON of what is known, and empty where nothing is.
    ///
    /// # Errors
    /// None that a protocol can cause; the writer's own are passed on.
    pub fn text(&self) -> Result<String, CommitError> {
        if *self == Self::default() {
            return Ok(String::new());
        }
        let json = commit::canonical_json(self)?;
        String::from_utf8(json).map_err(|error| CommitError::Json(error.to_string()))
    }

    /// As a steward reads it from the chain. Where the board signed something else than what [`Self::text`] writes, nothing is known: every
    /// steward finds the same, and no condition holds by it.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let facts: Self = serde_json::from_str(text).unwrap_or_default();
        if facts.text().is_ok_and(|written| written == text) { facts } else { Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Code;

    #[test]
    fn what_is_written_is_read_and_what_is_no_statement_of_facts_says_nothing() {
        let disease = Code { system: "http://snomed.info/sct".into(), code: "44054006".into() };
        let facts = Protocol {
            disease: Some(disease),
            not_for_profit: Some(true),
            commercial: Some(false),
            country: Some("SE".into()),
            project: Some("sleep-7".into()),
            ..Protocol::default()
        };
        let text = facts.text().unwrap();
        assert_eq!(
            text,
            r#"{"commercial":false,"country":"SE","disease":{"code":"44054006","system":"http://snomed.info/sct"},"notForProfit":true,"project":"sleep-7"}"#
        );
        assert_eq!(Protocol::read(&text), facts);
        assert_eq!(Protocol::default().text().unwrap(), "");
        for other in [
            "",
            "{}",
            "not-for-profit",
            r#"{"notForProfit":"yes"}"#,
            r#"{"notForProfit":true,"approved":true}"#,
            r#"{"notForProfit":true,"notForProfit":true}"#,
            r#"[{"notForProfit":true}]"#,
            "[null,true,true]",
            r#"{"notForProfit":true,"country":"SE"}"#,
            r#"{ "notForProfit":true}"#,
            r#"{"country":null,"notForProfit":true}"#,
            r#"{"country":"\u0053E"}"#,
            r#"{"notForProfit":true} and more"#,
        ] {
            assert_eq!(Protocol::read(other), Protocol::default(), "{other}");
        }
    }
}

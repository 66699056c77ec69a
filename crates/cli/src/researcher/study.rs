//! What the ethics board found out about a study, as it is typed and told.

use clap::Args;
use clap::builder::BoolishValueParser;
use rochdale_core::consent::{Disease, Protocol};

/// Facts of a study; what is not said is not known, and no member's condition holds by it.
#[derive(Clone, Debug, Args)]
pub struct StudyArgs {
    /// Whether the researcher works for a not-for-profit organisation
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    not_for_profit: Option<bool>,
    /// Whether the end is commercial
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    commercial: Option<bool>,
    /// Whether it is a genetic study
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    genetic: Option<bool>,
    /// Whether general methods are to be developed
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    methods: Option<bool>,
    /// Whether origins or ancestry of populations are studied
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    ancestry: Option<bool>,
    /// Whether the researcher undertakes to publish the results
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    publishes: Option<bool>,
    /// Whether the researcher undertakes to give back what is derived from the data
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    returns: Option<bool>,
    /// Whether the cooperative's own investigators take part
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    together: Option<bool>,
    /// Whether the researcher works for a public body
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new())]
    public_body: Option<bool>,
    /// The country of the research, by its two letters
    #[arg(long, value_name = "CC", value_parser = country)]
    country: Option<String>,
    /// The institution, by its ROR identifier
    #[arg(long, value_name = "ROR")]
    institution: Option<String>,
    /// The study's name with the board
    #[arg(long, value_name = "NAME")]
    study: Option<String>,
    /// The disease, for purpose ds
    #[arg(long, value_name = "SYSTEM|CODE", value_parser = disease)]
    disease: Option<Disease>,
}

impl StudyArgs {
    /// As the board signs it.
    pub fn protocol(self) -> Protocol {
        Protocol {
            disease: self.disease,
            ancestry: self.ancestry,
            publishes: self.publishes,
            returns: self.returns,
            public_body: self.public_body,
            not_for_profit: self.not_for_profit,
            commercial: self.commercial,
            methods_development: self.methods,
            genetic: self.genetic,
            collaboration: self.together,
            country: self.country,
            project: self.study,
            institution: self.institution,
        }
    }
}

/// What is known of a study, a fact each; or that nothing is.
pub fn facts(protocol: &Protocol) -> impl Iterator<Item = String> + use<> {
    let said = |fact: Option<bool>, yes: &str, no: &str| fact.map(|is| if is { yes } else { no }.to_owned());
    // What the board wrote goes to a terminal.
    let named = |what: &str, name: &Option<String>| name.as_ref().map(|name| format!("{what} {}", name.escape_debug()));
    let mut facts: Vec<String> = [
        said(protocol.not_for_profit, "by a not-for-profit organisation", "not by a not-for-profit organisation"),
        said(protocol.commercial, "for a commercial end", "for no commercial end"),
        said(protocol.genetic, "a genetic study", "no genetic study"),
        said(protocol.methods_development, "general methods are developed", "no general methods are developed"),
        said(protocol.ancestry, "origins or ancestry are studied", "no origins or ancestry are studied"),
        said(protocol.publishes, "results are published", "results need not be published"),
        said(protocol.returns, "what is derived comes back", "nothing comes back"),
        said(
            protocol.collaboration,
            "the cooperative's investigators take part",
            "none of the cooperative's investigators",
        ),
        said(protocol.public_body, "by a public body", "not by a public body"),
        named("in", &protocol.country),
        named("at", &protocol.institution),
        named("study", &protocol.project),
        protocol.disease.as_ref().map(|disease| {
            format!("of the disease {} of {}", disease.code.escape_debug(), disease.system.escape_debug())
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    if facts.is_empty() {
        facts.push("nothing: members who set conditions on who asks, where or what for are left out".to_owned());
    }
    facts.into_iter()
}

/// `SYSTEM|CODE`.
pub fn disease(text: &str) -> Result<Disease, String> {
    match text.split_once('|') {
        Some((system, code)) if !system.is_empty() && !code.is_empty() => {
            Ok(Disease { system: system.into(), code: code.into() })
        }
        _ => Err("write SYSTEM|CODE, such as http://snomed.info/sct|44054006".to_owned()),
    }
}

/// Two letters.
pub fn country(text: &str) -> Result<String, String> {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase()).ok_or_else(|| "write the country's two letters, such as SE".to_owned())
}

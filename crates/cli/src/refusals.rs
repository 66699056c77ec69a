//! What a contract's error means, in a sentence with its numbers in units and its times as dates.
//!
//! An error reaches this command in words, `Name(argument, …)`: by the node's own answer, or inside what the gateway says. The
//! table has every custom error of every contract; a test fails where one is missing.

use crate::when::{span, utc};
use rochdale_core::money::{DataWei, MicroUsdc};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Sentences by the name of the error.
static TABLE: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("refusals.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(": ")).collect()
});

/// The sentence for the first contract's error that a text names, if it names one.
pub fn explained(text: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(start) = text[from..].find(is_name).map(|at| from + at) {
        let end = text[start..].find(|c| !is_name(c)).map_or(text.len(), |at| start + at);
        if let Some(sentence) = TABLE.get(&text[start..end]) {
            let arguments = text[end..].strip_prefix('(').map(arguments);
            // A name alone is enough where the sentence needs no argument.
            if let Some(said) = filled(sentence, &arguments.unwrap_or_default()) {
                return Some(said);
            }
        }
        from = end;
    }
    None
}

/// The arguments behind an opening parenthesis; commas inside of quotes and brackets part nothing.
fn arguments(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' | ')' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
                if c == ')' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// A sentence with its arguments; none where one is missing.
fn filled(sentence: &str, arguments: &[&str]) -> Option<String> {
    let (mut said, mut rest) = (String::new(), sentence);
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}')?;
        let (place, unit) = place.split_once(':').unwrap_or((place, ""));
        said += before;
        said += &shown(arguments.get(place.parse::<usize>().ok()?)?, unit);
        rest = after;
    }
    Some(said + rest)
}

/// An argument in its unit; as it is where it is no such number.
fn shown(argument: &str, unit: &str) -> String {
    let number = argument.parse::<u128>().ok();
    let small = number.and_then(|number| u64::try_from(number).ok());
    let said = match unit {
        "usdc" => number.map(|n| MicroUsdc(n).to_string()),
        "token" => number.map(tokens),
        "time" => small.map(utc),
        "span" => small.map(span),
        "bps" => number.map(|n| format!("{}.{:02} %", n / 100, n % 100)),
        // The member house counts members, the token house the roots of what was earned, with 18 decimals.
        "votes" => number.map(|n| if n < 1_000_000 { count(n) } else { format!("{} votes", tokens(n)) }),
        "number" => argument.parse().ok().map(|id: alloy::primitives::U256| format!("{:.10}…", format!("{id:#066x}"))),
        "state" => number.map(|n| state(n).to_owned()),
        "status" => {
            number.and_then(|n| ["none", "granted", "revoked", "erased"].get(n as usize).map(|s| (*s).to_owned()))
        }
        "word" => word(argument),
        // What is refused inside a batch is named by its own error.
        _ => TABLE.get(argument).filter(|sentence| !sentence.contains('{')).map(|sentence| (*sentence).to_owned()),
    };
    said.unwrap_or_else(|| argument.to_owned())
}

fn count(votes: u128) -> String {
    if votes == 1 { "1 vote".to_owned() } else { format!("{votes} votes") }
}

fn tokens(wei: u128) -> String {
    let shown = DataWei(wei).to_string();
    shown.strip_suffix(" DATA").unwrap_or(&shown).to_owned()
}

/// Where a proposal stands, by the governor's number.
fn state(number: u128) -> &'static str {
    match number {
        0 => "is not open to votes yet",
        1 => "is still voted on",
        2 => "was taken back",
        3 => "lost its vote",
        4 => "won its vote and is not queued yet",
        5 => "waits in its timelock",
        6 => "lapsed",
        _ => "was executed already",
    }
}

/// Text that a contract keeps in 32 bytes.
fn word(argument: &str) -> Option<String> {
    let bytes = alloy::primitives::hex::decode(argument.strip_prefix("0x")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim_end_matches('\0');
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;
    use std::path::Path;

    /// Errors of all contracts, with their arguments' types.
    fn errors() -> BTreeMap<String, Vec<String>> {
        let abi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../abi");
        let mut found = BTreeMap::new();
        for file in std::fs::read_dir(abi).unwrap() {
            let file: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            for entry in file["abi"].as_array().unwrap().iter().filter(|entry| entry["type"] == "error") {
                let types = entry["inputs"].as_array().unwrap().iter();
                let types = types.map(|input| input["type"].as_str().unwrap().to_owned()).collect();
                found.insert(entry["name"].as_str().unwrap().to_owned(), types);
            }
        }
        found
    }

    #[test]
    fn point_11_every_error_of_every_contract_has_a_sentence_that_its_arguments_fit() {
        let errors = errors();
        assert!(errors.len() > 300, "{}", errors.len());
        for (name, types) in &errors {
            let sentence = TABLE.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no sentence in refusals.txt"));
            let example = |kind: &String| match kind.as_str() {
                "address" => format!("0x{}", "ab".repeat(20)),
                "string" => "\"field, (of) it\"".to_owned(),
                "bool" => "true".to_owned(),
                bytes if bytes.starts_with("bytes") => format!("0x{}", "61".repeat(32)),
                _ => "1".to_owned(),
            };
            let arguments: Vec<String> = types.iter().map(example).collect();
            let said =
                explained(&format!("f(uint256) would revert: {name}({}); nothing was sent", arguments.join(", ")));
            let said = said.unwrap_or_else(|| panic!("{name}: `{sentence}` takes more arguments than there are"));
            assert!(!said.contains(['{', '}']) && !said.contains(name.as_str()), "{name}: {said}");
        }
        let stale: Vec<_> = TABLE.keys().filter(|name| !errors.contains_key(**name)).collect();
        assert!(stale.is_empty(), "no contract has these errors any more: {stale:?}");
    }

    #[test]
    fn point_11_numbers_have_units_times_are_dates_and_what_is_not_ours_stays() {
        let said = |text: &str| explained(text).unwrap();
        assert_eq!(
            said("would revert: GovernorAlreadyCastVote(0xAb); nothing"),
            "0xAb has voted already; a vote cannot be changed"
        );
        let few = said("GovernorInsufficientProposerVotes(0xAb, 300000000000000000, 1000000000000000000)");
        assert_eq!(few, "0xAb has 0.30 votes, a proposal takes 1.00 votes");
        assert_eq!(said("GovernorInsufficientProposerVotes(0xAb, 0, 1)"), "0xAb has 0 votes, a proposal takes 1 vote");
        assert_eq!(
            said("LicenseSale_PriceExceeds(1500000, 1000000)"),
            "the price is 1.50 USDC, 1.00 USDC were allowed"
        );
        assert!(said("StewardBonds_StillUnbonding(0xAb, 86400)").ends_with("from 1970-01-02 00:00:00 UTC on"));
        let state = said("GovernorUnexpectedProposalState(1, 1, 0x00)");
        assert!(state.starts_with("proposal 0x00000000… is still voted on"), "{state}");
        let data = format!("0x{:0<64}", "44415441");
        let cap = format!("SettlementLedger_AwardExceedsCap({data}, 2000000000000000000, 1000000000000000000)");
        let cap = said(&cap);
        assert_eq!(cap, "the epoch awards 2.00 DATA, the cap is 1.00");
        let inner = said("ContributionRegistry_Refused(3, ContributionRegistry_CoolingDown)");
        assert_eq!(inner, "contribution 3 of the batch is refused: the member contributed lately and has to wait");
        assert_eq!(said("refused: ContributionRegistry_CoolingDown"), "the member contributed lately and has to wait");
        assert_eq!(explained("Panic: overflow, Error(\"x\")"), None);
        assert_eq!(explained("Market_NotHolder"), None, "its argument is missing");
    }
}

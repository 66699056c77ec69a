//! Numbers that contracts go by as well: `vectors/bounds.json`, which a test of theirs reads too.

#![allow(clippy::unwrap_used)]

use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    names: Vec<String>,
    values: Vec<String>,
}

/// The number of this name.
pub(crate) fn of(name: &str) -> u128 {
    let table: Table = serde_json::from_str(include_str!("../../../vectors/bounds.json")).unwrap();
    let place = table.names.iter().position(|known| known == name).unwrap();
    table.values[place].parse().unwrap()
}

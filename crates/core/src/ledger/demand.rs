//! What a member can have published of a pending root.

use serde::{Deserialize, Serialize};

/// What a member demands: without both it could not contest its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandKind {
    /// The row's leaf in the pending tree, with its path.
    #[default]
    Row,
    /// What is behind the leaf of the row's inputs, with its path.
    Inputs,
}

impl From<DemandKind> for u8 {
    fn from(kind: DemandKind) -> Self {
        match kind {
            DemandKind::Row => 0,
            DemandKind::Inputs => 1,
        }
    }
}

impl TryFrom<u8> for DemandKind {
    type Error = String;

    fn try_from(word: u8) -> Result<Self, String> {
        match word {
            0 => Ok(Self::Row),
            1 => Ok(Self::Inputs),
            other => Err(format!("{other} is no kind of demand: 0 is a row, 1 are inputs")),
        }
    }
}

impl std::str::FromStr for DemandKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = [Self::Row, Self::Inputs].into_iter().find(|kind| kind.to_string() == word);
        known.ok_or_else(|| format!("`{word}` is not `row` or `inputs`"))
    }
}

impl std::fmt::Display for DemandKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Row => "row",
            Self::Inputs => "inputs",
        })
    }
}

#[cfg(test)]
mod tests {

    use super::DemandKind;

    #[test]
    fn a_kind_is_the_word_that_the_contract_has_for_it() {
        for kind in [DemandKind::Row, DemandKind::Inputs] {
            assert_eq!(DemandKind::try_from(u8::from(kind)).unwrap(), kind);
        }
        assert_eq!("inputs".parse(), Ok(DemandKind::Inputs));
        assert!("rows".parse::<DemandKind>().unwrap_err().contains("`row` or `inputs`"));
        assert!(DemandKind::try_from(2).unwrap_err().contains("no kind"));
    }
}

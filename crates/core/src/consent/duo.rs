//! The pinned table of GA4GH Data Use Ontology terms (DUO, release 2021-02-23), by the number in `DUO:00000nn`.

use serde::{Deserialize, Serialize};

use crate::ids::Purpose;
use crate::query::Code;

/// A disease, as the consent or the request names it. Two are the same if their codes are: no ontology is consulted, since a wrong guess
/// would widen a consent.
pub type Disease = Code;

/// What data may be used for. A purpose is named by the same terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "term", deny_unknown_fields)]
pub enum Permission {
    /// NRES: no restriction.
    #[serde(rename = "DUO:0000004")]
    NoRestriction {},
    /// GRU: any research.
    #[serde(rename = "DUO:0000042")]
    GeneralResearch {},
    /// HMB: health, medical and biomedical research; not the study of origins or ancestry.
    #[serde(rename = "DUO:0000006")]
    HealthMedicalBiomedical {},
    /// DS: research into one disease.
    #[serde(rename = "DUO:0000007")]
    DiseaseSpecific {
        /// The disease that research must be about.
        disease: Disease,
    },
    /// POA: population origins or ancestry research only.
    #[serde(rename = "DUO:0000011")]
    PopulationOrigins {},
}

impl Permission {
    /// Numbers of all permissions, widest first.
    pub const NUMBERS: [u16; 5] = [4, 42, 6, 7, 11];

    /// The number in `DUO:00000nn`, which is the purpose code on chain.
    #[must_use]
    pub fn number(&self) -> u16 {
        match self {
            Self::NoRestriction {} => 4,
            Self::GeneralResearch {} => 42,
            Self::HealthMedicalBiomedical {} => 6,
            Self::DiseaseSpecific { .. } => 7,
            Self::PopulationOrigins {} => 11,
        }
    }

    /// Whether everything done for `purpose` is covered: HMB ⊂ GRU ⊂ NRES, DS ⊂ HMB, POA ⊂ GRU. A disease must be the same one; a
    /// request that names none is not covered by a consent that does.
    #[must_use]
    pub fn covers(&self, purpose: Purpose, disease: Option<&Disease>) -> bool {
        match (self, purpose.0) {
            (Self::NoRestriction {}, 4 | 42 | 6 | 7 | 11)
            | (Self::GeneralResearch {}, 42 | 6 | 7 | 11)
            | (Self::HealthMedicalBiomedical {}, 6 | 7)
            | (Self::PopulationOrigins {}, 11) => true,
            (Self::DiseaseSpecific { disease: consented }, 7) => disease == Some(consented),
            _ => false,
        }
    }
}

/// A condition on the use, with what it needs to be decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "term", deny_unknown_fields)]
pub enum Modifier {
    /// RS: only a certain kind of research, in words; people decide.
    #[serde(rename = "DUO:0000012")]
    ResearchSpecific {
        /// The kind of research, in words.
        research: String,
    },
    /// NMDS: no development of methods beyond the permitted research.
    #[serde(rename = "DUO:0000015")]
    NoGeneralMethods {},
    /// GSO: genetic studies only.
    #[serde(rename = "DUO:0000016")]
    GeneticStudiesOnly {},
    /// NPUNCU: by not-for-profit organisations **and** for non-commercial ends.
    #[serde(rename = "DUO:0000018")]
    NotForProfitNonCommercial {},
    /// PUB: results must be published.
    #[serde(rename = "DUO:0000019")]
    PublicationRequired {},
    /// COL: with the cooperative's own investigators.
    #[serde(rename = "DUO:0000020")]
    CollaborationRequired {},
    /// IRB: ethics approval.
    #[serde(rename = "DUO:0000021")]
    EthicsApprovalRequired {},
    /// GS: only in these countries.
    #[serde(rename = "DUO:0000022")]
    Geographic {
        /// ISO 3166-1 alpha-2, upper case.
        countries: Vec<String>,
    },
    /// MOR: no publication before a date.
    #[serde(rename = "DUO:0000024")]
    PublicationMoratorium {
        /// Unix seconds.
        until: u64,
    },
    /// TS: no use after a date.
    #[serde(rename = "DUO:0000025")]
    TimeLimit {
        /// Unix seconds; the last second of use.
        until: u64,
    },
    /// US: only by these users.
    #[serde(rename = "DUO:0000026")]
    UserSpecific {
        /// The accounts that may use it.
        users: Vec<alloy_primitives::Address>,
    },
    /// PS: only within these projects.
    #[serde(rename = "DUO:0000027")]
    ProjectSpecific {
        /// Their names with the ethics board.
        projects: Vec<String>,
    },
    /// IS: only within these institutions.
    #[serde(rename = "DUO:0000028")]
    InstitutionSpecific {
        /// ROR identifiers.
        institutions: Vec<String>,
    },
    /// RTN: derived data come back.
    #[serde(rename = "DUO:0000029")]
    ReturnToDatabase {},
    /// CC: clinical use and care is permitted as well. It widens, and no request here is for care, so it decides nothing.
    #[serde(rename = "DUO:0000043")]
    ClinicalCare {},
    /// NPOA: no study of population origins or ancestry.
    #[serde(rename = "DUO:0000044")]
    NoPopulationOrigins {},
    /// NPU: by not-for-profit organisations; what for does not matter. The ontology files it below NPUNCU, which is stricter.
    #[serde(rename = "DUO:0000045")]
    NotForProfit {},
    /// NCU: for non-commercial ends; by whom does not matter. Likewise.
    #[serde(rename = "DUO:0000046")]
    NonCommercial {},
}

/// A modifier without its arguments, for reasons and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModifierKind {
    /// The number in `DUO:00000nn`.
    pub number: u16,
    /// DUO's short form.
    pub short: &'static str,
}

impl core::fmt::Display for ModifierKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} (DUO:{:07})", self.short, self.number)
    }
}

impl Modifier {
    /// All modifiers of the pinned release.
    pub const TABLE: [(u16, &'static str); 18] = [
        (12, "RS"),
        (15, "NMDS"),
        (16, "GSO"),
        (18, "NPUNCU"),
        (19, "PUB"),
        (20, "COL"),
        (21, "IRB"),
        (22, "GS"),
        (24, "MOR"),
        (25, "TS"),
        (26, "US"),
        (27, "PS"),
        (28, "IS"),
        (29, "RTN"),
        (43, "CC"),
        (44, "NPOA"),
        (45, "NPU"),
        (46, "NCU"),
    ];

    /// Which one it is.
    #[must_use]
    pub fn kind(&self) -> ModifierKind {
        let row = match self {
            Self::ResearchSpecific { .. } => 0,
            Self::NoGeneralMethods {} => 1,
            Self::GeneticStudiesOnly {} => 2,
            Self::NotForProfitNonCommercial {} => 3,
            Self::PublicationRequired {} => 4,
            Self::CollaborationRequired {} => 5,
            Self::EthicsApprovalRequired {} => 6,
            Self::Geographic { .. } => 7,
            Self::PublicationMoratorium { .. } => 8,
            Self::TimeLimit { .. } => 9,
            Self::UserSpecific { .. } => 10,
            Self::ProjectSpecific { .. } => 11,
            Self::InstitutionSpecific { .. } => 12,
            Self::ReturnToDatabase {} => 13,
            Self::ClinicalCare {} => 14,
            Self::NoPopulationOrigins {} => 15,
            Self::NotForProfit {} => 16,
            Self::NonCommercial {} => 17,
        };
        let (number, short) = Self::TABLE[row];
        ModifierKind { number, short }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn disease(code: &str) -> Disease {
        Disease { system: "http://snomed.info/sct".into(), code: code.into() }
    }

    fn permissions() -> [Permission; 5] {
        let ds = Permission::DiseaseSpecific { disease: disease("44054006") };
        [
            Permission::NoRestriction {},
            Permission::GeneralResearch {},
            Permission::HealthMedicalBiomedical {},
            ds,
            Permission::PopulationOrigins {},
        ]
    }

    #[test]
    fn what_covers_what() {
        let wanted = disease("44054006");
        let table = [
            // for NRES  GRU   HMB   DS    POA
            [true, true, true, true, true],
            [false, true, true, true, true],
            [false, false, true, true, false],
            [false, false, false, true, false],
            [false, false, false, false, true],
        ];
        for (permission, row) in permissions().iter().zip(table) {
            for (purpose, covered) in Permission::NUMBERS.into_iter().zip(row) {
                assert_eq!(permission.covers(Purpose(purpose), Some(&wanted)), covered, "{permission:?} for {purpose}");
            }
            assert!(!permission.covers(Purpose(43), Some(&wanted)), "an unknown purpose");
        }
    }

    #[test]
    fn a_disease_is_the_same_or_not() {
        let ds = Permission::DiseaseSpecific { disease: disease("44054006") };
        assert!(!ds.covers(Purpose(7), Some(&disease("73211009"))));
        assert!(!ds.covers(Purpose(7), None));
        assert!(Permission::HealthMedicalBiomedical {}.covers(Purpose(7), None));
    }

    #[test]
    fn numbers_agree_with_the_json_terms() {
        for (permission, number) in permissions().into_iter().zip(Permission::NUMBERS) {
            assert_eq!(permission.number(), number);
            let json = serde_json::to_value(&permission).unwrap();
            assert_eq!(json["term"], format!("DUO:{number:07}"));
        }
        for (number, short) in Modifier::TABLE {
            let extra = match number {
                12 => r#","research":"x""#,
                22 => r#","countries":["SE"]"#,
                24 | 25 => r#","until":1"#,
                26 => r#","users":[]"#,
                27 => r#","projects":[]"#,
                28 => r#","institutions":[]"#,
                _ => "",
            };
            let json = format!(r#"{{"term":"DUO:{number:07}"{extra}}}"#);
            let modifier: Modifier = serde_json::from_str(&json).unwrap();
            assert_eq!(modifier.kind(), ModifierKind { number, short });
        }
        let unknown = serde_json::from_str::<Modifier>(r#"{"term":"DUO:0000099"}"#);
        assert!(unknown.unwrap_err().to_string().contains("unknown variant"));
    }
}

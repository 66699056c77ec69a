//! What a person can type after `rochdale member consent`, and what is chosen by it.

use crate::researcher::args::PurposeArg;
use crate::researcher::study::{country, disease};
use crate::ui::Agreed;
use crate::when::last_second;
use alloy::primitives::Address;
use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use rochdale_core::budget::NANO;
use rochdale_core::consent::{Choice, Disease, EhdsCategory, Modifier, Permission};
use std::collections::BTreeSet;

/// What is typed after `rochdale member consent`.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    /// The member, by the name on this machine
    #[arg(long)]
    pub name: String,
    /// Take the consent back: nothing is released any more
    #[arg(long, conflicts_with = "Chosen")]
    pub revoke: bool,
    #[command(flatten)]
    pub chosen: Chosen,
    #[command(flatten)]
    pub agreed: Agreed,
}

/// What records may be used for, by whom and until when.
#[derive(Debug, Args)]
pub struct Chosen {
    /// What research may be for; several may be named
    #[arg(long, value_enum, default_value = "hmb")]
    purpose: Vec<PurposeArg>,
    /// The disease of `--purpose ds`, as `SYSTEM|CODE`; it has to be the very code that a study names
    #[arg(long, value_name = "SYSTEM|CODE", value_parser = disease)]
    disease: Vec<Disease>,
    /// What the European Health Data Space calls the use, (a) to (f) as 1 to 6; several may be named
    #[arg(long, value_name = "1-6", default_value = "5", value_parser = clap::value_parser!(u8).range(1..=6))]
    ehds: Vec<u8>,
    /// Only on this condition; several may be named
    #[arg(long, value_enum, value_name = "CONDITION")]
    only: Vec<OnlyArg>,
    /// Only in this country, by its two letters; several may be named
    #[arg(long, value_name = "CC", value_parser = country)]
    country: Vec<String>,
    /// Only at this institution, by its ROR identifier; several may be named
    #[arg(long, value_name = "ROR")]
    institution: Vec<String>,
    /// Only in this study, by its name with the ethics board; several may be named
    #[arg(long, value_name = "NAME")]
    study: Vec<String>,
    /// Only by the researcher of this account; several may be named
    #[arg(long, value_name = "ADDRESS")]
    researcher: Vec<Address>,
    /// Until the end of this day, UTC
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = last_second)]
    pub until: Option<u64>,
    /// Nothing is released once questions have charged this much of the privacy budget in all, in zCDP, such as 0.5
    #[arg(long, value_name = "ZCDP", value_parser = nano)]
    lifetime_budget: Option<u64>,
    /// The most that becomes free with each year since joining, in zCDP; what earlier years left is free, too
    #[arg(long, value_name = "ZCDP", value_parser = nano)]
    yearly_budget: Option<u64>,
}

/// Conditions without a list, by the terms of the Data Use Ontology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnlyArg {
    /// By not-for-profit organisations (DUO:0000045)
    NotForProfit,
    /// For no commercial end (DUO:0000046)
    NonCommercial,
    /// For genetic studies (DUO:0000016)
    Genetic,
    /// For no general methods (DUO:0000015)
    NoMethods,
    /// For no study of origins or ancestry (DUO:0000044)
    NoAncestry,
    /// Together with the cooperative's own investigators (DUO:0000020)
    Together,
    /// By those who undertake to publish the results (DUO:0000019)
    Published,
    /// By those who undertake to give back what they derive (DUO:0000029)
    Returned,
}

impl OnlyArg {
    fn modifier(self) -> Modifier {
        match self {
            Self::NotForProfit => Modifier::NotForProfit {},
            Self::NonCommercial => Modifier::NonCommercial {},
            Self::Genetic => Modifier::GeneticStudiesOnly {},
            Self::NoMethods => Modifier::NoGeneralMethods {},
            Self::NoAncestry => Modifier::NoPopulationOrigins {},
            Self::Together => Modifier::CollaborationRequired {},
            Self::Published => Modifier::PublicationRequired {},
            Self::Returned => Modifier::ReturnToDatabase {},
        }
    }
}

impl Chosen {
    /// The choice of a consent receipt.
    pub fn choice(&self) -> Result<Choice> {
        ensure!(
            self.purpose.contains(&PurposeArg::Ds) != self.disease.is_empty(),
            "`--purpose ds` and `--disease SYSTEM|CODE` go together: which disease is meant?"
        );
        let mut permissions: BTreeSet<Permission> = self.purpose.iter().filter_map(|one| one.permission()).collect();
        permissions.extend(self.disease.iter().cloned().map(|disease| Permission::DiseaseSpecific { disease }));
        let mut modifiers: BTreeSet<Modifier> = self.only.iter().map(|one| one.modifier()).collect();
        modifiers.insert(Modifier::EthicsApprovalRequired {});
        let lists = [
            (&self.country, (|countries| Modifier::Geographic { countries }) as fn(Vec<String>) -> Modifier),
            (&self.institution, |institutions| Modifier::InstitutionSpecific { institutions }),
            (&self.study, |projects| Modifier::ProjectSpecific { projects }),
        ];
        modifiers.extend(lists.into_iter().filter(|(list, _)| !list.is_empty()).map(|(list, of)| of(list.clone())));
        if !self.researcher.is_empty() {
            modifiers.insert(Modifier::UserSpecific { users: self.researcher.clone() });
        }
        let ehds = self.ehds.iter().filter_map(|code| EhdsCategory::from_code(*code)).collect();
        let (lifetime_rho, yearly_rho) = (self.lifetime_budget, self.yearly_budget);
        Ok(Choice { permissions, modifiers, ehds, export: false, lifetime_rho, yearly_rho })
    }
}

/// Nano-zCDP of a decimal number of zCDP.
fn nano(text: &str) -> Result<u64, String> {
    let parsed = || {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
            return None;
        }
        let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(NANO)?.checked_add(fraction)
    };
    parsed().ok_or_else(|| "write zCDP as a number with at most nine digits after the point, such as 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: ConsentArgs,
    }

    fn typed(line: &str) -> Result<Choice> {
        let words = ["consent", "--name", "ada"].into_iter().chain(line.split_whitespace());
        Typed::try_parse_from(words).context("not understood")?.args.chosen.choice()
    }

    #[test]
    fn what_is_typed_is_chosen_and_nothing_else() {
        assert_eq!(typed("").unwrap(), Choice::health_research());
        let chosen = typed(
            "--purpose hmb --purpose ds --disease http://snomed.info/sct|44054006 --only not-for-profit --only returned \
             --country se --country NO --study sleep-7 --ehds 5 --ehds 4 --lifetime-budget 0.5 --yearly-budget 0.000000001",
        )
        .unwrap();
        let disease = Disease { system: "http://snomed.info/sct".into(), code: "44054006".into() };
        let expected = Choice {
            permissions: [Permission::HealthMedicalBiomedical {}, Permission::DiseaseSpecific { disease }].into(),
            modifiers: [
                Modifier::EthicsApprovalRequired {},
                Modifier::NotForProfit {},
                Modifier::ReturnToDatabase {},
                Modifier::Geographic { countries: vec!["SE".into(), "NO".into()] },
                Modifier::ProjectSpecific { projects: vec!["sleep-7".into()] },
            ]
            .into(),
            ehds: [EhdsCategory::ScientificResearch, EhdsCategory::Education].into(),
            export: false,
            lifetime_rho: Some(NANO / 2),
            yearly_rho: Some(1),
        };
        assert_eq!(chosen, expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "--purpose ds",
            "--disease http://snomed.info/sct|44054006",
            "--purpose ds --disease 44054006",
            "--country Sweden",
            "--until tomorrow",
            "--until 2027-02-30",
            "--lifetime-budget 0,5",
            "--lifetime-budget -1",
            "--yearly-budget 0.0000000001",
            "--ehds 7",
            "--revoke --country SE",
        ] {
            assert!(typed(line).is_err(), "{line}");
        }
    }
}

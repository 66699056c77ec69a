//! What a member chose, in words that a person is shown before it is signed, and afterwards.

use rochdale_core::budget::NANO;
use rochdale_core::consent::{Choice, EhdsCategory, Modifier, Permission};
use rochdale_core::ids::Purpose;

/// What a consent of `choice` permits and on which conditions, a sentence each; `date` writes Unix seconds as a date.
#[must_use]
pub fn words(choice: &Choice, date: impl Fn(u64) -> String) -> Vec<String> {
    let purposes: Vec<String> = choice.permissions.iter().map(permission).collect();
    let mut said = vec![format!("Your records may be used for {}.", list(&purposes, "or"))];
    let ehds: Vec<String> = choice.ehds.iter().map(|category| purpose_of_the_health_data_space(*category)).collect();
    said.push(format!("Of what the European Health Data Space lets data be used for: {}.", list(&ehds, "and")));
    said.extend(choice.modifiers.iter().map(|modifier| condition(modifier, &date)));
    let of_a_disease = choice.permissions.iter().any(|one| matches!(one, Permission::DiseaseSpecific { .. }));
    let by_public_bodies = choice.ehds.iter().any(|category| category.is_for_public_bodies());
    if of_a_disease || by_public_bodies || choice.modifiers.iter().any(turns_on_facts) {
        said.push(
            "Whether a condition on who asks, where and what for holds, the ethics board says for each study; \
             of a study of which it says nothing, your records are left out."
                .to_owned(),
        );
    }
    said.push(match choice.export {
        true => "De-identified records may leave the cooperative, where noise protects them no more.".to_owned(),
        false => "Your records never leave: researchers get answers with noise alone.".to_owned(),
    });
    said.extend(choice.lifetime_rho.map(|rho| {
        format!("Nothing is released once questions have charged {} of your privacy budget in all.", zcdp(rho))
    }));
    said.extend(choice.yearly_rho.map(|rho| {
        format!(
            "Of your privacy budget {} become free with each year since you joined; what earlier years left is free, too.",
            zcdp(rho)
        )
    }));
    said
}

/// Nano-zCDP as people read them: at least three digits after the point, and no more zeros.
#[must_use]
pub fn zcdp(nano: u64) -> String {
    let fraction = format!("{:09}", nano % NANO);
    let digits = fraction.trim_end_matches('0').len().max(3);
    format!("{}.{} zCDP", nano / NANO, &fraction[..digits])
}

/// `a`, `a or b`, `a, b or c`.
fn list(all: &[String], last: &str) -> String {
    match all {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

fn permission(permission: &Permission) -> String {
    match permission {
        Permission::DiseaseSpecific { disease } => {
            format!("research of the disease {} of {}", disease.code, disease.system)
        }
        other => purpose(Purpose(other.number())),
    }
}

/// What a purpose is in words.
#[must_use]
pub fn purpose(purpose: Purpose) -> String {
    match purpose.0 {
        4 => "any use".to_owned(),
        42 => "research of every kind".to_owned(),
        6 => "health, medical and biomedical research".to_owned(),
        7 => "research of one disease".to_owned(),
        11 => "research of populations and ancestry".to_owned(),
        other => format!("purpose DUO:{other:07}"),
    }
}

fn purpose_of_the_health_data_space(category: EhdsCategory) -> String {
    match category {
        EhdsCategory::PublicHealth => "public and occupational health, by public bodies",
        EhdsCategory::Policy => "policy making, by public bodies",
        EhdsCategory::Statistics => "statistics, by public bodies",
        EhdsCategory::Education => "education and teaching",
        EhdsCategory::ScientificResearch => "scientific research",
        EhdsCategory::CareImprovement => "the improvement of care",
    }
    .to_owned()
}

/// Whether people have to find out if a condition holds.
fn turns_on_facts(modifier: &Modifier) -> bool {
    !matches!(
        modifier,
        Modifier::EthicsApprovalRequired {}
            | Modifier::PublicationMoratorium { .. }
            | Modifier::TimeLimit { .. }
            | Modifier::UserSpecific { .. }
            | Modifier::ClinicalCare {}
    )
}

/// One condition, or what whoever uses the data has to do.
#[must_use]
pub fn condition(modifier: &Modifier, date: impl Fn(u64) -> String) -> String {
    match modifier {
        Modifier::ResearchSpecific { research } => {
            format!("Only for this kind of research, which nobody judges yet, so that nothing is used: {research}.")
        }
        Modifier::NoGeneralMethods {} => "Not to develop general methods.".to_owned(),
        Modifier::GeneticStudiesOnly {} => "Only for genetic studies.".to_owned(),
        Modifier::NotForProfitNonCommercial {} => {
            "Only by not-for-profit organisations, and for no commercial end.".to_owned()
        }
        Modifier::PublicationRequired {} => "Only by those who undertake to publish the results.".to_owned(),
        Modifier::CollaborationRequired {} => "Only together with the cooperative's own investigators.".to_owned(),
        Modifier::EthicsApprovalRequired {} => "Only where the ethics board approved the researcher.".to_owned(),
        Modifier::Geographic { countries } => format!("Only in {}.", list(countries, "or")),
        Modifier::PublicationMoratorium { until } => format!("Nothing is published before {}.", date(*until)),
        Modifier::TimeLimit { until } => format!("Nothing is used after {}.", date(*until)),
        Modifier::UserSpecific { users } => {
            let users: Vec<String> = users.iter().map(ToString::to_string).collect();
            format!("Only by {}.", list(&users, "or"))
        }
        Modifier::ProjectSpecific { projects } => format!("Only in the study {}.", list(projects, "or")),
        Modifier::InstitutionSpecific { institutions } => format!("Only at {}.", list(institutions, "or")),
        Modifier::ReturnToDatabase {} => {
            "Only by those who undertake to give back what they derive from the data.".to_owned()
        }
        Modifier::ClinicalCare {} => "Clinical use is permitted, too.".to_owned(),
        Modifier::NoPopulationOrigins {} => "Not for the study of populations and ancestry.".to_owned(),
        Modifier::NotForProfit {} => "Only by not-for-profit organisations.".to_owned(),
        Modifier::NonCommercial {} => "For no commercial end.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zcdp_is_exact() {
        assert_eq!(zcdp(0), "0.000 zCDP");
        assert_eq!(zcdp(50_000_000), "0.050 zCDP");
        assert_eq!(zcdp(1_000_000_001), "1.000000001 zCDP");
    }

    #[test]
    fn a_choice_is_told_whole() {
        let plain = words(&Choice::health_research(), |_| String::new());
        assert_eq!(
            plain,
            [
                "Your records may be used for health, medical and biomedical research.",
                "Of what the European Health Data Space lets data be used for: scientific research.",
                "Only where the ethics board approved the researcher.",
                "Your records never leave: researchers get answers with noise alone.",
            ]
        );
        let choice = Choice {
            permissions: [Permission::HealthMedicalBiomedical {}, Permission::PopulationOrigins {}].into(),
            modifiers: [Modifier::NotForProfit {}, Modifier::TimeLimit { until: 7 }].into(),
            lifetime_rho: Some(NANO / 2),
            yearly_rho: Some(1),
            ..Choice::health_research()
        };
        let said = words(&choice, |at| format!("day {at}")).join("\n");
        for part in [
            "biomedical research or research of populations",
            "Only by not-for-profit organisations.",
            "after day 7.",
            "the ethics board says for each study",
            "once questions have charged 0.500 zCDP of your privacy budget in all.",
            "0.000000001 zCDP become free with each year since you joined",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

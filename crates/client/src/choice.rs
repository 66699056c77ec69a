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
    if choice.modifiers.iter().any(turns_on_facts) {
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
    for (rho, span) in [(choice.lifetime_rho, "for life"), (choice.yearly_rho, "for each year of membership")] {
        said.extend(rho.map(|rho| format!("At most {} of your privacy budget is spent {span}.", zcdp(rho))));
    }
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
        Modifier::PublicationRequired {}
            | Modifier::EthicsApprovalRequired {}
            | Modifier::PublicationMoratorium { .. }
            | Modifier::TimeLimit { .. }
            | Modifier::UserSpecific { .. }
            | Modifier::ReturnToDatabase {}
            | Modifier::ClinicalCare {}
            | Modifier::NoPopulationOrigins {}
    )
}

/// One condition, or what whoever uses the data has to do.
#[must_use]
pub fn condition(modifier: &Modifier, date: impl Fn(u64) -> String) -> String {
    match modifier {
        Modifier::ResearchSpecific { research } => {
            format!("Only for this kind of research, which the ethics board judges each time: {research}.")
        }
        Modifier::NoGeneralMethods {} => "Not to develop general methods.".to_owned(),
        Modifier::GeneticStudiesOnly {} => "Only for genetic studies.".to_owned(),
        Modifier::NotForProfitNonCommercial {} => {
            "Only by not-for-profit organisations, and for no commercial end.".to_owned()
        }
        Modifier::PublicationRequired {} => "Results have to be published.".to_owned(),
        Modifier::CollaborationRequired {} => "Only together with the cooperative's own investigators.".to_owned(),
        Modifier::EthicsApprovalRequired {} => "Only where the ethics board approved the researcher.".to_owned(),
        Modifier::Geographic { countries } => format!("Only in {}.", list(countries, "and")),
        Modifier::PublicationMoratorium { until } => format!("Nothing is published before {}.", date(*until)),
        Modifier::TimeLimit { until } => format!("Nothing is used after {}.", date(*until)),
        Modifier::UserSpecific { users } => {
            let users: Vec<String> = users.iter().map(ToString::to_string).collect();
            format!("Only by {}.", list(&users, "and"))
        }
        Modifier::ProjectSpecific { projects } => format!("Only in the studies {}.", list(projects, "and")),
        Modifier::InstitutionSpecific { institutions } => format!("Only at {}.", list(institutions, "and")),
        Modifier::ReturnToDatabase {} => "What is derived from the data comes back to the cooperative.".to_owned(),
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
            "At most 0.500 zCDP of your privacy budget is spent for life.",
            "At most 0.000000001 zCDP of your privacy budget is spent for each year of membership.",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

//! Consents against requests, over the whole pinned table: what each condition decides, and that nothing but a condition narrows.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rochdale_core::consent::{
    Choice, Controller, Decision, Disease, EhdsCategory, Modifier, Notice, Permission, Protocol, Receipt, Request,
    Right, could_match, matches,
};
use rochdale_core::ids::{MemberId, Purpose};

const NOW: u64 = 1_000;

/// The order in which one beats another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Deny,
    Abstain,
    Approve,
}

fn verdict(choice: &Choice, request: &Request) -> Verdict {
    let controller = Controller { name: "x".into(), contact: "x".into(), chain_id: 1, registry: Address::ZERO };
    let notice = Notice { language: "en".into(), digest: B256::ZERO };
    match matches(&Receipt::new(MemberId(1), 1, controller, notice, choice.clone(), 0, 0), request) {
        Decision::Approve { .. } => Verdict::Approve,
        Decision::Abstain { reasons } => {
            assert!(!reasons.is_empty());
            Verdict::Abstain
        }
        Decision::Deny { reasons } => {
            assert!(!reasons.is_empty());
            Verdict::Deny
        }
    }
}

fn disease(code: &str) -> Disease {
    Disease { system: "http://snomed.info/sct".into(), code: code.into() }
}

fn permissions() -> Vec<Permission> {
    vec![
        Permission::NoRestriction {},
        Permission::GeneralResearch {},
        Permission::HealthMedicalBiomedical {},
        Permission::DiseaseSpecific { disease: disease("44054006") },
        Permission::PopulationOrigins {},
    ]
}

/// Every modifier of the table, those with a list or a time in a form that `here` fulfils.
fn modifiers() -> Vec<Modifier> {
    vec![
        Modifier::ResearchSpecific { research: "sleep".into() },
        Modifier::NoGeneralMethods {},
        Modifier::GeneticStudiesOnly {},
        Modifier::NotForProfitNonCommercial {},
        Modifier::PublicationRequired {},
        Modifier::CollaborationRequired {},
        Modifier::EthicsApprovalRequired {},
        Modifier::Geographic { countries: vec!["SE".into()] },
        Modifier::PublicationMoratorium { until: NOW + 1 },
        Modifier::TimeLimit { until: NOW },
        Modifier::UserSpecific { users: vec![Address::repeat_byte(1)] },
        Modifier::ProjectSpecific { projects: vec!["p".into()] },
        Modifier::InstitutionSpecific { institutions: vec!["i".into()] },
        Modifier::ReturnToDatabase {},
        Modifier::ClinicalCare {},
        Modifier::NoPopulationOrigins {},
        Modifier::NotForProfit {},
        Modifier::NonCommercial {},
    ]
}

const ALL_EHDS: [EhdsCategory; 6] = [
    EhdsCategory::PublicHealth,
    EhdsCategory::Policy,
    EhdsCategory::Statistics,
    EhdsCategory::Education,
    EhdsCategory::ScientificResearch,
    EhdsCategory::CareImprovement,
];

fn fact() -> impl Strategy<Value = Option<bool>> {
    select(vec![None, Some(false), Some(true)])
}

fn name(known: &'static str) -> impl Strategy<Value = Option<String>> {
    select(vec![None, Some(known.to_owned()), Some("other".to_owned())])
}

prop_compose! {
    fn a_protocol()(
        disease in select(vec![None, Some(disease("44054006")), Some(disease("73211009"))]),
        facts in [fact(), fact(), fact(), fact(), fact(), fact(), fact(), fact(), fact()],
        country in name("SE"),
        project in name("p"),
        institution in name("i"),
    ) -> Protocol {
        let [public_body, not_for_profit, commercial, methods_development, genetic, collaboration, ancestry, publishes, returns] = facts;
        Protocol {
            disease, public_body, not_for_profit, commercial, methods_development, genetic, collaboration, ancestry, publishes, returns, country, project, institution,
        }
    }
}

prop_compose! {
    fn a_request()(
        right in select(vec![Right::Query, Right::Export]),
        purpose in select(vec![4u16, 42, 6, 7, 11, 43]),
        ehds in select(ALL_EHDS.to_vec()),
        user in 1..=2u8,
        late in 0..=1u64,
        ethics_approved: bool,
        protocol in a_protocol(),
    ) -> Request {
        let (user, now) = (Address::repeat_byte(user), NOW + late);
        Request { right, purpose: Purpose(purpose), ehds, user, now, ethics_approved, protocol }
    }
}

prop_compose! {
    fn a_choice()(
        permissions in subsequence(permissions(), 0..=5),
        modifiers in subsequence(modifiers(), 0..=4),
        ehds in subsequence(ALL_EHDS.to_vec(), 0..=6),
        export: bool,
    ) -> Choice {
        let (permissions, modifiers) = (permissions.into_iter().collect(), modifiers.into_iter().collect());
        Choice { permissions, modifiers, ehds: ehds.into_iter().collect(), export, ..Choice::default() }
    }
}

/// What each condition says of a request, by the table in words alone: `None` is for people.
fn holds(modifier: &Modifier, request: &Request) -> Option<bool> {
    let Protocol { not_for_profit, commercial, methods_development, genetic, collaboration, .. } = request.protocol;
    let is = |known: &Option<String>, wanted: &str| known.as_ref().map(|known| known == wanted);
    match modifier.kind().short {
        "RS" => None,
        "NMDS" => methods_development.map(|does| !does),
        "GSO" => genetic,
        // Of two that must hold, one that does not decides.
        "NPUNCU" => match (not_for_profit, commercial) {
            (Some(false), _) | (_, Some(true)) => Some(false),
            (Some(true), Some(false)) => Some(true),
            _ => None,
        },
        "COL" => collaboration,
        "IRB" => Some(request.ethics_approved),
        "GS" => is(&request.protocol.country, "SE"),
        "TS" => Some(request.now <= NOW),
        "US" => Some(request.user == Address::repeat_byte(1)),
        "PS" => is(&request.protocol.project, "p"),
        "IS" => is(&request.protocol.institution, "i"),
        "NPOA" => match request.purpose.0 {
            11 => Some(false),
            4 | 42 => request.protocol.ancestry.map(|studies| !studies),
            _ => Some(true),
        },
        "PUB" => request.protocol.publishes,
        "RTN" => request.protocol.returns,
        "NPU" => not_for_profit,
        "NCU" => commercial.map(|is| !is),
        // They say what to do afterwards, or widen.
        "MOR" | "CC" => Some(true),
        other => panic!("{other} is not in the table"),
    }
}

#[test]
fn the_table_is_whole() {
    let kinds: BTreeSet<_> = modifiers().iter().map(|modifier| modifier.kind().number).collect();
    assert_eq!(kinds, Modifier::TABLE.iter().map(|(number, _)| *number).collect());
    assert_eq!(permissions().iter().map(Permission::number).collect::<Vec<_>>(), Permission::NUMBERS);
}

/// Every permission with every modifier alone, for every purpose and right: the verdict is that of the table.
#[test]
fn each_condition_alone_decides_as_the_table_says() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let requests: Vec<Request> = (0..200)
        .map(|_| {
            Strategy::new_tree(&a_request(), &mut runner).map(|tree| proptest::strategy::ValueTree::current(&tree))
        })
        .collect::<Result<_, _>>()
        .unwrap();
    for permission in permissions() {
        for modifier in modifiers() {
            for request in &requests {
                let covers = permission.covers(request.purpose, request.protocol.disease.as_ref());
                let body = match request.ehds.is_for_public_bodies() {
                    true => request.protocol.public_body,
                    false => Some(true),
                };
                let parts = [Some(covers), body, Some(request.right == Right::Query), holds(&modifier, request)];
                let expected = match parts {
                    parts if parts.contains(&Some(false)) => Verdict::Deny,
                    parts if parts.contains(&None) => Verdict::Abstain,
                    _ => Verdict::Approve,
                };
                let choice = Choice {
                    permissions: [permission.clone()].into(),
                    modifiers: [modifier.clone()].into(),
                    ehds: ALL_EHDS.into(),
                    ..Choice::default()
                };
                assert_eq!(verdict(&choice, request), expected, "{permission:?}, {modifier:?}, {request:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_condition_never_widens_and_a_permission_never_narrows(
        choice in a_choice(), request in a_request(), more in select(modifiers()), wider in select(permissions()), ehds in select(ALL_EHDS.to_vec()),
    ) {
        let before = verdict(&choice, &request);
        let mut narrowed = choice.clone();
        narrowed.modifiers.insert(more);
        prop_assert!(verdict(&narrowed, &request) <= before);
        let mut widened = choice;
        widened.permissions.insert(wider);
        widened.ehds.insert(ehds);
        widened.export = true;
        prop_assert!(verdict(&widened, &request) >= before);
    }

    /// Who asks for less gets no less, unless a condition names it: research of origins is what NPOA leaves out.
    #[test]
    fn a_narrower_purpose_is_denied_by_a_condition_alone(choice in a_choice(), request in a_request(), narrow in select(vec![(4u16, 42u16), (42, 6), (6, 7), (42, 11)])) {
        let (wide, narrow) = narrow;
        let before = verdict(&choice, &Request { purpose: Purpose(wide), ..request.clone() });
        let after = verdict(&choice, &Request { purpose: Purpose(narrow), ..request.clone() });
        let names_origins = narrow == 11 && choice.modifiers.contains(&Modifier::NoPopulationOrigins {});
        prop_assert!(after >= before || names_origins, "{before:?} for {wide}, {after:?} for {narrow}");
        let query = verdict(&choice, &Request { right: Right::Query, ..request.clone() });
        let export = verdict(&choice, &Request { right: Right::Export, ..request });
        prop_assert!(query >= export);
    }

    /// Who could not be matched by any study is matched by none.
    #[test]
    fn nobody_is_drawn_who_is_not_counted(choice in a_choice(), request in a_request()) {
        let request = Request { right: Right::Query, ..request };
        let controller = Controller { name: "x".into(), contact: "x".into(), chain_id: 1, registry: Address::ZERO };
        let notice = Notice { language: "en".into(), digest: B256::ZERO };
        let receipt = Receipt::new(MemberId(1), 1, controller, notice, choice.clone(), 0, 0);
        let counted = could_match(&receipt, request.purpose, request.now);
        prop_assert!(counted || verdict(&choice, &request) != Verdict::Approve);
    }

    /// What comes to be known decides what was open; it turns no approval into a denial and no denial into anything.
    #[test]
    fn a_fact_that_comes_to_be_known_decides_what_was_open_alone(choice in a_choice(), request in a_request()) {
        let less = Request { protocol: Protocol { disease: request.protocol.disease.clone(), ..Protocol::default() }, ..request.clone() };
        let (blind, known) = (verdict(&choice, &less), verdict(&choice, &request));
        prop_assert!(blind == known || blind == Verdict::Abstain, "{blind:?} unknown, {known:?} known");
    }
}

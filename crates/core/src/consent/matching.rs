//! Does a consent cover a request? DENY beats ABSTAIN beats APPROVE; what nothing permits is denied.
//!
//! A fact about the request that is not known (`None`) never approves: where a condition turns on it, the matcher abstains, and the ethics board finds out.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use super::duo::{Modifier, ModifierKind, Permission};
use super::ehds::EhdsCategory;
use super::protocol::Protocol;
use super::receipt::Receipt;
use crate::ids::Purpose;

/// What a license lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Noisy answers.
    Query,
    /// De-identified records.
    Export,
}

/// A request, as the license, the ethics approval and the researcher state it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The license's right.
    pub right: Right,
    /// The license's purpose: the number of a DUO permission.
    pub purpose: Purpose,
    /// The license's category.
    pub ehds: EhdsCategory,
    /// The license's holder.
    pub user: Address,
    /// Unix seconds of block time.
    pub now: u64,
    /// The ethics board approved this researcher for this purpose.
    pub ethics_approved: bool,
    /// What the board found out about the study.
    #[serde(default)]
    pub protocol: Protocol,
}

impl Request {
    /// A query by a holder of whose study nothing is known.
    #[must_use]
    pub fn query(purpose: Purpose, ehds: EhdsCategory, user: Address, ethics_approved: bool, now: u64) -> Self {
        Self { right: Right::Query, purpose, ehds, user, now, ethics_approved, protocol: Protocol::default() }
    }
}

/// Why a request is not simply approved.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Default deny.
    #[error("no permission of the consent covers purpose DUO:{0:07}")]
    Purpose(u16),
    /// Not one of the EHDS categories consented to.
    #[error("the consent does not list EHDS article 53(1) category {0:?}")]
    Ehds(EhdsCategory),
    /// Categories (a) to (c).
    #[error("EHDS article 53(1) category {0:?} is for public bodies only")]
    PublicBodiesOnly(EhdsCategory),
    /// Not known to be a public body.
    #[error(
        "EHDS article 53(1) category {0:?} is for public bodies only, and it is not known whether the holder is one"
    )]
    PublicBodyUnknown(EhdsCategory),
    /// Export needs its own consent.
    #[error("the consent does not permit export")]
    Export,
    /// A condition does not hold.
    #[error("the consent's condition {term} does not hold: {why}")]
    Violated {
        /// The DUO term.
        term: String,
        /// The reason, in words for a person.
        why: &'static str,
    },
    /// A condition that people must judge.
    #[error("the consent's condition {term} is for the ethics board: {why}")]
    Undecided {
        /// The DUO term.
        term: String,
        /// The reason, in words for a person.
        why: &'static str,
    },
}

/// What the holder must do or leave after an approval.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obligation {
    /// EHDS article 54: no decisions to a person's detriment, no marketing, no harmful products. Always there.
    ProhibitedUses,
    /// Publish the results.
    Publish,
    /// Publish nothing before (unix seconds).
    PublishNotBefore(u64),
    /// Stop after (unix seconds).
    StopAfter(u64),
    /// Give derived data back.
    ReturnResults,
    /// Work with the cooperative's investigators.
    Collaborate,
    /// Do not study population origins or ancestry.
    NoPopulationOrigins,
    /// Develop no general methods.
    NoGeneralMethods,
}

/// Whether a consent covers a use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Covered, with what follows.
    Approve {
        /// In order, each once.
        obligations: Vec<Obligation>,
    },
    /// For the ethics board; until it decides, nothing is released.
    Abstain {
        /// At least one.
        reasons: Vec<Reason>,
    },
    /// The consent does not cover the use.
    Deny {
        /// At least one.
        reasons: Vec<Reason>,
    },
}

impl Decision {
    /// Whether data may be released.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        matches!(self, Self::Approve { .. })
    }
}

/// Whether some study of this purpose would be approved at `now`, whoever asks and whatever the ethics board finds out: nobody else can come to
/// be drawn for it.
#[must_use]
pub fn could_match(receipt: &Receipt, purpose: Purpose, now: u64) -> bool {
    let choice = &receipt.choice;
    let diseases = choice.permissions.iter().filter_map(|permission| match permission {
        Permission::DiseaseSpecific { disease } => Some(disease.clone()),
        _ => None,
    });
    // No condition turns on the disease: one of them stands for all.
    let diseases: Vec<_> = std::iter::once(None).chain(diseases.take(1).map(Some)).collect();
    let listed = choice.modifiers.iter().flat_map(|modifier| match modifier {
        Modifier::UserSpecific { users } => users.as_slice(),
        _ => &[],
    });
    let users: Vec<Address> = std::iter::once(Address::ZERO).chain(listed.copied()).collect();
    let judged_in_words = choice.modifiers.iter().any(|modifier| matches!(modifier, Modifier::ResearchSpecific { .. }));
    let mut studies = users.iter().flat_map(|user| diseases.iter().map(move |disease| (user, disease)));
    !judged_in_words
        && studies.any(|(user, disease)| {
            choice.ehds.iter().any(|ehds| {
                let protocol = Protocol { disease: disease.clone(), ..Protocol::default() };
                let request = Request { protocol, ..Request::query(purpose, *ehds, *user, true, now) };
                !matches!(matches(receipt, &request), Decision::Deny { .. })
            })
        })
}

#[derive(Default)]
struct Verdict {
    deny: Vec<Reason>,
    abstain: Vec<Reason>,
    obligations: Vec<Obligation>,
}

/// Matches a consent against a request. Every condition is looked at, so that all reasons come at once.
#[must_use]
pub fn matches(receipt: &Receipt, request: &Request) -> Decision {
    let choice = &receipt.choice;
    let mut verdict = Verdict { obligations: vec![Obligation::ProhibitedUses], ..Verdict::default() };
    if !choice
        .permissions
        .iter()
        .any(|permission| permission.covers(request.purpose, request.protocol.disease.as_ref()))
    {
        verdict.deny.push(Reason::Purpose(request.purpose.0));
    }
    if !choice.ehds.contains(&request.ehds) {
        verdict.deny.push(Reason::Ehds(request.ehds));
    }
    if request.ehds.is_for_public_bodies() {
        match request.protocol.public_body {
            Some(true) => {}
            Some(false) => verdict.deny.push(Reason::PublicBodiesOnly(request.ehds)),
            None => verdict.abstain.push(Reason::PublicBodyUnknown(request.ehds)),
        }
    }
    if request.right == Right::Export && !choice.export {
        verdict.deny.push(Reason::Export);
    }
    for modifier in &choice.modifiers {
        verdict.weigh(modifier, request);
    }
    let Verdict { deny, abstain, mut obligations } = verdict;
    if !deny.is_empty() {
        return Decision::Deny { reasons: deny };
    }
    if !abstain.is_empty() {
        return Decision::Abstain { reasons: abstain };
    }
    obligations.sort();
    obligations.dedup();
    Decision::Approve { obligations }
}

impl Verdict {
    /// A condition on a fact that may be unknown.
    fn require(&mut self, term: ModifierKind, holds: Option<bool>, why: &'static str) {
        let term = term.to_string();
        match holds {
            Some(true) => {}
            Some(false) => self.deny.push(Reason::Violated { term, why }),
            None => self.abstain.push(Reason::Undecided { term, why }),
        }
    }

    fn weigh(&mut self, modifier: &Modifier, request: &Request) {
        let term = modifier.kind();
        let not = |fact: Option<bool>| fact.map(|fact| !fact);
        match modifier {
            Modifier::ResearchSpecific { .. } => self.require(term, None, "it limits the kind of research in words"),
            Modifier::NoGeneralMethods {} => {
                self.require(
                    term,
                    not(request.protocol.methods_development),
                    "it excludes the development of general methods",
                );
                self.obligations.push(Obligation::NoGeneralMethods);
            }
            Modifier::GeneticStudiesOnly {} => {
                self.require(term, request.protocol.genetic, "it permits genetic studies only")
            }
            Modifier::NotForProfitNonCommercial {} => {
                self.require(term, request.protocol.not_for_profit, "the holder must be a not-for-profit organisation");
                self.require(term, not(request.protocol.commercial), "the end must not be commercial");
            }
            Modifier::NotForProfit {} => {
                self.require(term, request.protocol.not_for_profit, "the holder must be a not-for-profit organisation");
            }
            Modifier::NonCommercial {} => {
                self.require(term, not(request.protocol.commercial), "the end must not be commercial");
            }
            Modifier::PublicationRequired {} => {
                self.require(term, request.protocol.publishes, "the holder must undertake to publish the results");
                self.obligations.push(Obligation::Publish);
            }
            Modifier::CollaborationRequired {} => {
                self.require(term, request.protocol.collaboration, "the cooperative's investigators must take part");
                self.obligations.push(Obligation::Collaborate);
            }
            Modifier::EthicsApprovalRequired {} => {
                self.require(term, Some(request.ethics_approved), "no ethics approval is known");
            }
            Modifier::PublicationMoratorium { until } => {
                if request.now < *until {
                    self.obligations.push(Obligation::PublishNotBefore(*until));
                }
            }
            Modifier::TimeLimit { until } => {
                self.require(term, Some(request.now <= *until), "the time of use is over");
                self.obligations.push(Obligation::StopAfter(*until));
            }
            Modifier::ReturnToDatabase {} => {
                self.require(term, request.protocol.returns, "the holder must undertake to give back what is derived");
                self.obligations.push(Obligation::ReturnResults);
            }
            Modifier::ClinicalCare {} => {}
            Modifier::NoPopulationOrigins {} => {
                // The wider purposes include that study.
                let holds = match request.purpose.0 {
                    11 => Some(false),
                    4 | 42 => not(request.protocol.ancestry),
                    _ => Some(true),
                };
                self.require(term, holds, "it excludes population origins and ancestry");
                self.obligations.push(Obligation::NoPopulationOrigins);
            }
            Modifier::Geographic { .. }
            | Modifier::UserSpecific { .. }
            | Modifier::ProjectSpecific { .. }
            | Modifier::InstitutionSpecific { .. } => self.weigh_list(modifier, term, request),
        }
    }

    /// Conditions that list who or where.
    fn weigh_list(&mut self, modifier: &Modifier, term: ModifierKind, request: &Request) {
        let listed = |list: &[String], fact: &Option<String>| fact.as_ref().map(|fact| list.contains(fact));
        match modifier {
            Modifier::Geographic { countries } => {
                self.require(term, listed(countries, &request.protocol.country), "the country must be listed");
            }
            Modifier::UserSpecific { users } => {
                self.require(term, Some(users.contains(&request.user)), "the holder must be listed");
            }
            Modifier::ProjectSpecific { projects } => {
                self.require(term, listed(projects, &request.protocol.project), "the project must be listed");
            }
            Modifier::InstitutionSpecific { institutions } => {
                self.require(
                    term,
                    listed(institutions, &request.protocol.institution),
                    "the institution must be listed",
                );
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::consent::{Choice, Controller, Notice, Permission};
    use crate::ids::MemberId;
    use crate::query::Code;
    use alloy_primitives::B256;

    const HMB: Permission = Permission::HealthMedicalBiomedical {};

    fn receipt(permissions: &[Permission], modifiers: &[Modifier]) -> Receipt {
        let choice = Choice {
            permissions: permissions.iter().cloned().collect(),
            modifiers: modifiers.iter().cloned().collect(),
            ..Choice::health_research()
        };
        let controller = Controller { name: "x".into(), contact: "x".into(), chain_id: 1, registry: Address::ZERO };
        let notice = Notice { language: "en".into(), digest: B256::ZERO };
        Receipt::new(MemberId(1), 1, controller, notice, choice, 0, 0)
    }

    fn request(purpose: u16) -> Request {
        Request::query(Purpose(purpose), EhdsCategory::ScientificResearch, Address::repeat_byte(1), true, 100)
    }

    fn with(purpose: u16, protocol: Protocol) -> Request {
        Request { protocol, ..request(purpose) }
    }

    /// 'a', '?' or 'd'.
    fn verdict(permissions: &[Permission], modifiers: &[Modifier], request: &Request) -> char {
        match matches(&receipt(permissions, modifiers), request) {
            Decision::Approve { .. } => 'a',
            Decision::Abstain { reasons } => {
                assert!(!reasons.is_empty());
                '?'
            }
            Decision::Deny { reasons } => {
                assert!(!reasons.is_empty());
                'd'
            }
        }
    }

    #[test]
    fn health_research_is_general_research_and_not_the_other_way_round() {
        let gru = Permission::GeneralResearch {};
        assert_eq!(verdict(&[gru], &[], &request(6)), 'a');
        assert_eq!(verdict(&[HMB], &[], &request(42)), 'd');
        assert_eq!(verdict(&[HMB], &[], &request(6)), 'a');
        assert_eq!(verdict(&[HMB], &[], &request(11)), 'd', "HMB excludes ancestry");
    }

    #[test]
    fn a_disease_is_health_research_and_not_the_other_way_round() {
        let diabetes = Code { system: "http://snomed.info/sct".into(), code: "44054006".into() };
        let ds = Permission::DiseaseSpecific { disease: diabetes.clone() };
        let named = with(7, Protocol { disease: Some(diabetes), ..Protocol::default() });
        assert_eq!(verdict(&[HMB], &[], &named), 'a');
        assert_eq!(verdict(core::slice::from_ref(&ds), &[], &named), 'a');
        assert_eq!(verdict(core::slice::from_ref(&ds), &[], &request(7)), 'd', "which disease?");
        assert_eq!(verdict(&[ds], &[], &request(6)), 'd');
    }

    #[test]
    fn nothing_is_permitted_by_default() {
        assert_eq!(verdict(&[], &[], &request(6)), 'd');
        let all = [Permission::NoRestriction {}];
        assert_eq!(verdict(&all, &[], &request(0)), 'd', "an unknown purpose");
        assert_eq!(verdict(&all, &[], &Request { right: Right::Export, ..request(6) }), 'd');
        assert_eq!(verdict(&all, &[], &Request { ehds: EhdsCategory::Education, ..request(6) }), 'd');
    }

    #[test]
    fn a_subclass_is_not_narrower() {
        // NPU and NCU stand below NPUNCU in the ontology; NPUNCU alone refuses both half-measures.
        let request = |not_for_profit, commercial| {
            let facts =
                Protocol { not_for_profit: Some(not_for_profit), commercial: Some(commercial), ..Protocol::default() };
            with(6, facts)
        };
        let (university_startup, company_basic) = (request(true, true), request(false, false));
        let strict = [Modifier::NotForProfitNonCommercial {}];
        let (npu, ncu) = ([Modifier::NotForProfit {}], [Modifier::NonCommercial {}]);
        for (modifiers, by_startup, by_company) in [(&strict, 'd', 'd'), (&npu, 'a', 'd'), (&ncu, 'd', 'a')] {
            assert_eq!(verdict(&[HMB], modifiers, &university_startup), by_startup, "{modifiers:?}");
            assert_eq!(verdict(&[HMB], modifiers, &company_basic), by_company, "{modifiers:?}");
            assert_eq!(verdict(&[HMB], modifiers, &request(true, false)), 'a');
        }
    }

    #[test]
    fn deny_beats_abstain_beats_approve() {
        let undecided = Modifier::ResearchSpecific { research: "sleep".into() };
        let violated = Modifier::NonCommercial {};
        let commercial = with(6, Protocol { commercial: Some(true), ..Protocol::default() });
        assert_eq!(verdict(&[HMB], core::slice::from_ref(&undecided), &commercial), '?');
        let Decision::Deny { reasons } = matches(&receipt(&[HMB], &[undecided, violated]), &commercial) else {
            panic!("DUOS lets abstain override deny; we do not");
        };
        assert_eq!(reasons.len(), 1, "only what denies: {reasons:?}");
        assert!(reasons[0].to_string().contains("NCU (DUO:0000046)"), "{}", reasons[0]);
    }

    #[test]
    fn what_is_not_known_is_for_the_ethics_board() {
        let conditions = [
            Modifier::NotForProfit {},
            Modifier::NonCommercial {},
            Modifier::NotForProfitNonCommercial {},
            Modifier::NoGeneralMethods {},
            Modifier::GeneticStudiesOnly {},
            Modifier::CollaborationRequired {},
            Modifier::Geographic { countries: vec!["SE".into()] },
            Modifier::ProjectSpecific { projects: vec!["p".into()] },
            Modifier::InstitutionSpecific { institutions: vec!["i".into()] },
            Modifier::ResearchSpecific { research: "sleep".into() },
            Modifier::PublicationRequired {},
            Modifier::ReturnToDatabase {},
        ];
        for condition in conditions {
            assert_eq!(verdict(&[HMB], core::slice::from_ref(&condition), &request(6)), '?', "{condition:?}");
        }
    }

    #[test]
    fn conditions_hold_or_deny() {
        let study = |country: &str, project: &str, institution: &str, is: bool| Protocol {
            country: Some(country.into()),
            project: Some(project.into()),
            institution: Some(institution.into()),
            genetic: Some(is),
            methods_development: Some(!is),
            collaboration: Some(is),
            ..Protocol::default()
        };
        let here = with(6, study("SE", "p", "i", true));
        let elsewhere = with(6, study("NO", "q", "j", false));
        let there = Request { user: Address::repeat_byte(2), ethics_approved: false, now: 101, ..elsewhere };
        for condition in [
            Modifier::Geographic { countries: vec!["DK".into(), "SE".into()] },
            Modifier::ProjectSpecific { projects: vec!["p".into()] },
            Modifier::InstitutionSpecific { institutions: vec!["i".into()] },
            Modifier::UserSpecific { users: vec![Address::repeat_byte(1)] },
            Modifier::GeneticStudiesOnly {},
            Modifier::NoGeneralMethods {},
            Modifier::CollaborationRequired {},
            Modifier::EthicsApprovalRequired {},
            Modifier::TimeLimit { until: 100 },
        ] {
            let one = core::slice::from_ref(&condition);
            assert_eq!((verdict(&[HMB], one, &here), verdict(&[HMB], one, &there)), ('a', 'd'), "{condition:?}");
        }
        let no_ancestry = [Modifier::NoPopulationOrigins {}];
        let general = [Permission::GeneralResearch {}];
        assert_eq!(verdict(&general, &no_ancestry, &request(11)), 'd');
        // General research includes it, unless this study does not.
        let studies = |ancestry| with(42, Protocol { ancestry, ..Protocol::default() });
        let wide = [None, Some(false), Some(true)].map(|ancestry| verdict(&general, &no_ancestry, &studies(ancestry)));
        assert_eq!((wide, verdict(&general, &no_ancestry, &request(6))), (['?', 'a', 'd'], 'a'));
    }

    #[test]
    fn three_categories_are_for_public_bodies() {
        for (code, [public, private, unknown]) in [
            (1, ['a', 'd', '?']),
            (2, ['a', 'd', '?']),
            (3, ['a', 'd', '?']),
            (4, ['a'; 3]),
            (5, ['a'; 3]),
            (6, ['a'; 3]),
        ] {
            let ehds = EhdsCategory::from_code(code).unwrap();
            assert_eq!(ehds.code(), code);
            let mut receipt = receipt(&[HMB], &[]);
            receipt.choice.ehds.insert(ehds);
            let verdict = |public_body| match matches(
                &receipt,
                &Request { ehds, ..with(6, Protocol { public_body, ..Protocol::default() }) },
            ) {
                Decision::Approve { .. } => 'a',
                Decision::Abstain { .. } => '?',
                Decision::Deny { .. } => 'd',
            };
            assert_eq!([verdict(Some(true)), verdict(Some(false)), verdict(None)], [public, private, unknown]);
        }
        assert_eq!((EhdsCategory::from_code(0), EhdsCategory::from_code(7)), (None, None));
    }

    #[test]
    fn obligations_come_back_with_the_approval() {
        let modifiers = [
            Modifier::ReturnToDatabase {},
            Modifier::PublicationRequired {},
            Modifier::PublicationMoratorium { until: 500 },
            Modifier::TimeLimit { until: 900 },
            Modifier::NoPopulationOrigins {},
        ];
        let expected = Decision::Approve {
            obligations: vec![
                Obligation::ProhibitedUses,
                Obligation::Publish,
                Obligation::PublishNotBefore(500),
                Obligation::StopAfter(900),
                Obligation::ReturnResults,
                Obligation::NoPopulationOrigins,
            ],
        };
        let undertakes = Protocol { publishes: Some(true), returns: Some(true), ..Protocol::default() };
        assert_eq!(matches(&receipt(&[HMB], &modifiers), &with(6, undertakes)), expected);
    }
}

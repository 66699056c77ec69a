//! What the registrar's office does, and nobody else may.

use rochdale_api::invitation::{InvitationState, InvitationView, InvitationsRequest};
use rochdale_api::route::registrar as route;
use rochdale_api::{Problem, ProblemCode};
use rochdale_client::code::Code;
use rochdale_client::invitation;

use crate::rig::Rig;

const DAY: u64 = 86_400;

async fn listed(rig: &Rig) -> Vec<InvitationView> {
    rig.asked_by("registrar").get_signed(route::INVITATIONS, rig.now().await).await.unwrap()
}

#[tokio::test]
async fn codes_are_told_once_and_later_what_became_of_them() {
    let rig = Rig::new().await;
    let made = rig.invite(3).await;
    let codes: Vec<Code> = made.iter().map(|made| Code::read(&made.code).unwrap()).collect();
    for (made, code) in made.iter().zip(&codes) {
        assert_eq!((made.id, made.expires), (invitation::id(code), made.made + 14 * DAY));
    }
    let ada = rig.person("ada").await;
    let admission = rig.apply(&rig.application(&ada, &codes[0]).await).await.unwrap();
    let state = |all: &[InvitationView], n: usize| all.iter().find(|view| view.id == made[n].id).unwrap().state;
    assert_eq!(state(&listed(&rig).await, 0), InvitationState::Admitted);
    rig.join(&admission).await.unwrap();

    let (office, now) = (rig.asked_by("registrar"), rig.now().await);
    for _ in 0..2 {
        let view = office.post_signed(route::WITHDRAW.at(made[1].id), &(), now).await.unwrap();
        assert_eq!(view.state, InvitationState::Withdrawn);
    }
    let refused = office.post_signed(route::WITHDRAW.at(made[0].id), &(), now).await.map_err(Problem::from);
    assert_eq!(refused.unwrap_err().code, ProblemCode::Conflict, "who was admitted stays admitted");
    let bob = rig.person("bob").await;
    let problem = rig.apply(&rig.application(&bob, &codes[1]).await).await.unwrap_err();
    assert!(problem.code == ProblemCode::Forbidden && problem.detail.contains("took it back"), "{problem}");

    let all = listed(&rig).await;
    let states = [InvitationState::Joined, InvitationState::Withdrawn, InvitationState::Open];
    assert_eq!((0..3).map(|n| state(&all, n)).collect::<Vec<_>>(), states);
    let joined = all.iter().find(|view| view.id == made[0].id).unwrap();
    assert_eq!((joined.account, joined.member.map(|id| id.0)), (Some(ada.account), Some(1)));
    let text = serde_json::to_string(&all).unwrap();
    assert!(text.contains("open day"));
    for code in &codes {
        assert!(!text.contains(code.expose()) && !text.contains(&code.grouped()), "a code is listed");
    }

    rig.coop.local.time_to(rig.now().await + 14 * DAY + 60, 0).await.unwrap();
    assert_eq!(state(&listed(&rig).await, 2), InvitationState::Expired);
    rig.registrar.forget().await.unwrap();
    assert_eq!(listed(&rig).await.len(), 3, "who comes late is told that it expired");
    rig.coop.local.time_to(rig.now().await + 30 * DAY + 60, 0).await.unwrap();
    rig.registrar.forget().await.unwrap();
    assert!(listed(&rig).await.is_empty());
    for file in ["registrar.db", "registrar.db-wal"] {
        let bytes = std::fs::read(rig.dir.path().join("registrar").join(file)).unwrap();
        let holds = |code: &Code| bytes.windows(26).any(|window| window == code.expose().as_bytes());
        assert!(!codes.iter().any(holds), "{file} holds a code that was forgotten");
    }
}

#[tokio::test]
async fn the_registrars_key_alone_makes_lists_and_withdraws() {
    let rig = Rig::new().await;
    let (made, now) = (rig.invite(1).await, rig.now().await);
    let request = InvitationsRequest { count: 1, days: 1, note: String::new() };
    for role in ["relayer", "steward-1", "member-1"] {
        let client = rig.asked_by(role);
        let answers = [
            client.post_signed(route::INVITE, &request, now).await.map(drop),
            client.get_signed(route::INVITATIONS, now).await.map(drop),
            client.post_signed(route::WITHDRAW.at(made[0].id), &(), now).await.map(drop),
        ];
        for answer in answers {
            let problem = Problem::from(answer.unwrap_err());
            assert!(problem.code == ProblemCode::Forbidden && problem.detail.contains("whose key alone"), "{problem}");
        }
    }
    let office = rig.asked_by("registrar");
    for wrong in [
        InvitationsRequest { count: 0, ..request.clone() },
        InvitationsRequest { count: 1_001, ..request.clone() },
        InvitationsRequest { days: 0, ..request.clone() },
        InvitationsRequest { days: 367, ..request.clone() },
        InvitationsRequest { note: "n".repeat(201), ..request.clone() },
    ] {
        let answer = office.post_signed(route::INVITE, &wrong, now).await.map_err(Problem::from);
        assert_eq!(answer.unwrap_err().code, ProblemCode::BadRequest, "{wrong:?}");
    }
    let none = office.post_signed(route::WITHDRAW.at(alloy::primitives::B256::ZERO), &(), now).await;
    assert_eq!(Problem::from(none.unwrap_err()).code, ProblemCode::NotFound);
    assert_eq!(listed(&rig).await.len(), 1);
}

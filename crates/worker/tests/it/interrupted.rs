//! The worker is killed in the middle of each step, and what was paid is answered once.

use rochdale_api::ProblemCode;
use rochdale_api::route::gateway;
use rochdale_core::commit;

use crate::rig::{Fault, RHO, Rig, count};
use crate::tap::Stop;

const YEAR: u64 = 365 * 86_400;

/// Where the worker is killed.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// While a steward's call hangs.
    AtStewards(Fault),
    /// Before or after a call to the gateway takes effect.
    AtGateway(Stop, &'static str),
}

const KILLS: [Kill; 7] = [
    Kill::AtStewards(Fault::SnapshotHangs),
    Kill::AtStewards(Fault::SigningHangs),
    Kill::AtGateway(Stop::Before, gateway::DEBIT.path),
    Kill::AtGateway(Stop::After, gateway::DEBIT.path),
    Kill::AtStewards(Fault::ReleaseHangs),
    Kill::AtGateway(Stop::Before, gateway::RECEIPT.path),
    Kill::AtGateway(Stop::After, gateway::RECEIPT.path),
];

impl Rig {
    fn set(&self, kill: Option<Kill>) {
        let (fault, stop) = match kill {
            Some(Kill::AtStewards(fault)) => (fault, None),
            Some(Kill::AtGateway(stop, path)) => (Fault::None, Some((stop, path))),
            None => (Fault::None, None),
        };
        self.seats.iter().for_each(|seat| seat.fault(fault));
        self.tap.stop(stop);
    }

    /// Calls so far that reached what the worker is killed at.
    fn reached(&self, kill: Kill) -> usize {
        match kill {
            Kill::AtStewards(_) => self.seats.iter().map(|seat| seat.hung()).sum(),
            Kill::AtGateway(..) => self.tap.stopped(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_each_step_goes_on_with_the_same_order_and_charges_once() {
    let mut rig = Rig::new(3, 100 * RHO).await;
    let license = rig.license(YEAR).await;
    for (n, kill) in (1u64..).zip(KILLS) {
        let request = rig.order(&license, count(RHO / 8 + n), |_| {}).await;
        let before = rig.reached(kill);
        rig.set(Some(kill));
        let asking = tokio::spawn({
            let (worker, request) = (rig.worker.clone(), request.clone());
            async move { worker.answer(worker.at_head().await?, &request).await }
        });
        rig.until(&format!("{kill:?} is reached"), async || rig.reached(kill) > before).await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled(), "{kill:?}");
        rig.set(None);
        rig.reopen_worker().await;
        let sealed = rig.ask(&request).await.unwrap_or_else(|problem| panic!("{kill:?}: {problem}"));
        let answered = rig.open(&license, &sealed);
        // Released or withheld is for the noise to decide; that it is one answer, for the one debit, is not.
        let digest = commit::answer(answered.answer.digest().unwrap(), answered.blinder);
        assert_eq!((answered.result_digest, answered.debit.order), (digest, sealed.order), "{kill:?}");
        assert_eq!(rig.booked().await, usize::try_from(n).unwrap(), "{kill:?}: once each");
        // Restarted once more, it has it still.
        rig.reopen_worker().await;
        assert_eq!(rig.ask(&request).await.unwrap(), sealed, "{kill:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_goes_on_with_what_was_left_open() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::ReleaseFails));
    let problem = rig.ask(&request).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::NotEnough, "{problem}");
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.reopen_worker().await;
    assert_eq!(rig.worker.store.open_jobs().await.unwrap().len(), 1);
    rig.worker.resume().await.unwrap();
    assert!(rig.worker.store.open_jobs().await.unwrap().is_empty());
    assert_eq!(rig.booked().await, 1);
}

/// The order lives to its deadline; what is answered can be fetched until the license has ended, and then is gone with its blinders.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_can_be_fetched_until_the_license_ends() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(8 * 86_400).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    let sealed = rig.ask(&request).await.unwrap();
    rig.coop.local.time_to(rig.now().await + 7 * 86_400, 2).await.unwrap();
    rig.worker.forget_ended(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert_eq!(rig.ask(&request).await.unwrap(), sealed, "long after the order's deadline");
    rig.coop.local.time_to(rig.now().await + 2 * 86_400, 2).await.unwrap();
    rig.worker.forget_ended(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert!(rig.worker.store.job(sealed.order).await.unwrap().is_none());
    assert_eq!(rig.ask(&request).await.unwrap_err().code, ProblemCode::LicenseInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_revokes_between_debit_and_release_is_left_out() {
    let rig = Rig::new(4, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::ReleaseFails));
    rig.ask(&request).await.unwrap_err();
    rig.revoke(1).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.ask(&request).await.unwrap();
    assert_eq!(rig.worker.rows.len(), 3, "the record of who revoked is not opened");
}

/// Past the gateway: as soon as as many stewards refuse as leave no quorum, the record opens for nobody, and no answer waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_withdraws_at_all_stewards_but_one_less_than_a_quorum_is_left_out_and_stops_no_answer() {
    let rig = Rig::new(4, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::ReleaseFails));
    rig.ask(&request).await.unwrap_err();
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.withdraw_at(0, 1).await;
    rig.withdraw_at(2, 1).await;
    // One alone is not enough; what that one member would have been charged it is charged.
    rig.withdraw_at(1, 3).await;
    rig.ask(&request).await.unwrap();
    assert_eq!(rig.worker.rows.len(), 3, "the record of who withdrew at two of three is not opened");
    assert_eq!(rig.booked().await, 1);
}

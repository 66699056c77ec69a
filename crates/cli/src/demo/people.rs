//! Enrolling members and contributing their records, a few at a time.

use super::Demo;
use crate::args::DemoArgs;
use crate::coop::Coop;
use crate::found::{self, REGISTRAR};
use crate::records::{Found, Skip, Stream, Taken};
use crate::state::State;
use crate::wallet::Wallet;
use crate::{epoch, member};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use rochdale_api::contribution::ContributionStatus;
use rochdale_core::consent::Choice;
use rochdale_core::ids::{ContributionId, DatasetId, MemberId, Purpose};
use rochdale_core::score::Scored;
use std::collections::BTreeMap;

/// Health, medical and biomedical research: what members consent to and the researcher licenses.
pub const PURPOSE: Purpose = Purpose(6);
/// The demo's one dataset: health records.
pub const DATASET: DatasetId = DatasetId(1);

/// A member who contributed.
pub struct Person {
    /// The wallet's name.
    pub name: String,
    /// The member.
    pub member_id: MemberId,
    /// The record.
    pub contribution_id: ContributionId,
    /// Where it came from.
    pub input: String,
    /// What the stewards will find of it.
    pub scored: Scored,
}

struct Enrolled {
    person: Person,
    join_gas: u64,
    grant_gas: u64,
    status: ContributionStatus,
}

struct Enroller {
    coop: Coop,
    state: State,
    registrar: PrivateKeySigner,
}

impl Enroller {
    /// One member's way: join, consent, seal and contribute.
    async fn enroll(&self, name: String, mut record: Taken) -> Result<Enrolled> {
        let mut wallet = Wallet::open_or_create(&self.state, &name)?;
        let joined = member::join(&self.coop, &mut wallet, &self.registrar).await?;
        let (granted, _) = member::consent(&self.coop, &wallet, Choice::health_research(), 0).await?;
        let status = member::contribute(&self.coop, &mut wallet, &mut record, DATASET).await?;
        let Taken { name: input, scored, .. } = record;
        let contribution_id = status.contribution_id.context("a recorded contribution has an id")?;
        let person = Person { name, member_id: joined.member_id, contribution_id, input, scored };
        Ok(Enrolled { person, join_gas: joined.mined.gas_used, grant_gas: granted.gas_used, status })
    }
}

impl Demo {
    /// Steps 1 and 2: every record found becomes a member's contribution.
    pub(super) async fn enroll(&mut self, source: Stream, args: &DemoArgs) -> Result<Vec<Person>> {
        let enroller = Enroller {
            coop: self.coop.clone(),
            state: self.state.clone(),
            registrar: found::office(&self.state, REGISTRAR)?,
        };
        let what = "members join and contribute";
        let bar = match args.patients.or(self.report.patients.synthetic) {
            Some(total) => self.ui.bar(what, u64::from(total)),
            None => self.ui.spinner(what),
        };
        let numbered = unfold((source, 0u32), |(mut source, n)| async move {
            let found = source.next().await.transpose()?;
            Some(((n + 1, found), (source, n + 1)))
        });
        let work = numbered.map(|(number, found)| {
            let enroller = &enroller;
            async move {
                Ok(match found? {
                    Found::Skipped(skip) => Err(skip),
                    Found::Record(taken) => {
                        let input = taken.name.clone();
                        let enrolled = enroller.enroll(format!("m{number:04}"), *taken).await;
                        enrolled.map_err(|error| Skip { input, reason: format!("{error:#}"), fault: true })
                    }
                })
            }
        });
        let mut work = std::pin::pin!(work.buffer_unordered(args.at_once as usize));
        let mut enrolled = Vec::new();
        while let Some(result) = work.next().await {
            let result: Result<Result<Enrolled, Skip>> = result;
            match result? {
                Ok(one) => {
                    enrolled.push(one);
                    bar.inc();
                }
                Err(skip) => self.report.patients.skipped.push(skip),
            }
        }
        bar.done();
        self.enrolled(enrolled)
    }

    fn enrolled(&mut self, mut enrolled: Vec<Enrolled>) -> Result<Vec<Person>> {
        if enrolled.is_empty() {
            let reasons = self.report.patients.skipped.iter().map(|s| format!("\n  {}: {}", s.input, s.reason));
            bail!("no input was usable:{}", reasons.collect::<String>());
        }
        for skip in &self.report.patients.skipped {
            self.ui.say(format!("  skipped {}: {}", skip.input, skip.reason));
        }
        self.report.patients.found = enrolled.len() + self.report.patients.skipped.len();
        enrolled.sort_by_key(|one| one.person.contribution_id);
        self.report.patients.contributed = enrolled.len();
        self.report.gas.mean("join", enrolled.iter().map(|one| one.join_gas));
        self.report.gas.mean("grant consent", enrolled.iter().map(|one| one.grant_gas));
        // A batch's gas is one transaction's, however many contributions share it.
        let batches: BTreeMap<_, _> = enrolled
            .iter()
            .filter_map(|one| one.status.mined.as_ref())
            .map(|mined| (mined.tx, mined.gas_used))
            .collect();
        let total: u64 = batches.values().sum();
        self.report.gas.per("record a contribution, batched", total, enrolled.len() as u64);
        self.lap("join, consent, contribute");
        Ok(enrolled.into_iter().map(|one| one.person).collect())
    }

    /// Settles an epoch and notes its gas.
    pub(super) async fn settle(&mut self, number: u32, what: &str) -> Result<()> {
        let bar = self.ui.spinner(what);
        let view = epoch::settle(&self.coop, &self.chain, number.into(), super::PATIENCE).await?;
        epoch::synced(&self.coop, &self.chain, super::PATIENCE).await?;
        bar.inc();
        bar.done();
        if let Some(gas) = view.gas_used {
            self.report.gas.one("propose an epoch, 2 signatures", gas);
        }
        self.report.epochs.push(view);
        self.lap(what);
        Ok(())
    }
}

//! What whoever tries a local cooperative out starts with, which its front page shows: an invitation that nobody has used, and a researcher
//! with test money whom the ethics board approved.

use crate::found::{self, FOUNDER};
use crate::office::Office;
use crate::researcher::{self, Researcher};
use crate::state::{State, write_json};
use alloy::primitives::B256;
use anyhow::Result;
use rochdale_api::invitation::{InvitationState, InvitationsRequest, NewInvitation};
use rochdale_api::status::{TestResearcher, Welcome};
use rochdale_chain::bindings::{EthicsRegistry, TestUSDC};
use rochdale_chain::client::Sender;
use rochdale_chain::deploy::Manifest;
use rochdale_chain::ethics::{self, Study};
use rochdale_core::consent::Protocol;
use rochdale_core::ids::Purpose;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The researcher's name in the state directory.
const GUEST: &str = "guest";
/// What it is given whenever it has less, micro-USDC: as much as 10,000 records cost for a month.
const ALLOWANCE: u128 = 1_000_000_000_000;
/// What it is approved for: health or medical or biomedical research, and general research use.
const PURPOSES: [Purpose; 2] = [Purpose(6), Purpose(42)];
/// How long an approval is made for, seconds.
const YEAR: u64 = 365 * 86_400;
/// One that ends sooner is made anew.
const MONTH: u64 = 30 * 86_400;
/// How often somebody may have used the invitation.
const LOOK: Duration = Duration::from_secs(5);

/// The file, and what keeps it true.
pub struct Front {
    file: PathBuf,
    office: Option<Office>,
    note: &'static str,
    invitation: Option<NewInvitation>,
    researcher: TestResearcher,
    looked: Instant,
}

/// Where the gateway reads it.
pub fn file(state: &State) -> PathBuf {
    state.path().join("welcome.json")
}

impl Front {
    /// Makes both and writes the file; `office` is the registrar's process where it runs here.
    pub async fn open(
        state: &State,
        (rpc_url, manifest): (String, &Manifest),
        office: Option<Office>,
        note: &'static str,
    ) -> Result<Self> {
        let researcher = guest(state, rpc_url, manifest).await?;
        let mut front = Self { file: file(state), office, note, invitation: None, researcher, looked: Instant::now() };
        front.invite().await?;
        Ok(front)
    }

    /// The code of the invitation that nobody has used.
    pub fn code(&self) -> Option<&str> {
        self.invitation.as_ref().map(|invitation| invitation.code.as_str())
    }

    /// Makes another invitation once somebody used the one that is shown.
    pub async fn tend(&mut self) -> Result<()> {
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        let (Some(office), Some(shown)) = (&self.office, &self.invitation) else { return Ok(()) };
        let all = office.all().await?;
        if all.iter().any(|one| one.id == shown.id && one.state == InvitationState::Open) {
            return Ok(());
        }
        self.invite().await
    }

    async fn invite(&mut self) -> Result<()> {
        if let Some(office) = &self.office {
            let request = InvitationsRequest { count: 1, days: 1, note: self.note.to_owned() };
            self.invitation = office.invite(&request).await?.into_iter().next();
        }
        let invitation = self.code().map(str::to_owned);
        write_json(&self.file, &Welcome { invitation, researcher: Some(self.researcher.clone()) })
    }
}

/// The researcher, with ether, test dollars and approvals.
async fn guest(state: &State, rpc_url: String, manifest: &Manifest) -> Result<TestResearcher> {
    let chain = &found::connect(&rpc_url, manifest.chain_id).await?;
    let researcher = Researcher::create(state, GUEST)?;
    let (account, founder) = (researcher.account(), Sender::new(chain.clone(), found::office(state, FOUNDER)?));
    found::fund_gas(chain, account).await?;
    let held = chain.view(manifest.addresses.usdc, &TestUSDC::balanceOfCall { account }).await?;
    if held.saturating_to::<u128>() < ALLOWANCE {
        researcher::fund(manifest, &founder, account, ALLOWANCE).await?;
    }
    let board = found::office(state, found::ETHICS)?;
    let now = chain.now().await?;
    for purpose in PURPOSES {
        let call = EthicsRegistry::approvedUntilCall { researcher: account, purpose: purpose.0 };
        if chain.view(manifest.addresses.ethics_registry, &call).await? < now + MONTH {
            let study = Study { researcher: account, purpose, protocol: Protocol::default() };
            ethics::approve(&founder, &board, manifest, &study, now + YEAR).await?;
        }
    }
    let key = B256::from(researcher.key.to_bytes());
    Ok(TestResearcher { account, key, rpc_url })
}

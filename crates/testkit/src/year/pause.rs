//! The guardian, a Safe of five people of whom three decide, and what a pause stops and does not stop.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use anyhow::{Context as _, Result, ensure};
use rochdale_chain::bindings::PauseGuard;
use rochdale_chain::client::Sender;
use serde::Deserialize;

use super::Year;
use super::agenda::{DAY, Deed};
use super::chain::refusal;
use super::tally::{Act, Outcome};

alloy::sol! {
    /// What we ask of a Safe 1.5.0.
    interface Safe {
        function setup(address[] calldata owners, uint256 threshold, address to, bytes calldata data, address fallbackHandler, address paymentToken, uint256 payment, address paymentReceiver) external;
        function nonce() external view returns (uint256);
        function getTransactionHash(address to, uint256 value, bytes calldata data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, uint256 nonce) external view returns (bytes32);
        function execTransaction(address to, uint256 value, bytes calldata data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes calldata signatures) external returns (bool);
    }

    /// What creates one.
    interface SafeProxyFactory {
        function createProxyWithNonce(address singleton, bytes calldata initializer, uint256 saltNonce) external returns (address proxy);
    }
}

/// Where the npm package has the compiled contracts.
const ARTIFACTS: &str = "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts";

/// How long the guardian pauses for; it ends the pause earlier.
const LONGEST: u32 = 7 * DAY as u32;

/// When it ends the pause.
const ENDED_AFTER: u64 = 4 * DAY;

/// The guardian.
pub(super) struct Guardian {
    pub address: Address,
    // In ascending order of their addresses, as a Safe takes signatures.
    owners: Vec<PrivateKeySigner>,
}

impl Guardian {
    /// Puts up a Safe of five owners, three of whom decide.
    pub async fn put_up(payer: &Sender, mut owners: [PrivateKeySigner; 5]) -> Result<Self> {
        owners.sort_by_key(PrivateKeySigner::address);
        let create = async |file: &str, name: &str| {
            let receipt = payer.send_raw(TxKind::Create, artifact(file)?, name).await?;
            receipt.created.with_context(|| format!("the transaction created no {name}"))
        };
        let singleton = create("Safe.sol/Safe.json", "Safe").await?;
        let factory = create("proxies/SafeProxyFactory.sol/SafeProxyFactory.json", "SafeProxyFactory").await?;
        let none = Address::ZERO;
        let setup = Safe::setupCall {
            owners: owners.iter().map(PrivateKeySigner::address).collect(),
            threshold: U256::from(3),
            to: none,
            data: Bytes::new(),
            fallbackHandler: none,
            paymentToken: none,
            payment: U256::ZERO,
            paymentReceiver: none,
        };
        let initializer = Bytes::from(setup.abi_encode());
        let call = SafeProxyFactory::createProxyWithNonceCall { singleton, initializer, saltNonce: U256::ZERO };
        let address = payer.simulate(factory, &call).await?;
        payer.send(factory, &call).await?;
        Ok(Self { address, owners: owners.to_vec() })
    }
}

#[derive(Deserialize)]
struct Artifact {
    bytecode: Bytes,
}

/// The creation code of a compiled contract of the npm package, above the program or the working directory.
fn artifact(file: &str) -> Result<Bytes> {
    let (program, working) = (std::env::current_exe()?, std::env::current_dir()?);
    let mut places = program.ancestors().chain(working.ancestors()).map(|dir: &Path| dir.join(ARTIFACTS).join(file));
    let path: PathBuf = places
        .find(|path| path.is_file())
        .with_context(|| format!("{ARTIFACTS}/{file} is nowhere above the program; run `cargo xtask setup`"))?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_str::<Artifact>(&text).with_context(|| format!("{} is no artifact", path.display()))?.bytecode)
}

impl Year {
    /// Everything that the guardian may stop.
    fn pausable(&self) -> Vec<Address> {
        let at = &self.site.manifest.addresses;
        vec![
            at.membership,
            at.consent_registry,
            at.contribution_registry,
            at.steward_committee,
            at.auction_house,
            at.compute_desk,
            at.researcher_bond,
            at.service_desk,
            at.buyback,
            at.market,
            at.settlement_ledger,
        ]
    }

    /// Has the Safe call the guard, by the signatures of the owners at these places; anyone sends it.
    async fn by_guardian<C: SolCall>(&mut self, call: &C, signers: &[usize]) -> Result<()> {
        let (guard, safe) = (self.site.manifest.addresses.pause_guard, self.site.guardian.address);
        let (none, zero) = (Address::ZERO, U256::ZERO);
        let data = Bytes::from(call.abi_encode());
        let asked = Safe::getTransactionHashCall {
            to: guard,
            value: zero,
            data: data.clone(),
            operation: 0,
            safeTxGas: zero,
            baseGas: zero,
            gasPrice: zero,
            gasToken: none,
            refundReceiver: none,
            nonce: self.site.view(safe, &Safe::nonceCall {}).await?,
        };
        let digest = self.site.view(safe, &asked).await?;
        let mut signatures = Vec::new();
        for place in signers {
            signatures.extend(self.site.guardian.owners[*place].sign_hash_sync(&digest)?.as_bytes());
        }
        let exec = Safe::execTransactionCall {
            to: guard,
            value: zero,
            data,
            operation: 0,
            safeTxGas: zero,
            baseGas: zero,
            gasPrice: zero,
            gasToken: none,
            refundReceiver: none,
            signatures: signatures.into(),
        };
        self.site.relay(safe, &exec).await?;
        Ok(())
    }

    /// Three of five pause everything; then sales and joining are refused, and what no pause may stop is done.
    pub(super) async fn pause(&mut self) -> Result<()> {
        let call = PauseGuard::pauseCall { targets: self.pausable(), duration: LONGEST };
        // Two are not enough: the Safe refuses by a code of its own.
        ensure!(self.by_guardian(&call, &[0, 3]).await.is_err(), "two of five owners paused");
        self.tally.note(Outcome::Refused);
        self.by_guardian(&call, &[0, 2, 4]).await?;
        for place in [0, 2, 4] {
            let owner = self.site.guardian.owners[place].address();
            self.tally.count(Act::Pause, owner);
        }
        self.paused = true;
        self.refused_in_pause().await?;
        self.done_in_pause().await?;
        let ends = self.site.now().await? + ENDED_AFTER;
        self.agenda.add(ends, Deed::Unpause);
        Ok(())
    }

    async fn refused_in_pause(&mut self) -> Result<()> {
        let buyer = self.researchers[0].clone();
        for refused in [self.buy_list(&buyer, 1).await.map(drop), self.join_next().await.map(drop)] {
            let name = refusal(refused)?;
            ensure!(name == "Pausing_Paused", "refused with {name} while paused");
            self.tally.note(Outcome::RefusedInPause);
        }
        Ok(())
    }

    async fn done_in_pause(&mut self) -> Result<()> {
        self.revoke_one().await?;
        self.leave_one().await?;
        self.erase_one().await?;
        self.redirect_one().await?;
        self.claim_for_oneself().await?;
        self.tally.note_many(Outcome::DoneInPause, 5);
        Ok(())
    }

    /// Three of five end the pause, and members join again.
    pub(super) async fn unpause(&mut self) -> Result<()> {
        let call = PauseGuard::unpauseCall { targets: self.pausable() };
        self.by_guardian(&call, &[1, 2, 3]).await?;
        for place in [1, 2, 3] {
            let owner = self.site.guardian.owners[place].address();
            self.tally.count(Act::Unpause, owner);
        }
        self.paused = false;
        let again = PauseGuard::pauseCall { targets: self.pausable(), duration: LONGEST };
        ensure!(self.by_guardian(&again, &[0, 1, 2]).await.is_err(), "the guardian paused again within 30 days");
        self.tally.note(Outcome::Refused);
        self.join_next().await?;
        Ok(())
    }
}

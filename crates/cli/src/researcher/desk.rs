//! A researcher before the cooperative's contracts: who they are, whether they may buy, what they pay.

use super::args::Who;
use super::keys::{Researcher, dollars, fund};
use crate::args::Common;
use crate::epoch::FINAL;
use crate::found;
use crate::gov::Site;
use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use anyhow::{Result, ensure};
use rochdale_chain::bindings::{DataToken, EthicsRegistry, LicenseSale, TestUSDC};
use rochdale_chain::client::{LOCAL_CHAIN_ID, Receipt, Sender};
use rochdale_chain::deploy::Addresses;
use rochdale_chain::ethics::{self, Study};
use rochdale_chain::local::LocalChain;
use rochdale_core::consent::Protocol;
use rochdale_core::ids::Purpose;
use rochdale_core::money::DataWei;
use std::path::PathBuf;

/// What the local chain hands to a researcher who has too little, in micro-USDC.
const ALLOWANCE: u128 = 100_000_000_000;

/// A researcher, the deployment, and a sender with the researcher's key.
pub struct Desk {
    /// The deployment and its chain.
    pub site: Site,
    /// The keys.
    pub researcher: Researcher,
    sender: Sender,
}

impl Desk {
    /// Opens the researcher's folder and connects; on the local chain the account gets the ether that it needs.
    pub async fn open(common: &Common, who: &Who) -> Result<Self> {
        let site = Site::open(common, &who.chain).await?;
        let researcher = Researcher::open(&site.state, &who.name)?;
        let sender = site.sender(researcher.key.clone()).await?;
        Ok(Self { site, researcher, sender })
    }

    /// The contracts.
    pub fn addresses(&self) -> &Addresses {
        &self.site.manifest.addresses
    }

    /// The researcher's account.
    pub fn account(&self) -> Address {
        self.researcher.account()
    }

    fn local(&self) -> bool {
        self.site.chain.chain_id() == LOCAL_CHAIN_ID
    }

    /// Asks a contract.
    pub async fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return> {
        Ok(self.site.chain.view(to, call).await?)
    }

    /// Sends from the researcher's account.
    pub async fn send<C: SolCall>(&self, to: Address, call: &C) -> Result<Receipt> {
        Ok(self.sender.send(to, call).await?)
    }

    /// Block time in Unix seconds.
    pub async fn now(&self) -> Result<u64> {
        Ok(self.site.chain.now().await?)
    }

    /// A license counts once it is final, which takes the local chain a few blocks.
    pub async fn finalize(&self) -> Result<()> {
        if self.local() {
            LocalChain::new(&self.site.chain)?.mine(FINAL).await?;
        }
        Ok(())
    }

    /// Has `board` approve the researcher's study for a purpose and so many seconds; returns until when.
    pub async fn approve(
        &self,
        board: &PrivateKeySigner,
        purpose: Purpose,
        protocol: Protocol,
        seconds: u64,
    ) -> Result<u64> {
        let until = self.now().await? + seconds;
        let study = Study { researcher: self.account(), purpose, protocol };
        ethics::approve(&self.sender, board, &self.site.manifest, &study, until).await?;
        Ok(until)
    }

    /// What the board said last of the researcher's study for a purpose.
    pub async fn protocol(&self, purpose: Purpose) -> Result<Protocol> {
        Ok(ethics::protocol(&self.site.chain, &self.site.manifest, self.account(), purpose).await?)
    }

    /// Makes sure that the researcher is approved for a purpose. On the local chain, where the board's key lies in the
    /// state directory, an approval that does not last `seconds` is made anew; elsewhere the board decides.
    pub async fn approved(&self, purpose: Purpose, seconds: u64) -> Result<()> {
        let (account, registry) = (self.account(), self.addresses().ethics_registry);
        let call = EthicsRegistry::approvedUntilCall { researcher: account, purpose: purpose.0 };
        let (until, now) = (self.view(registry, &call).await?, self.now().await?);
        if self.local() && self.site.state.office_key(found::ETHICS).exists() {
            if until < now + seconds {
                let board = found::office(&self.site.state, found::ETHICS)?;
                self.approve(&board, purpose, self.protocol(purpose).await?, seconds).await?;
            }
            return Ok(());
        }
        ensure!(
            until > now,
            "{account} is not approved for purpose {purpose}: the ethics board has to approve it first \
             (`rochdale researcher approve` with the board's key, or its signature sent to EthicsRegistry.approve)"
        );
        Ok(())
    }

    /// A permit for a contract to take this much; on the local chain test dollars that are missing are minted.
    pub async fn permit(&self, spender: Address, value: U256) -> Result<LicenseSale::Permit> {
        self.funded(value).await?;
        self.researcher.permit(&self.site.manifest, &self.site.chain, spender, value).await
    }

    /// Makes sure that the account holds this much micro-USDC.
    pub async fn funded(&self, value: U256) -> Result<()> {
        let usdc = self.addresses().usdc;
        let balance = self.view(usdc, &TestUSDC::balanceOfCall { account: self.account() }).await?;
        if balance < value && self.local() {
            let missing: u128 = (value - balance).saturating_to();
            fund(&self.site.manifest, &self.sender, self.account(), missing.max(ALLOWANCE)).await?;
            return Ok(());
        }
        ensure!(balance >= value, "{} holds {}, this takes {}", self.account(), dollars(balance), dollars(value));
        Ok(())
    }

    /// Allows a contract to take this much of a token, where it may not yet; the account must hold it.
    pub async fn allow(&self, token: Address, spender: Address, value: U256) -> Result<()> {
        let owner = self.account();
        let balance = self.view(token, &DataToken::balanceOfCall { account: owner }).await?;
        let name = self.token_name(token);
        ensure!(
            balance >= value,
            "{owner} holds {} {name}, this takes {} {name}",
            self.amount(token, balance),
            self.amount(token, value)
        );
        if self.view(token, &DataToken::allowanceCall { owner, spender }).await? < value {
            self.send(token, &DataToken::approveCall { spender, value }).await?;
        }
        Ok(())
    }

    /// What a token is called.
    pub fn token_name(&self, token: Address) -> &'static str {
        let addresses = self.addresses();
        if token == addresses.usdc {
            "USDC"
        } else if token == addresses.data_token {
            "DATA"
        } else {
            "GOV"
        }
    }

    /// A token's decimals: the stablecoin's six, ours 18.
    pub fn decimals(&self, token: Address) -> u8 {
        if token == self.addresses().usdc { 6 } else { 18 }
    }

    /// An amount of a token as a person reads it, without its name.
    pub fn amount(&self, token: Address, value: U256) -> String {
        let shown = match self.decimals(token) {
            6 => dollars(value).to_string(),
            _ => DataWei(value.saturating_to()).to_string(),
        };
        shown.rsplit_once(' ').map_or(shown.clone(), |(number, _)| number.to_owned())
    }

    /// A file of the researcher's.
    pub fn file(&self, folder: &str, name: &str) -> PathBuf {
        self.researcher.folder(folder).join(name)
    }
}

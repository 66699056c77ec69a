//! A researcher's keys, and what they alone can do: sign permits and orders, open answers.

use crate::coop::{self, LIFETIME};
use crate::failure::Failure;
use crate::state::{State, write_private};
use alloy::primitives::{Address, B256, U256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::bindings::{License, LicenseSale, Market, TestUSDC};
use rochdale_chain::client::{Chain, Receipt, Sender};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::eip712;
use rochdale_core::ids::{DatasetId, LicenseId, Purpose};
use rochdale_core::money::MicroUsdc;
use rochdale_core::query::Query;
use rochdale_crypto::SealingKeyPair;
use rochdale_crypto::keyfile::{self, KeyKind};
use std::path::PathBuf;

/// A researcher's folder: the account's key and the key that answers are sealed to.
pub struct Researcher {
    dir: PathBuf,
    /// The account's key.
    pub key: PrivateKeySigner,
    pub(super) recipient: SealingKeyPair,
}

/// What to buy.
#[derive(Clone, Copy, Debug)]
pub struct Purchase {
    /// The data.
    pub dataset: DatasetId,
    /// Records paid for.
    pub records: u32,
    /// A DUO permission.
    pub purpose: Purpose,
    /// EHDS Art. 53(1) category, 1 to 6 for (a) to (f).
    pub ehds_category: u8,
    /// Seconds of validity.
    pub duration: u64,
}

/// A bought license.
pub struct Bought {
    /// Its id.
    pub license: LicenseId,
    /// Micro-USDC.
    pub price: u128,
    /// The purchase.
    pub receipt: Receipt,
}

impl Researcher {
    /// Draws the keys of a researcher who is new here.
    pub fn create(state: &State, name: &str) -> Result<Self> {
        let dir = state.person("researchers", name)?;
        let key = coop::drawn(&dir.join("account.key"))?;
        let recipient = keyfile::sealing_key(&dir.join("recipient.key"), &mut coop::rng()?)?;
        Ok(Self { dir, key, recipient })
    }

    /// Opens the folder of `name`, whose keys are there.
    pub fn open(state: &State, name: &str) -> Result<Self> {
        let dir = state.person("researchers", name)?;
        if !dir.join("account.key").exists() {
            let known = state.people("researchers")?.join(", ");
            let known = if known.is_empty() { "nobody".to_owned() } else { known };
            bail!(Failure::refused(format!(
                "there is no researcher `{name}` here (known: {known}); `rochdale researcher new --name {name}` draws keys"
            )));
        }
        let key = coop::signer(&dir.join("account.key"))?;
        let recipient = keyfile::load(&dir.join("recipient.key"), KeyKind::Sealing)?;
        Ok(Self { dir, key, recipient: SealingKeyPair::from_secret(&recipient) })
    }

    /// The account.
    pub fn account(&self) -> Address {
        self.key.address()
    }

    /// The order that names this researcher's recipient key.
    pub fn order(&self, purchase: Purchase) -> LicenseSale::Order {
        LicenseSale::Order {
            datasetId: purchase.dataset.0,
            records: purchase.records,
            purpose: purchase.purpose.0,
            ehdsCategory: purchase.ehds_category,
            duration: purchase.duration,
            recipientKey: self.recipient_key(),
        }
    }

    /// What answers are sealed to.
    pub fn recipient_key(&self) -> B256 {
        self.recipient.public().0
    }

    /// A folder of this researcher's own.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Buys a license with USDC: one transaction, the permit included.
    pub async fn buy(&self, manifest: &Manifest, chain: &Chain, purchase: Purchase) -> Result<Bought> {
        let addresses = manifest.addresses;
        let order = self.order(purchase);
        let price = chain.view(addresses.market, &Market::priceOfCall { o: order.clone() }).await?;
        let permit = self.permit(manifest, chain, addresses.market, price).await?;
        let sender = Sender::new(chain.clone(), self.key.clone());
        let receipt = sender.send(addresses.market, &Market::buyCall { o: order, p: permit }).await?;
        let license = self.issued(&receipt)?;
        Ok(Bought { license, price: price.to(), receipt })
    }

    /// The license that a transaction issued, kept as the one to use from now on.
    pub fn issued(&self, receipt: &Receipt) -> Result<LicenseId> {
        let issued = receipt.logs.iter().find_map(|log| log.log_decode::<License::LicenseIssued>().ok());
        let license = LicenseId(issued.context("the transaction issued no license")?.inner.data.licenseId);
        self.note_license(license)?;
        Ok(license)
    }

    /// Keeps a license as the one to use from now on.
    pub fn note_license(&self, license: LicenseId) -> Result<()> {
        write_private(&self.dir.join("license"), license.to_string().as_bytes())
    }

    /// The license that was got last.
    pub fn last_license(&self) -> Result<LicenseId> {
        let path = self.dir.join("license");
        ensure!(path.exists(), "no license yet: `rochdale researcher license` buys one");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.trim().parse().with_context(|| format!("{} holds no license id", path.display()))
    }

    /// A permit for `spender` to take `value` micro-USDC, which this account must hold.
    pub async fn permit(
        &self,
        manifest: &Manifest,
        chain: &Chain,
        spender: Address,
        value: U256,
    ) -> Result<LicenseSale::Permit> {
        let (usdc, owner) = (manifest.addresses.usdc, self.account());
        let balance = chain.view(usdc, &TestUSDC::balanceOfCall { account: owner }).await?;
        ensure!(balance >= value, "{owner} holds {}, this takes {}", dollars(balance), dollars(value));
        let nonce = chain.view(usdc, &TestUSDC::noncesCall { owner }).await?;
        let deadline = U256::from(chain.now().await? + LIFETIME);
        let message = eip712::Permit { owner, spender, value, nonce, deadline };
        let digest = eip712::digest(&message, &manifest.usdc_domain());
        let signature = self.key.sign_hash_sync(&digest)?;
        let (r, s) = (signature.r().into(), signature.s().into());
        Ok(LicenseSale::Permit { value, deadline, v: 27 + u8::from(signature.v()), r, s })
    }
}

/// Micro-USDC as a person reads it.
pub fn dollars(amount: U256) -> MicroUsdc {
    MicroUsdc(amount.saturating_to())
}

/// Hands out test dollars, which exist on the local chain alone.
pub async fn fund(manifest: &Manifest, sender: &Sender, to: Address, amount: u128) -> Result<Receipt> {
    let call = TestUSDC::mintCall { to, amount: U256::from(amount) };
    Ok(sender.send(manifest.addresses.usdc, &call).await?)
}

/// The three queries of the demo: a count, a mean with bounds, a histogram; each spends `rho` nano-zCDP.
pub fn sample_queries(dataset: DatasetId, rho: u64) -> [Query; 3] {
    use rochdale_core::query::{Ask, Code, Cohort, Of, VERSION};
    let query = |cohort: Cohort, ask: Ask| Query { version: VERSION, dataset, cohort, ask, rho };
    let systolic = Code { system: "http://loinc.org".to_owned(), code: "8480-6".to_owned() };
    let measured = Cohort { observation: Some(systolic.clone()), ..Cohort::default() };
    let ages = (0..=10).map(|decade| decade * 10_000).collect();
    [
        query(measured, Ask::Count {}),
        query(Cohort::default(), Ask::Mean { of: Of::Observation(systolic), rows: 4, lower: 80_000, upper: 200_000 }),
        query(Cohort::default(), Ask::Histogram { of: Of::Age {}, rows: 1, edges: ages }),
    ]
}

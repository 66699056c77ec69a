//! Who signs for a member: a key, or a passkey through an account of its own, which guardians can give another passkey.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue as _};
use anyhow::{Context as _, Result, ensure};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rochdale_chain::bindings::{GovToken, Guardians, MemberAccount, MemberAccountFactory, Membership};
use rochdale_chain::eip712;
use sha2::{Digest as _, Sha256};

use super::Year;
use super::agenda::Deed;
use super::chain::{Site, refusal};
use super::span::{DAY, HOUR};
use super::tally::{Act, Outcome};

alloy::sol! {
    /// What a passkey signs in the name of its account.
    struct Message {
        bytes32 hash;
    }

    /// What a guardian signs for another passkey.
    struct Approval {
        bytes32 qx;
        bytes32 qy;
        address guardian;
        uint256 round;
        uint256 deadline;
    }

    /// A device's answer, as OpenZeppelin's WebAuthn library takes it.
    struct Assertion {
        bytes32 r;
        bytes32 s;
        uint256 challengeIndex;
        uint256 typeIndex;
        bytes authenticatorData;
        string clientDataJSON;
    }
}

/// User present, user verified.
const FLAGS: u8 = 0x05;

/// A member's means to sign.
#[derive(Clone)]
pub(super) enum Key {
    /// A wallet's.
    Wallet(PrivateKeySigner),
    /// A device's, with the account that it opens.
    Passkey(Box<Passkey>),
}

/// A passkey and its account.
#[derive(Clone)]
pub(super) struct Passkey {
    key: SigningKey,
    account: Address,
    domain: Eip712Domain,
    /// Three, in ascending order of their addresses; two of them suffice.
    guardians: Vec<PrivateKeySigner>,
}

/// Seconds that the present passkey has for a veto.
const VETO: u32 = DAY as u32;

/// The public key of a passkey.
fn point(key: &SigningKey) -> Result<(B256, B256)> {
    let point = key.verifying_key().to_encoded_point(false);
    let half = |bytes: Option<&p256::FieldBytes>| bytes.map(|b| B256::from_slice(b)).context("no point");
    Ok((half(point.x())?, half(point.y())?))
}

impl Key {
    /// The account that is a member.
    pub fn address(&self) -> Address {
        match self {
            Self::Wallet(key) => key.address(),
            Self::Passkey(passkey) => passkey.account,
        }
    }

    /// Signs what a contract asks of a member.
    pub fn sign<T: SolStruct>(&self, message: &T, domain: &Eip712Domain) -> Result<Bytes> {
        match self {
            Self::Wallet(key) => Ok(eip712::sign(key, message, domain)?),
            Self::Passkey(passkey) => Ok(passkey.sign(eip712::digest(message, domain))),
        }
    }

    /// The key that can send by itself.
    pub fn wallet(&self) -> Option<&PrivateKeySigner> {
        match self {
            Self::Wallet(key) => Some(key),
            Self::Passkey(_) => None,
        }
    }
}

impl Passkey {
    /// Puts up the account of a new passkey, without guardians.
    pub async fn put_up(site: &mut Site, factory: Address, role: &str) -> Result<Self> {
        let key = SigningKey::from_slice(keccak256(site.key(role).to_bytes()).as_slice()).context("no key")?;
        let (qx, qy) = point(&key)?;
        let mut guardians: Vec<_> = (1..=3).map(|n| site.key(&format!("guardian {n} of {role}"))).collect();
        guardians.sort_by_key(PrivateKeySigner::address);
        let recovery = Guardians::Recovery {
            guardians: guardians.iter().map(PrivateKeySigner::address).collect(),
            threshold: 2,
            delay: VETO,
        };
        let create = MemberAccountFactory::createCall { qx, qy, recovery: recovery.clone() };
        site.relay(factory, &create).await?;
        let account = site.view(factory, &MemberAccountFactory::accountAtCall { qx, qy, recovery }).await?;
        let domain = eip712::domain("MemberAccount", site.chain.chain_id(), account);
        Ok(Self { key, account, domain, guardians })
    }

    /// The factory of accounts.
    pub async fn factory(site: &mut Site) -> Result<Address> {
        let implementation = site.create(MemberAccount::BYTECODE.clone(), "MemberAccount").await?;
        let code = [MemberAccountFactory::BYTECODE.to_vec(), implementation.abi_encode()].concat();
        site.create(code.into(), "MemberAccountFactory").await
    }

    /// Two guardians approve another passkey, which this becomes once nobody vetoed.
    async fn approve(&self, site: &mut Site, next: &SigningKey) -> Result<()> {
        let (qx, qy) = point(next)?;
        for guardian in &self.guardians[..2] {
            let round = site.view(self.account, &MemberAccount::recoveryRoundCall {}).await?;
            let (deadline, guarding) = (site.deadline().await?, guardian.address());
            let approval = Approval { qx, qy, guardian: guarding, round, deadline };
            let call = MemberAccount::approveRecoveryCall {
                a: MemberAccount::Approval { qx, qy, guardian: guarding, round, deadline },
                recovery: MemberAccount::Recovery {
                    guardians: self.guardians.iter().map(PrivateKeySigner::address).collect(),
                    threshold: 2,
                    delay: VETO,
                },
                signature: eip712::sign(guardian, &approval, &self.domain)?,
            };
            site.relay(self.account, &call).await?;
        }
        Ok(())
    }

    fn sign(&self, hash: B256) -> Bytes {
        let challenge = encode_url(eip712::digest(&Message { hash }, &self.domain).as_slice());
        let client =
            format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://rochdale.example"}}"#);
        let device = [keccak256(b"rochdale.example").as_slice(), &[FLAGS, 0, 0, 0, 0]].concat();
        let digest = [device.as_slice(), Sha256::digest(client.as_bytes()).as_slice()].concat();
        let signature: Signature = self.key.sign(&digest);
        let signature = signature.normalize_s().unwrap_or(signature);
        let (r, s) = signature.split_bytes();
        let assertion = Assertion {
            r: B256::from_slice(&r),
            s: B256::from_slice(&s),
            challengeIndex: U256::from(23),
            typeIndex: U256::from(1),
            authenticatorData: device.into(),
            clientDataJSON: client,
        };
        assertion.abi_encode_params().into()
    }
}

impl Year {
    /// A member lost a device: two guardians approve a new passkey.
    pub(super) async fn lose_passkey(&mut self) -> Result<()> {
        let place = self.anybody(|person| person.key.wallet().is_none())?;
        let Key::Passkey(passkey) = self.people[place].key.clone() else { return Ok(()) };
        let next = SigningKey::from_slice(self.any_hash().as_slice()).context("no key")?;
        passkey.approve(&mut self.site, &next).await?;
        for guardian in &passkey.guardians[..2] {
            self.tally.count(Act::ApproveRecovery, guardian.address());
        }
        let early = self.site.relay(passkey.account, &MemberAccount::executeRecoveryCall {}).await;
        let name = refusal(early)?;
        ensure!(name == "MemberAccount_TooEarly", "a recovery before its time was refused with {name}");
        self.tally.note(Outcome::Refused);
        self.recovering = Some((place, next));
        self.agenda.add(self.site.now().await? + u64::from(VETO) + HOUR, Deed::Recover);
        Ok(())
    }

    /// The account opens to the new passkey and no more to the old one; member and votes are the same.
    pub(super) async fn recover(&mut self) -> Result<()> {
        let (place, next) = self.recovering.take().context("nobody recovers anything")?;
        let Key::Passkey(old) = self.people[place].key.clone() else { return Ok(()) };
        let (account, at) = (old.account, self.site.manifest.addresses);
        let votes = async |site: &Site| -> Result<(U256, U256, u32)> {
            let member = site.view(at.membership, &Membership::getVotesCall { account }).await?;
            let units = site.view(at.gov_token, &GovToken::unitsOfCall { account }).await?;
            Ok((member, units, site.view(at.membership, &Membership::memberIdOfCall { account }).await?))
        };
        let before = votes(&self.site).await?;
        self.site.relay(account, &MemberAccount::executeRecoveryCall {}).await?;
        ensure!(votes(&self.site).await? == before, "a recovery changed the member's votes");
        self.tally.count(Act::Recover, account);
        let name = refusal(self.redirect(place).await)?;
        ensure!(name == "Membership_BadSignature", "the lost passkey was refused with {name}");
        self.tally.note(Outcome::Refused);
        self.people[place].key = Key::Passkey(Box::new(Passkey { key: next, ..*old }));
        self.redirect(place).await
    }
}

/// Base64 for addresses, without padding, as devices write a challenge.
fn encode_url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_written_as_rfc_4648_has_it() {
        let pairs: [(&[u8], &str); 5] =
            [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")];
        for (bytes, text) in pairs {
            assert_eq!(encode_url(bytes), text);
        }
    }
}

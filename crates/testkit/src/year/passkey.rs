//! Who signs for a member: a key, or a passkey through an account of its own.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue as _};
use anyhow::{Context as _, Result};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rochdale_chain::bindings::{Guardians, MemberAccount, MemberAccountFactory};
use rochdale_chain::eip712;
use sha2::{Digest as _, Sha256};

use super::chain::Site;

alloy::sol! {
    /// What a passkey signs in the name of its account.
    struct Message {
        bytes32 hash;
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
        let point = key.verifying_key().to_encoded_point(false);
        let half = |bytes: Option<&p256::FieldBytes>| bytes.map(|b| B256::from_slice(b)).context("no point");
        let (qx, qy) = (half(point.x())?, half(point.y())?);
        let recovery = || Guardians::Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
        let create = MemberAccountFactory::createCall { qx, qy, recovery: recovery() };
        site.relay(factory, &create).await?;
        let place = MemberAccountFactory::accountAtCall { qx, qy, recovery: recovery() };
        let account = site.view(factory, &place).await?;
        let domain = eip712::domain("MemberAccount", site.chain.chain_id(), account);
        Ok(Self { key, account, domain })
    }

    /// The factory of accounts.
    pub async fn factory(site: &mut Site) -> Result<Address> {
        let implementation = site.create(MemberAccount::BYTECODE.clone(), "MemberAccount").await?;
        let code = [MemberAccountFactory::BYTECODE.to_vec(), implementation.abi_encode()].concat();
        site.create(code.into(), "MemberAccountFactory").await
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

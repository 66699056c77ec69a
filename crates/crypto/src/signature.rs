//! secp256k1 signatures over EIP-712 digests, as the contracts check them.

use alloy_primitives::{Address, B256, Signature, U256};

/// Half the order of secp256k1: `s` above it has a twin below, so that contracts refuse it (EIP-2).
const HALF_ORDER: U256 =
    U256::from_limbs([0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, u64::MAX, 0x7fff_ffff_ffff_ffff]);

/// Why a signature is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// Neither 65 nor 64 bytes.
    #[error("a signature of {0} bytes; 65 (r, s, v) or 64 (r, vs of ERC-2098) are expected")]
    Length(usize),
    /// `v` names no point.
    #[error("the signature's v is {0}; 27 or 28 is expected")]
    RecoveryId(u8),
    /// The malleable twin of a signature.
    #[error(
        "the signature's s is in the upper half of the order; sign with a library that gives the lower one (EIP-2)"
    )]
    HighS,
    /// No key signs like this.
    #[error("no key gives this signature for this digest")]
    NoKey,
    /// Somebody else signed.
    #[error("signed by {found}, not by {expected}: another key, or other data than was sent")]
    WrongSigner {
        /// Who should have signed.
        expected: Address,
        /// Who did, for this digest.
        found: Address,
    },
}

/// Who signed this digest. 65 bytes are `r ‖ s ‖ v` with v = 27 or 28 (0 and 1 are read too), 64 bytes ERC-2098.
///
/// # Errors
/// Every variant of [`SignatureError`] but the last.
pub fn recover(digest: B256, signature: &[u8]) -> Result<Address, SignatureError> {
    let parsed = match signature.len() {
        65 => {
            let parity = match signature[64] {
                0 | 27 => false,
                1 | 28 => true,
                other => return Err(SignatureError::RecoveryId(other)),
            };
            Signature::from_bytes_and_parity(&signature[..64], parity)
        }
        64 => Signature::from_erc2098(signature),
        other => return Err(SignatureError::Length(other)),
    };
    if parsed.s() > HALF_ORDER {
        return Err(SignatureError::HighS);
    }
    parsed.recover_address_from_prehash(&digest).map_err(|_| SignatureError::NoKey)
}

/// Checks that `signer` signed this digest.
///
/// # Errors
/// As [`recover`], and [`SignatureError::WrongSigner`].
pub fn verify(digest: B256, signature: &[u8], signer: Address) -> Result<(), SignatureError> {
    match recover(digest, signature)? {
        found if found == signer => Ok(()),
        found => Err(SignatureError::WrongSigner { expected: signer, found }),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, b256, hex};

    use super::*;

    /// The signature that web3.js documents for `eth.accounts.hashMessage("Some data")`.
    const DIGEST: B256 = b256!("1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655");
    const SIGNATURE: [u8; 65] = hex!(
        "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
        "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"
    );
    const SIGNER: Address = address!("2c7536E3605D9C16a7a3D7b1898e529396a65c23");

    #[test]
    fn recovers_a_published_signature_in_both_forms() {
        assert_eq!(recover(DIGEST, &SIGNATURE).unwrap(), SIGNER);
        let compact = Signature::from_raw(&SIGNATURE).unwrap().as_erc2098();
        assert_eq!(recover(DIGEST, &compact).unwrap(), SIGNER);
        assert_eq!(verify(DIGEST, &SIGNATURE, SIGNER), Ok(()));
    }

    #[test]
    fn every_defect_has_its_name() {
        assert_eq!(recover(DIGEST, &SIGNATURE[..63]), Err(SignatureError::Length(63)));
        let mut other_v = SIGNATURE;
        other_v[64] = 29;
        assert_eq!(recover(DIGEST, &other_v), Err(SignatureError::RecoveryId(29)));

        let order: U256 = (HALF_ORDER << 1) + U256::from(1);
        let mut twin = SIGNATURE;
        let s = U256::from_be_slice(&SIGNATURE[32..64]);
        twin[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
        twin[64] = 27;
        assert_eq!(recover(DIGEST, &twin), Err(SignatureError::HighS));

        assert_eq!(recover(DIGEST, &[0; 65]), Err(SignatureError::NoKey));
        let other = Address::repeat_byte(7);
        assert_eq!(
            verify(DIGEST, &SIGNATURE, other),
            Err(SignatureError::WrongSigner { expected: other, found: SIGNER })
        );
    }
}

//! Whether a contract account takes a signature (ERC-1271), so that every process finds the same, whatever its RPC.
//!
//! The account is not called by the RPC's own call but from a few lines of bytecode, which run as a creation that is never mined.
//! They give it the same gas everywhere and return how it ended, so that a contract that reverts or burns all of its gas is an answer,
//! and every error of the RPC is none. A contract that asks for the gas left, the caller or the origin sees the same from every process.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall as _;

use crate::client::{Chain, ChainError};
use crate::eip712;

alloy::sol! {
    /// ERC-1271.
    function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4 magic);
}

/// Gas that the account has for its answer: a passkey without the precompile takes a twentieth of it.
const GAS: u32 = 5_000_000;
/// Gas of the whole call: of that, of the 64th that a caller keeps, and of what the longest signature costs as calldata.
const GAS_LIMIT: u64 = 8_000_000;
/// Longer signatures no account takes here; a creation may have 49,152 bytes.
const MOST_BYTES: usize = 32 << 10;
/// Bytes of the program before its data.
const PROGRAM_BYTES: u16 = 61;

/// The program: it calls `account` with `data` and returns four words: gas left before the call, whether the call succeeded, the length
/// of what it returned, and the first word of that.
fn program(account: Address, data: &[u8]) -> Vec<u8> {
    // No longer than `MOST_BYTES` with the words around it.
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
    let code: [&[u8]; 16] = [
        // CODECOPY(0x80, PROGRAM_BYTES, length)
        &[0x61],
        &length,
        &[0x61],
        &PROGRAM_BYTES.to_be_bytes(),
        &[0x60, 0x80, 0x39],
        // MSTORE(0, GAS)
        &[0x5a, 0x60, 0x00, 0x52],
        // MSTORE(0x20, STATICCALL(GAS, account, 0x80, length, 0x60, 0x20))
        &[0x60, 0x20, 0x60, 0x60, 0x61],
        &length,
        &[0x60, 0x80, 0x73],
        account.as_slice(),
        &[0x63],
        &GAS.to_be_bytes(),
        &[0xfa, 0x60, 0x20, 0x52],
        // MSTORE(0x40, RETURNDATASIZE), RETURN(0, 0x80)
        &[0x3d, 0x60, 0x40, 0x52],
        &[0x60, 0x80, 0x60, 0x00, 0xf3],
        data,
    ];
    code.concat()
}

/// Whether the contract at an account takes a signature of a digest as of a block; never where there is none.
///
/// # Errors
/// Where the RPC does not answer, allows the call too little gas, or has no state of that block any more: that must not pass for a no.
pub async fn accepts(
    chain: &Chain,
    account: Address,
    hash: B256,
    signature: &Bytes,
    at: BlockId,
) -> Result<bool, ChainError> {
    if signature.len() > MOST_BYTES || !is_contract(chain, account, at).await? {
        return Ok(false);
    }
    let data = isValidSignatureCall { hash, signature: signature.clone() }.abi_encode();
    let request = TransactionRequest {
        from: Some(Address::ZERO),
        to: Some(TxKind::Create),
        gas: Some(GAS_LIMIT),
        input: Bytes::from(program(account, &data)).into(),
        ..TransactionRequest::default()
    };
    let answer = chain.provider().call(request).block(at).await;
    let answer = answer.map_err(|error| chain.error("isValidSignature", &error))?;
    read(&answer).map_err(|detail| ChainError::Refused {
        rpc: chain.rpc().to_owned(),
        call: format!("{} at {account}", isValidSignatureCall::SIGNATURE),
        detail,
    })
}

/// Whether an account says this digest: by its key, or by the contract that it is.
///
/// # Errors
/// As [`accepts`], which is asked only where it is not the key's signature.
pub async fn says(
    chain: &Chain,
    account: Address,
    digest: B256,
    signature: &Bytes,
    at: BlockId,
) -> Result<bool, ChainError> {
    let by_key = eip712::recover_digest(digest, signature).is_ok_and(|signer| signer == account);
    Ok(by_key || accepts(chain, account, digest, signature, at).await?)
}

/// What the program's answer says.
fn read(answer: &[u8]) -> Result<bool, String> {
    let words: Vec<U256> = answer.chunks(32).map(U256::from_be_slice).collect();
    let ([gas, success, length, word], 128) = (&words[..], answer.len()) else {
        return Err(format!("an answer of {} bytes; the program returns 128", answer.len()));
    };
    // The caller keeps a 64th; the call itself costs less than the rest.
    let needed = u64::from(GAS) / 63 * 64 + 10_000;
    if *gas < U256::from(needed) {
        return Err(format!("{gas} gas for the call, {needed} is needed: raise the RPC's cap to {GAS_LIMIT}"));
    }
    let mut magic = [0; 32];
    magic[..4].copy_from_slice(&isValidSignatureCall::SELECTOR);
    Ok(*success == U256::ONE && *length >= U256::from(32) && *word == U256::from_be_bytes(magic))
}

/// Whether there is a contract at an account as of a block.
///
/// # Errors
/// As [`accepts`].
pub async fn is_contract(chain: &Chain, account: Address, at: BlockId) -> Result<bool, ChainError> {
    let code = chain.provider().get_code_at(account).block_id(at).await;
    Ok(!code.map_err(|e| chain.error("eth_getCode", &e))?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(gas: u64, success: u8, length: u64, magic: [u8; 4]) -> Vec<u8> {
        let mut word = [0; 32];
        word[..4].copy_from_slice(&magic);
        let words = [U256::from(gas), U256::from(success), U256::from(length), U256::from_be_bytes(word)];
        words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect()
    }

    #[test]
    fn a_no_is_an_answer_and_everything_else_is_an_error() {
        let (yes, gas) = (isValidSignatureCall::SELECTOR, GAS_LIMIT - 100_000);
        assert_eq!(read(&answer(gas, 1, 32, yes)), Ok(true));
        assert_eq!(read(&answer(gas, 0, 32, yes)), Ok(false), "it reverted with the magic word");
        assert_eq!(read(&answer(gas, 1, 4, yes)), Ok(false), "no word");
        assert_eq!(read(&answer(gas, 1, 32, [0xff; 4])), Ok(false));
        assert!(read(&answer(u64::from(GAS), 0, 0, [0; 4])).unwrap_err().contains("cap"), "less than the same gas");
        assert!(read(&[]).unwrap_err().contains("0 bytes"));
        assert!(read(&answer(gas, 1, 32, yes)[..96]).is_err());
    }

    #[test]
    fn the_data_begins_where_the_program_says() {
        let code = program(Address::repeat_byte(7), b"data");
        assert_eq!(&code[usize::from(PROGRAM_BYTES)..], b"data");
    }
}

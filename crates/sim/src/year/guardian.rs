//! The guardian: a Safe of five people of whom three decide.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall as _;
use anyhow::{Context as _, Result};
use rochdale_chain::client::Sender;
use serde::Deserialize;

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

/// The guardian.
pub(super) struct Guardian {
    pub address: Address,
    // In ascending order of their addresses, as a Safe takes signatures.
    pub owners: Vec<PrivateKeySigner>,
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

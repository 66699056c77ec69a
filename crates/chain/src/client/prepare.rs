//! Everything that a transaction needs to know of the chain, by one request.

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Bytes, U64, U128};
use alloy::providers::Provider as _;
use alloy::providers::utils::{
    EIP1559_FEE_ESTIMATION_PAST_BLOCKS, EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE, eip1559_default_estimator,
};
use alloy::rpc::client::BatchRequest;
use alloy::rpc::types::FeeHistory;

use super::options::{Prepared, gas_limit};
use super::sender::{SendError, Sender, Wanted, is_transient};

impl Sender {
    /// Simulates a call, and reads what its transaction needs.
    ///
    /// # Errors
    /// Where the contract refuses it, or the RPC does not answer.
    pub(super) async fn prepare(&self, wanted: &Wanted<'_>) -> Result<Prepared, SendError> {
        let handed_over = self.handed_over().await;
        let (provider, request) = (self.chain().provider(), self.request(wanted));
        let (latest, pending) = (BlockNumberOrTag::Latest, BlockNumberOrTag::Pending);
        let reading = || async {
            let mut batch = BatchRequest::new(provider.client());
            let simulated = batch.add_call::<_, Bytes>("eth_call", &(&request, pending))?;
            let gas = batch.add_call::<_, U64>("eth_estimateGas", &(&request, pending))?;
            let count = batch.add_call::<_, U64>("eth_getTransactionCount", &(self.address(), pending))?;
            let blocks = U128::from(EIP1559_FEE_ESTIMATION_PAST_BLOCKS);
            let asked = (blocks, latest, [EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE]);
            let history = batch.add_call::<_, FeeHistory>("eth_feeHistory", &asked)?;
            batch.send().await?;
            match simulated.await {
                // That the node is busy is tried again, what it says of the call stands.
                Err(error) if is_transient(&error) => Err(error),
                Err(error) => Ok(Err(error)),
                Ok(_) => Ok(Ok((gas.await?, count.await?, history.await?))),
            }
        };
        let read = self.retry(wanted, reading).await?;
        let (gas, count, history) = read.map_err(|error| self.explain(wanted, &error))?;
        let fees = match history.latest_block_base_fee().filter(|fee| *fee != 0) {
            Some(base) => eip1559_default_estimator(base, &history.reward.unwrap_or_default()),
            // A chain without a base fee says so in its blocks.
            None => self.retry(wanted, || async move { provider.estimate_eip1559_fees().await }).await?,
        };
        Ok(Prepared { gas: gas_limit(gas.to()), fees, count: count.to(), handed_over })
    }
}

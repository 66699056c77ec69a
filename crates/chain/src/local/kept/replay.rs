//! Bringing a chain back: its dump is loaded, its journal mined again.

use alloy::primitives::{B256, Bytes, keccak256};
use serde_json::{Value, json};

use super::journal::{Entry, Mined};
use super::rpc::{Rpc, RpcError};
use super::{FINALITY, Inner, KeptError, block, world};

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The newest block that is as it was; 0 on a new chain.
    pub block: u64,
    /// Blocks that were mined again from the journal.
    pub replayed: u64,
    /// Transactions that anvil had taken but that were in no noted block; they are in later blocks now.
    pub again: u64,
    /// Blocks that were noted and could not be mined again to the same hash; nothing but damaged files leads to it.
    pub lost: u64,
    /// Dumps that could not be read, each with its reason.
    pub damaged: Vec<String>,
}

impl Restored {
    /// What a person should know, if anything.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.damaged.is_empty() {
            let damaged = self.damaged.join("; ");
            parts.push(format!("a file of the local chain is damaged, the one before was used: {damaged}"));
        }
        if self.lost > 0 {
            parts.push(format!(
                "the last {} blocks of the local chain are lost, it goes on after block {}",
                self.lost, self.block
            ));
        }
        if self.replayed > 0 || self.again > 0 {
            let (replayed, again) = (self.replayed, self.again);
            parts.push(format!(
                "the local chain did not end well: {replayed} blocks were brought back from its journal, and {again} transactions that were in none"
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Inner {
    /// Brings the kept chain into a fresh anvil and begins a new dump; a new chain is begun where none is kept.
    pub(super) async fn restore(&mut self, rpc: &Rpc) -> Result<Restored, KeptError> {
        let kept = self.files.read()?;
        let mut restored = Restored { damaged: kept.damaged, ..Restored::default() };
        self.pending.clear();
        if let Some(dump) = &kept.dump {
            rpc.call::<bool>("anvil_loadState", json!([dump.to_rpc()?])).await?;
            restored.block = dump.head().0;
            let loaded = block(rpc, "latest").await?;
            if (loaded.number, loaded.hash) != dump.head() {
                let (method, detail) = ("anvil_loadState".to_owned(), format!("it stands at block {}", loaded.number));
                return Err(RpcError::Refused { method, detail }.into());
            }
            // Anvil's clock begins with its start, and it mines no block before that.
            rpc.call::<Value>("anvil_setTime", json!([loaded.timestamp])).await?;
        }
        self.replay(rpc, kept.entries, &mut restored).await?;
        self.dump(rpc).await?;
        for (_, raw) in std::mem::take(&mut self.pending) {
            let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw] });
            let answer = self.send(rpc, &request).await?;
            restored.again += u64::from(answer.get("error").is_none());
        }
        if kept.dump.is_some() {
            let next = block(rpc, "latest").await?.timestamp + 1;
            rpc.call::<Value>("anvil_setTime", json!([next.max(world())])).await?;
        }
        // Anvil has the state of the newest block alone, so that nothing could be read as of the final one.
        for _ in 0..FINALITY {
            self.mine(rpc).await?;
        }
        Ok(restored)
    }

    async fn replay(&mut self, rpc: &Rpc, entries: Vec<Entry>, restored: &mut Restored) -> Result<(), KeptError> {
        let mut sent: Vec<(B256, Bytes)> = Vec::new();
        let mut entries = entries.into_iter();
        for entry in entries.by_ref() {
            match entry {
                Entry::Sent(raw) => {
                    sent.push((keccak256(&raw), raw));
                }
                Entry::Refused(hash) => sent.retain(|(one, _)| *one != hash),
                Entry::Mined(mined) if mined.number <= restored.block => {
                    sent.retain(|(one, _)| !mined.transactions.contains(one));
                }
                Entry::Mined(mined) => {
                    if !mine_again(rpc, &mined, &mut sent).await? {
                        restored.lost = 1;
                        break;
                    }
                    restored.block = mined.number;
                    restored.replayed += 1;
                }
            }
        }
        restored.lost += entries.filter(|e| matches!(e, Entry::Mined(_))).count() as u64;
        self.pending = sent;
        Ok(())
    }
}

/// Whether the same block came out.
async fn mine_again(rpc: &Rpc, mined: &Mined, sent: &mut Vec<(B256, Bytes)>) -> Result<bool, KeptError> {
    let timestamp = format!("{:#x}", mined.timestamp);
    rpc.call::<Value>("evm_setNextBlockTimestamp", json!([timestamp])).await?;
    rpc.call::<Value>("anvil_setNextBlockBaseFeePerGas", json!([format!("{:#x}", mined.base_fee)])).await?;
    for hash in &mined.transactions {
        let Some(place) = sent.iter().position(|(one, _)| one == hash) else { return Ok(false) };
        let raw = sent[place].1.clone();
        sent.retain(|(one, _)| one != hash);
        match rpc.call::<B256>("eth_sendRawTransaction", json!([raw])).await {
            Ok(_) => {}
            Err(RpcError::Refused { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    rpc.call::<Value>("evm_mine", json!([])).await?;
    let again = block(rpc, "latest").await?;
    Ok(again == *mined)
}

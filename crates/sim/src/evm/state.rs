//! Accounts, code and storage. A copy shares everything with what it was copied from, so that each block keeps its own.

use std::convert::Infallible;

use alloy::primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::DatabaseRef;
use revm::bytecode::Bytecode;
use revm::state::{AccountInfo, EvmState};
use rpds::HashTrieMapSync;

/// One account.
#[derive(Clone)]
struct Account {
    nonce: u64,
    balance: U256,
    code: B256,
    storage: HashTrieMapSync<U256, U256>,
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code: KECCAK256_EMPTY, storage: HashTrieMapSync::default() }
    }
}

/// What a chain is after a block.
#[derive(Clone, Default)]
pub(super) struct State {
    accounts: HashTrieMapSync<Address, Account>,
    codes: HashTrieMapSync<B256, Bytecode>,
    /// Hashes of blocks by number, for `BLOCKHASH`.
    hashes: HashTrieMapSync<u64, B256>,
}

impl State {
    /// Takes in what a transaction changed.
    pub fn apply(&mut self, changes: EvmState) {
        for (address, changed) in changes.into_iter().filter(|(_, changed)| changed.is_touched()) {
            if changed.is_selfdestructed() || changed.is_empty() {
                self.accounts.remove_mut(&address);
                continue;
            }
            let known = if changed.is_created() { None } else { self.accounts.get(&address).cloned() };
            let mut account = known.unwrap_or_default();
            account.nonce = changed.info.nonce;
            account.balance = changed.info.balance;
            account.code = changed.info.code_hash;
            if let Some(code) = changed.info.code.filter(|_| !self.codes.contains_key(&account.code)) {
                self.codes.insert_mut(account.code, code);
            }
            for (slot, value) in changed.storage.into_iter().filter(|(_, value)| value.is_changed()) {
                match value.present_value {
                    U256::ZERO => drop(account.storage.remove_mut(&slot)),
                    present => account.storage.insert_mut(slot, present),
                }
            }
            self.accounts.insert_mut(address, account);
        }
    }

    /// Puts a contract on the chain without a transaction.
    pub fn set_code(&mut self, address: Address, code: Bytecode) {
        let hash = code.hash_slow();
        self.codes.insert_mut(hash, code);
        let known = self.accounts.get(&address).cloned().unwrap_or_default();
        self.accounts.insert_mut(address, Account { code: hash, ..known });
    }

    /// Gives an account this much ether, in wei.
    pub fn set_balance(&mut self, address: Address, balance: U256) {
        let known = self.accounts.get(&address).cloned().unwrap_or_default();
        self.accounts.insert_mut(address, Account { balance, ..known });
    }

    /// Remembers a block's hash.
    pub fn set_hash(&mut self, number: u64, hash: B256) {
        self.hashes.insert_mut(number, hash);
    }

    /// How many transactions an account has sent, or contracts it has created.
    pub fn nonce(&self, address: Address) -> u64 {
        self.accounts.get(&address).map_or(0, |account| account.nonce)
    }

    /// Wei of an account.
    pub fn balance(&self, address: Address) -> U256 {
        self.accounts.get(&address).map_or(U256::ZERO, |account| account.balance)
    }

    /// A word of a contract's storage.
    pub fn slot(&self, address: Address, slot: U256) -> U256 {
        self.accounts.get(&address).and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default()
    }

    /// The code of a contract, empty where there is none.
    pub fn code(&self, address: Address) -> Bytecode {
        let code = self.accounts.get(&address).and_then(|account| self.codes.get(&account.code));
        code.cloned().unwrap_or_default()
    }
}

impl DatabaseRef for State {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        let info = |account: &Account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code,
            account_id: None,
            code: self.codes.get(&account.code).cloned(),
        };
        Ok(self.accounts.get(&address).map(info))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.codes.get(&hash).cloned().unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.slot(address, slot))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }
}

//! Simulations on the bytecode that is deployed: [`evm`] is a chain inside this process, [`year`] the life of a
//! cooperative on it, on anvil or on any other chain.

pub mod evm;
pub mod year;

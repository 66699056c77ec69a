//! What pages have done with contracts, in one piece that is loaded with the first wallet.
export * from "./auction";
export { endJob, escrowOf, jobOf, openedIn, openJob, rates } from "./compute";
export * from "./ethics";
export { digestOf, isAtomic, mined, now, sign } from "./evm";
export * from "./market";

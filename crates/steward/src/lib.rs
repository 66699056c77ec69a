//! The steward: key shares, scores, the budget log, settlement.

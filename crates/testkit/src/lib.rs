//! Development only: anvil, fixtures, synthetic patients, defects.

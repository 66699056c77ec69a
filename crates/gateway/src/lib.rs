//! The gateway: public HTTP API, vault, indexer, relayer.

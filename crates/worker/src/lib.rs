//! The worker: the only process that opens pooled records.

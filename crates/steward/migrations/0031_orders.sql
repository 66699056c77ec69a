-- The order that a snapshot was taken for, by its EIP-712 digest; zeros where it was not written down.
ALTER TABLE snapshots ADD COLUMN order_digest BLOB NOT NULL DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';

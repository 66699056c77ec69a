-- Of members who erased everything: `signature` is empty until the files hold no trace of what opened their records. The
-- rest is destroyed at `closed_at`; `complete` is our word for all of it, of `complete_at`, once the sealing keys of that
-- time are destroyed too.
ALTER TABLE erasures ADD COLUMN closed_at INTEGER;
ALTER TABLE erasures ADD COLUMN complete_at INTEGER;
ALTER TABLE erasures ADD COLUMN complete BLOB;

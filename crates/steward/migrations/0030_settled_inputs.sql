-- What settled epochs were computed from, wrapped by the master key: `inputs` is what whoever is seated later computes them from, without
-- what members had erased since; `sheet` is the whole sheet as it was opened, kept for the audit for its time. What stood here is
-- taken from peers again.
DROP TABLE sheet_copies;
CREATE TABLE sheet_copies (
    epoch  INTEGER NOT NULL,
    digest BLOB NOT NULL,
    inputs BLOB NOT NULL,
    sheet  BLOB,
    PRIMARY KEY (epoch, digest)
) STRICT, WITHOUT ROWID;

-- Block time at which a member's part of those inputs was destroyed: once the epoch that closes its row stands.
ALTER TABLE erasures ADD COLUMN scrubbed_at INTEGER;

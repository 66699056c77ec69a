-- Sheets of settled epochs that came from a peer, since our own copy did not open, sealed to ourselves.
CREATE TABLE sheet_copies (
    epoch  INTEGER NOT NULL,
    digest BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (epoch, digest)
) STRICT, WITHOUT ROWID;

-- Row keys that the registrar offered, sealed as they came, of accounts that have not joined.
CREATE TABLE offers (
    digest    BLOB PRIMARY KEY,
    account   BLOB NOT NULL,
    nullifier BLOB NOT NULL,
    seat      INTEGER NOT NULL,
    sealed    BLOB NOT NULL,
    deadline  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The exact inputs behind the row of the last epochs, wrapped like the row: what the member opens where it contests.
ALTER TABLE rows ADD COLUMN inputs BLOB;

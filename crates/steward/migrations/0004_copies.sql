-- Sheets of settled epochs, opened, wrapped by the master key: the sealing key that they came under is destroyed before an
-- audit or a steward that was away asks for them.
CREATE TABLE sheet_copies (
    epoch  INTEGER NOT NULL,
    digest BLOB NOT NULL,
    wrapped BLOB NOT NULL,
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

-- Sheets of settled epochs that came from a peer, since our own copy did not open, sealed to ourselves.
CREATE TABLE sheet_copies (
    epoch  INTEGER NOT NULL,
    digest BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (epoch, digest)
) STRICT, WITHOUT ROWID;

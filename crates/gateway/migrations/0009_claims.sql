-- What the cooperative paid gas for: when (Unix seconds of block time), and the last epoch in which a member's claim was paid for.
ALTER TABLE transactions ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX transactions_by_time ON transactions (at, kind);

-- A block that was final; at most one row.
CREATE TABLE known_final (
    id        INTEGER PRIMARY KEY CHECK (id = 0),
    number    INTEGER NOT NULL,
    hash      BLOB    NOT NULL,
    parent    BLOB    NOT NULL,
    timestamp INTEGER NOT NULL
);

CREATE TABLE claims_on_the_house (
    member INTEGER PRIMARY KEY,
    epoch  INTEGER NOT NULL
);

-- The chain as it was read. Hashes are 32 bytes, addresses 20; times are Unix seconds of block time.
CREATE TABLE blocks (
    number    INTEGER PRIMARY KEY,
    hash      BLOB    NOT NULL,
    parent    BLOB    NOT NULL,
    timestamp INTEGER NOT NULL
);

CREATE TABLE events (
    block     INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    member    INTEGER,
    -- What the event is found by: commitment, nullifier, entry hash, root.
    subject   BLOB,
    -- chain::events::Located as JSON.
    body      TEXT    NOT NULL,
    PRIMARY KEY (block, log_index)
);
CREATE INDEX events_by_member ON events (member, kind);
CREATE INDEX events_by_subject ON events (subject, kind);

-- Ciphertext that was uploaded. A blob without a contribution is deleted after a while.
CREATE TABLE blobs (
    digest BLOB    PRIMARY KEY,
    bytes  INTEGER NOT NULL,
    put_at INTEGER NOT NULL -- wall clock, for the deletion of what nobody named
);

-- The queue of signed contributions and what became of them. No share and no secret is kept.
CREATE TABLE contributions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    commitment      BLOB    NOT NULL,
    member          INTEGER NOT NULL, -- anybody may record a commitment as its own: only the member's event is about this row
    consent_version INTEGER NOT NULL,
    nonce           INTEGER NOT NULL,
    deadline        INTEGER NOT NULL,
    signature       BLOB    NOT NULL,
    blob            BLOB    NOT NULL REFERENCES blobs (digest) ON DELETE CASCADE,
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'recorded', 'refused')),
    reason          TEXT,
    contribution_id INTEGER,
    tx              BLOB,
    block           INTEGER,
    gas_used        INTEGER,
    batch           INTEGER NOT NULL DEFAULT 0,
    UNIQUE (commitment, member)
);
CREATE INDEX contributions_by_state ON contributions (state, id);
CREATE INDEX contributions_by_member ON contributions (member);
CREATE INDEX contributions_by_blob ON contributions (blob);

-- Which stewards hold their share of a contribution, and why the others do not.
CREATE TABLE holders (
    contribution INTEGER NOT NULL REFERENCES contributions (id) ON DELETE CASCADE,
    steward      INTEGER NOT NULL,
    reason       TEXT, -- NULL: holds it
    PRIMARY KEY (contribution, steward)
);

-- What the relayer paid for.
CREATE TABLE transactions (
    tx       BLOB    PRIMARY KEY,
    kind     TEXT    NOT NULL,
    items    INTEGER NOT NULL,
    block    INTEGER NOT NULL,
    gas_used INTEGER NOT NULL
);

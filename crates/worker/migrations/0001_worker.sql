-- Nonces of signed requests until their deadline.
CREATE TABLE nonces (
    signer   BLOB NOT NULL,
    nonce    BLOB NOT NULL,
    deadline INTEGER NOT NULL,
    PRIMARY KEY (signer, nonce)
) STRICT, WITHOUT ROWID;

-- One row for each signed order that got as far as the budget. What `snapshot` and `kept` hold is sealed to the worker's
-- own key, `sealed` to the license's recipient; no row ever holds a record or an exact result.
CREATE TABLE jobs (
    order_digest      BLOB PRIMARY KEY,
    state             TEXT NOT NULL CHECK (state IN ('proposed', 'committed', 'answered', 'done')),
    cached            INTEGER NOT NULL,
    request           TEXT NOT NULL,
    query_digest      BLOB NOT NULL,
    dataset           INTEGER NOT NULL,
    purpose           INTEGER NOT NULL,
    snapshot_digest   BLOB NOT NULL,
    cut               BLOB NOT NULL,
    cut_time          INTEGER NOT NULL,
    snapshot          BLOB,
    idx               INTEGER NOT NULL,
    entry             TEXT NOT NULL,
    entry_hash        BLOB NOT NULL,
    countersignatures TEXT NOT NULL DEFAULT '[]',
    kept              BLOB,
    sealed            BLOB,
    mined             TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_state ON jobs (state, idx);
CREATE INDEX jobs_by_question ON jobs (query_digest, snapshot_digest);

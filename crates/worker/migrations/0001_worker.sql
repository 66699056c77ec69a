-- Nonces of signed requests until their deadline.
CREATE TABLE nonces (
    signer   BLOB NOT NULL,
    nonce    BLOB NOT NULL,
    deadline INTEGER NOT NULL,
    PRIMARY KEY (signer, nonce)
) STRICT, WITHOUT ROWID;

-- One row for each signed order that was taken up, until its license has ended. What `secret` (blinder and ids of the snapshot; gone once
-- the order is done) and `kept` hold is sealed to the worker's own key, `sealed` to the license's recipient; no row ever holds a record
-- or an exact result. `question` is a keyed hash of query and snapshot, by which the same question finds its answer.
CREATE TABLE jobs (
    order_digest BLOB PRIMARY KEY,
    state        TEXT NOT NULL CHECK (state IN ('asked', 'signed', 'booked', 'answered', 'done')),
    license      INTEGER NOT NULL,
    deadline     INTEGER NOT NULL,
    cut_time     INTEGER NOT NULL,
    request      TEXT NOT NULL,
    question     BLOB,
    secret       BLOB,
    debit        TEXT,
    kept         BLOB,
    sealed       BLOB,
    mined        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_state ON jobs (state, deadline);
CREATE INDEX jobs_by_question ON jobs (question);

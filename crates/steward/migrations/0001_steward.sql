-- What the chain said, as far as it was followed.
CREATE TABLE blocks (
    number    INTEGER PRIMARY KEY,
    hash      BLOB NOT NULL,
    parent    BLOB NOT NULL,
    timestamp INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    block_number INTEGER NOT NULL,
    log_index    INTEGER NOT NULL,
    body         TEXT NOT NULL,
    PRIMARY KEY (block_number, log_index)
) STRICT, WITHOUT ROWID;

-- One key for each member, wrapped by the master key. What is `wrapped` below is under the member's key.
CREATE TABLE member_keys (
    member_id INTEGER PRIMARY KEY,
    wrapped   BLOB NOT NULL
) STRICT;

CREATE TABLE row_keys (
    member_id INTEGER PRIMARY KEY,
    wrapped   BLOB NOT NULL
) STRICT;

CREATE TABLE consents (
    member_id INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    wrapped   BLOB NOT NULL,
    PRIMARY KEY (member_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE contributions (
    commitment  BLOB PRIMARY KEY,
    member_id   INTEGER NOT NULL,
    header      BLOB NOT NULL,
    blob_digest BLOB NOT NULL,
    seats       INTEGER NOT NULL,
    points      BLOB NOT NULL,
    shares_hash BLOB NOT NULL,
    wrapped     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contributions_of_member ON contributions (member_id);

CREATE TABLE shares (
    commitment BLOB PRIMARY KEY,
    member_id  INTEGER NOT NULL,
    wrapped    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_of_member ON shares (member_id);

-- Signed scores, ours and the peers', by the account that signed: a seat may be given to somebody else, or another number.
CREATE TABLE scores (
    contribution_id INTEGER NOT NULL,
    signer          BLOB NOT NULL,
    member_id       INTEGER NOT NULL,
    quality         INTEGER NOT NULL,
    uniqueness      INTEGER NOT NULL,
    authenticity    INTEGER NOT NULL,
    rarity          INTEGER NOT NULL,
    rubric_hash     BLOB NOT NULL,
    sketch          BLOB NOT NULL,
    signature       BLOB NOT NULL,
    PRIMARY KEY (contribution_id, signer)
) STRICT, WITHOUT ROWID;

-- Why our own scores are what they are.
CREATE TABLE score_reasons (
    contribution_id INTEGER PRIMARY KEY,
    member_id       INTEGER NOT NULL,
    wrapped         BLOB NOT NULL
) STRICT;

-- Contributions that wait for a score, with the reason.
CREATE TABLE deferred (
    contribution_id INTEGER PRIMARY KEY,
    reason          TEXT NOT NULL
) STRICT;

-- Scores as they entered the ledger, once for each contribution.
CREATE TABLE entered (
    contribution_id INTEGER PRIMARY KEY,
    member_id       INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    quality         INTEGER NOT NULL,
    uniqueness      INTEGER NOT NULL,
    authenticity    INTEGER NOT NULL,
    rarity          INTEGER NOT NULL,
    sketch          BLOB NOT NULL
) STRICT;

-- Snapshots that were asked for, by digest.
CREATE TABLE snapshots (
    digest    BLOB PRIMARY KEY,
    dataset   INTEGER NOT NULL,
    purpose   INTEGER NOT NULL,
    cut       BLOB NOT NULL,
    ids       BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The budget log. A row is signed by us, committed by a majority, or both.
CREATE TABLE budget_entries (
    idx               INTEGER PRIMARY KEY,
    entry_hash        BLOB NOT NULL,
    body              TEXT NOT NULL,
    order_digest      BLOB UNIQUE,
    signature         BLOB,
    countersignatures TEXT
) STRICT;

-- Headers that we signed: one for each attempt, for ever.
CREATE TABLE signed_headers (
    epoch     INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (epoch, attempt)
) STRICT, WITHOUT ROWID;

-- Sheets as they were sent, ours and the peers'.
CREATE TABLE sheets (
    epoch   INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    digest  BLOB NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (epoch, attempt, digest)
) STRICT, WITHOUT ROWID;

-- Settled epochs: the header on chain, the global state after it.
CREATE TABLE epochs (
    epoch   INTEGER PRIMARY KEY,
    header  TEXT NOT NULL,
    globals TEXT NOT NULL
) STRICT;

-- Every member's row after each epoch. `wrapped` is the exact row; it is gone where the member erased everything.
-- Amounts are 16 bytes, big-endian.
CREATE TABLE rows (
    epoch        INTEGER NOT NULL,
    member_id    INTEGER NOT NULL,
    cash         BLOB NOT NULL,
    stream       BLOB NOT NULL,
    data         BLOB NOT NULL,
    gov          BLOB NOT NULL,
    private_hash BLOB NOT NULL,
    inputs_leaf  BLOB NOT NULL,
    wrapped      BLOB,
    PRIMARY KEY (epoch, member_id)
) STRICT, WITHOUT ROWID;

-- Members who erased everything. `row` holds what the ledger still owes them, and nothing else of their row.
CREATE TABLE erasures (
    member_id INTEGER PRIMARY KEY,
    shares    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    signature BLOB NOT NULL,
    closed    INTEGER NOT NULL DEFAULT 0,
    row       TEXT
) STRICT;

-- What people have to look at before we go on.
CREATE TABLE halts (
    duty   TEXT PRIMARY KEY,
    reason TEXT NOT NULL
) STRICT;

-- Which entry each steward signed at each index: two are a proof of equivocation.
CREATE TABLE entry_signers (
    idx        INTEGER NOT NULL,
    steward    INTEGER NOT NULL,
    entry_hash BLOB NOT NULL,
    signature  BLOB NOT NULL,
    PRIMARY KEY (idx, steward)
) STRICT, WITHOUT ROWID;

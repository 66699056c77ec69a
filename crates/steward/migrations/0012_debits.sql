-- A debit is booked on chain, each order once; the log of one pool's budget has no reader any more. The digests of its snapshots were not
-- blinded, so who was in them goes too.
DROP TABLE budget_entries;
DROP TABLE entry_signers;
DROP TABLE snapshots;
DELETE FROM halts WHERE duty = 'budget';

-- Snapshots that a debit names, by blinded digest. `cut_time` is that of the block, Unix seconds.
CREATE TABLE snapshots (
    digest   BLOB PRIMARY KEY,
    dataset  INTEGER NOT NULL,
    purpose  INTEGER NOT NULL,
    cut      BLOB NOT NULL,
    cut_time INTEGER NOT NULL,
    blinder  BLOB NOT NULL,
    ids      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Debits that we signed, one for each order, and those that we released shares for, with what books them again after a reorganization.
CREATE TABLE debits (
    order_digest BLOB PRIMARY KEY,
    body         TEXT NOT NULL,
    signature    BLOB,
    quorum       TEXT
) STRICT, WITHOUT ROWID;

-- What the houses decide is followed since this version: the chain is read again from its beginning. What was final stays known.
DELETE FROM events;
DELETE FROM blocks;

-- What is asked of the chain once for each proposal: what its calls would change, as of when they were first seen, and its quorum.
CREATE TABLE proposals (
    house  TEXT NOT NULL CHECK (house IN ('member', 'token')),
    id     BLOB NOT NULL,
    words  TEXT,  -- chain::gov::Words as JSON
    quorum TEXT,  -- votes, decimal; once its snapshot is final
    PRIMARY KEY (house, id)
) STRICT, WITHOUT ROWID;

-- Published sizes of datasets as they were seen on a day of block time (counted from 1970-01-01), the largest of all purposes.
CREATE TABLE sizes_seen (
    day     INTEGER NOT NULL,
    dataset INTEGER NOT NULL,
    members INTEGER NOT NULL,
    PRIMARY KEY (day, dataset)
) STRICT, WITHOUT ROWID;

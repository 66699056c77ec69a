-- Signed polls and the last ballot of each member. Times are Unix seconds of block time.
CREATE TABLE polls (
    id        BLOB    PRIMARY KEY,
    author    INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    body      TEXT    NOT NULL, -- core::poll::Poll as JSON
    signature BLOB    NOT NULL
);
CREATE INDEX polls_by_author ON polls (author, closes_at);

CREATE TABLE ballots (
    poll        BLOB    NOT NULL REFERENCES polls (id) ON DELETE CASCADE,
    member      INTEGER NOT NULL,
    choice      INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    deadline    INTEGER NOT NULL,
    signature   BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (poll, member)
);
CREATE INDEX ballots_by_member ON ballots (member);

-- Block time at which a score was kept: when the scores of a record began to differ, as far as we know.
ALTER TABLE scores ADD COLUMN kept_at INTEGER NOT NULL DEFAULT 0;

-- To whom our share of a record went for scoring (ourselves among them), for its member to read: the account, and the seat that it held.
-- `reason`: 0 drawn, 1 scores differ, 2 stands in for one that was silent.
CREATE TABLE openings (
    contribution_id INTEGER NOT NULL,
    account         BLOB NOT NULL,
    scorer          INTEGER NOT NULL,
    member_id       INTEGER NOT NULL,
    reason          INTEGER NOT NULL,
    first           INTEGER NOT NULL,
    last            INTEGER NOT NULL,
    times           INTEGER NOT NULL,
    PRIMARY KEY (contribution_id, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX openings_of_member ON openings (member_id);

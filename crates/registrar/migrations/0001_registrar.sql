-- One row for each invitation, until a month after it expired. `code` is what proves an application to be the invited person's.
-- `admission` is the last one that was signed for it: until its deadline, and for ever where its account joined, the invitation is
-- that account's.
CREATE TABLE invitations (
    id        BLOB PRIMARY KEY,
    code      TEXT NOT NULL,
    note      TEXT NOT NULL,
    made      INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    withdrawn INTEGER,
    admission TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_expiry ON invitations (expires);

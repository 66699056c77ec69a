-- Gas that the relayer paid for what members asked for, by member (0: somebody who was just admitted) and time (Unix seconds of block
-- time). A transaction for several is shared among them.
CREATE TABLE errands (
    tx       BLOB    NOT NULL,
    member   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    gas_used INTEGER NOT NULL,
    PRIMARY KEY (tx, member)
);
CREATE INDEX errands_by_member ON errands (member, at);
CREATE INDEX errands_by_time ON errands (at);

-- Debits up to this one, in the chain's order, are added up by member; their snapshots are gone. At most one row.
CREATE TABLE folded (
    id    INTEGER PRIMARY KEY CHECK (id = 0),
    up_to INTEGER NOT NULL
) STRICT;

-- What each member has spent by those debits, in nano-zCDP.
CREATE TABLE spent (
    member_id INTEGER PRIMARY KEY,
    rho       INTEGER NOT NULL
) STRICT;

-- In which of those debits a member was, and with how many records, for the member to read. `booked` is block time.
CREATE TABLE uses (
    debit     INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    records   INTEGER NOT NULL,
    booked    INTEGER NOT NULL,
    PRIMARY KEY (debit, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_of_member ON uses (member_id);

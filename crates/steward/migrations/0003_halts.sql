-- The proposal on chain that caused a halt: it is lifted once that proposal is void. What a false proposal differs in is
-- about members and not kept here; the audit computes it anew.
ALTER TABLE halts ADD COLUMN epoch INTEGER;
ALTER TABLE halts ADD COLUMN attempt INTEGER;
UPDATE halts SET reason = 'a proposal on chain does not recompute from its sheet' WHERE duty = 'settlement';

-- The lines in which a peer's computation differs from our sheet, as it sealed them to us.
CREATE TABLE differences (
    epoch   INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    steward INTEGER NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (epoch, attempt, steward)
) STRICT, WITHOUT ROWID;

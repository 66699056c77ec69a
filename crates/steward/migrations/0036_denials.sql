-- Withdrawals of consent that were handed to this steward past the gateway, as their members signed them, by the number that each carries:
-- kept until the chain shows, for good, the same or a later grant.
CREATE TABLE denials (
    member_id INTEGER NOT NULL,
    nonce INTEGER NOT NULL,
    erases INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    signature BLOB NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (member_id, nonce)
) STRICT;

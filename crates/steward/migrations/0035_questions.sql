-- What was asked, by the query's digest, so that whose records it was asked of can be told: the query as JSON, and the latest deadline of
-- an order for it.
CREATE TABLE questions (
    digest BLOB PRIMARY KEY,
    query TEXT NOT NULL,
    last INTEGER NOT NULL
) STRICT;

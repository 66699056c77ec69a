-- Our sealing keys: the one in force, the next one before it is in force, and those that it replaced until they are
-- destroyed. `wrapped` is the secret half under the master key; times are block times.
CREATE TABLE sealing_keys (
    public  BLOB PRIMARY KEY,
    wrapped BLOB NOT NULL,
    made    INTEGER NOT NULL,
    retired INTEGER
) STRICT, WITHOUT ROWID;

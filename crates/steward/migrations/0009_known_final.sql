-- A block that was final; at most one row.
CREATE TABLE known_final (
    id        INTEGER PRIMARY KEY CHECK (id = 0),
    number    INTEGER NOT NULL,
    hash      BLOB    NOT NULL,
    parent    BLOB    NOT NULL,
    timestamp INTEGER NOT NULL
);

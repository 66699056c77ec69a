-- What members' browsers keep: ciphertext under the address of a key that only the member derives. `changed` is wall-clock Unix seconds.
CREATE TABLE lockers (
    id      BLOB    PRIMARY KEY,
    version INTEGER NOT NULL,
    sealed  BLOB    NOT NULL,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Program awards as their awarders signed them. `points` are 16 bytes, `nonce` 32, big-endian.
CREATE TABLE awards (
    epoch     INTEGER NOT NULL,
    program   INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    nonce     BLOB NOT NULL,
    points    BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (epoch, program, member_id, nonce, points)
) STRICT, WITHOUT ROWID;

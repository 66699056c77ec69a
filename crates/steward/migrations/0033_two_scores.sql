-- A second score that an account signed of one record is kept beside the first: who said two things said nothing, and whoever kept the one
-- that came first would never agree with who heard the other first.
CREATE TABLE scores_anew (
    contribution_id INTEGER NOT NULL,
    signer          BLOB NOT NULL,
    member_id       INTEGER NOT NULL,
    quality         INTEGER NOT NULL,
    uniqueness      INTEGER NOT NULL,
    authenticity    INTEGER NOT NULL,
    rarity          INTEGER NOT NULL,
    rubric_hash     BLOB NOT NULL,
    sketch          BLOB NOT NULL,
    signature       BLOB NOT NULL,
    kept_at         INTEGER NOT NULL,
    PRIMARY KEY (contribution_id, signer, quality, uniqueness, authenticity, rarity, sketch)
) STRICT, WITHOUT ROWID;
INSERT INTO scores_anew
SELECT contribution_id, signer, member_id, quality, uniqueness, authenticity, rarity, rubric_hash, sketch, signature, kept_at FROM scores;
DROP TABLE scores;
ALTER TABLE scores_anew RENAME TO scores;

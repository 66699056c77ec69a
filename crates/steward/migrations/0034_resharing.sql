-- Shares follow the committee (docs/adr/0020). A share that came in a package is of the generation that was in office then.
ALTER TABLE shares ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;

-- What holders of older shares dealt to a generation, ours among them. `wrapped` is the part that was dealt to us, under the member's key;
-- empty where there is none or it is not good.
CREATE TABLE redealt (
    digest     BLOB PRIMARY KEY,
    commitment BLOB NOT NULL,
    member_id  INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    account    BLOB NOT NULL,
    source     BLOB NOT NULL,
    body       BLOB NOT NULL,
    wrapped    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX redealt_of_record ON redealt (commitment, generation);
CREATE INDEX redealt_of_member ON redealt (member_id);

-- Which of them each steward said that it holds good parts of: its word with the most, and beside it one that it contradicts.
CREATE TABLE held_words (
    commitment BLOB NOT NULL,
    generation INTEGER NOT NULL,
    account    BLOB NOT NULL,
    place      INTEGER NOT NULL,
    member_id  INTEGER NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (commitment, generation, account, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_words_of_member ON held_words (member_id);

-- Our share of the sharing that a quorum of a generation holds, with its commitments.
CREATE TABLE reshares (
    commitment BLOB NOT NULL,
    generation INTEGER NOT NULL,
    member_id  INTEGER NOT NULL,
    seats      INTEGER NOT NULL,
    points     BLOB NOT NULL,
    wrapped    BLOB NOT NULL,
    PRIMARY KEY (commitment, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX reshares_of_member ON reshares (member_id);

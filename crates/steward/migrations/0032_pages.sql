-- Everybody's rows after each epoch, in pages of 256 neighbouring members: member m lies in page (m - 1) / 256. `leaves` has for each of them
-- cash, stream, data and gov (16 bytes each, big-endian), the hash of the private part and the leaf of the inputs. `wrapped` has for each of
-- them a length (4 bytes) and the exact row, wrapped under the member's own key; length 0 where it is gone.
-- Rows of a release before this one cannot be made into pages here: their keys are wrapped. Settled epochs without rows would make this steward
-- find every honest root false, so a database that has any is refused as it is.
CREATE TABLE unsettled (
    epochs INTEGER NOT NULL CONSTRAINT "a database with settled epochs of an earlier release is not converted: found the cooperative anew" CHECK (epochs = 0)
);
INSERT INTO unsettled SELECT count(*) FROM epochs;
DROP TABLE unsettled;
DROP TABLE rows;
CREATE TABLE rows (
    epoch   INTEGER NOT NULL,
    page    INTEGER NOT NULL,
    leaves  BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (epoch, page)
) STRICT;

-- The exact inputs behind the rows of the last two epochs, in the same way: what members open where they contest.
CREATE TABLE row_inputs (
    epoch   INTEGER NOT NULL,
    page    INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (epoch, page)
) STRICT;

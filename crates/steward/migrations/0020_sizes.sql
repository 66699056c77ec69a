-- Published sizes, counted once: what everyone may know of how many members a dataset has for a purpose.
CREATE TABLE sizes (
    dataset INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    members INTEGER NOT NULL,
    PRIMARY KEY (dataset, purpose, epoch)
) STRICT, WITHOUT ROWID;

-- Each look at the chain compares what was recorded in its newest blocks with the index, and nothing older.
CREATE INDEX contributions_by_block ON contributions (block);

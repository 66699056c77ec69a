-- What is done in the cooperative's name is followed since this version: the chain is read again from its beginning. What was final stays known.
DELETE FROM events;
DELETE FROM blocks;

-- Whether the log shows it, and what finds these among all others.
ALTER TABLE events ADD COLUMN is_act INTEGER NOT NULL DEFAULT 0 CHECK (is_act IN (0, 1));
CREATE INDEX events_acts ON events (block, log_index) WHERE is_act = 1;

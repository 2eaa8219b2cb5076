-- Whether the participant was sent away since this stay: it must be let in again, also after a restart.
ALTER TABLE peers ADD COLUMN sent_away BOOLEAN NOT NULL DEFAULT FALSE;

-- What live rooms keep: who is inside now, chat, polls, bans, breakout rooms.

-- The node whose room it is, while the session is live.
ALTER TABLE sessions ADD COLUMN node TEXT;
-- Since when the chat and polls of an ended session wait for the end of their retention; null: nothing waits.
ALTER TABLE sessions ADD COLUMN retained_since BIGINT;
CREATE INDEX sessions_by_node ON sessions (node, heartbeat_at) WHERE status = 'LIVE';
-- Asked before each deletion, whatever the number of past sessions.
CREATE INDEX sessions_live_by_app ON sessions (app_id, meeting_id) WHERE status = 'LIVE';
CREATE INDEX sessions_retained ON sessions (retained_since) WHERE retained_since IS NOT NULL;

-- From when a stay that goes on is to be counted; connected_micros holds what came before. Null: not inside.
ALTER TABLE peers ADD COLUMN present_since BIGINT;
-- The kind of room the peer saw last.
ALTER TABLE peers ADD COLUMN view_type TEXT;
-- The peer's own id, where that was in use and the row has another.
ALTER TABLE peers ADD COLUMN peer_id TEXT;
CREATE INDEX peers_inside ON peers (session_id, joined_at, id) WHERE present_since IS NOT NULL;
CREATE INDEX peers_by_peer ON peers (peer_id) WHERE peer_id IS NOT NULL;

ALTER TABLE participants ADD COLUMN banned_at BIGINT;

-- The meeting this one is a breakout room of. Lists and counts of meetings leave breakout rooms out.
ALTER TABLE meetings ADD COLUMN parent_id TEXT;
DROP INDEX meetings_by_app;
CREATE INDEX meetings_by_app ON meetings (app_id, created_at, id) WHERE parent_id IS NULL;
CREATE INDEX meetings_by_parent ON meetings (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
CREATE INDEX breakout_rooms_by_app ON meetings (app_id) WHERE parent_id IS NOT NULL;

CREATE TABLE chat_messages (
    id             TEXT PRIMARY KEY,
    session_id     TEXT NOT NULL REFERENCES sessions (id),
    -- Of the session; may be gone by now.
    meeting_id     TEXT NOT NULL,
    peer_id        TEXT NOT NULL,
    participant_id TEXT NOT NULL,
    display_name   TEXT NOT NULL,
    kind           TEXT NOT NULL,
    payload        TEXT NOT NULL,
    -- JSON: an array of participant ids; null: it is for everybody.
    recipients     TEXT,
    pinned         BOOLEAN NOT NULL,
    edited         BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX chat_messages_by_session ON chat_messages (session_id, created_at, id);
CREATE INDEX chat_messages_by_meeting ON chat_messages (meeting_id, created_at, id);

CREATE TABLE polls (
    id                     TEXT PRIMARY KEY,
    session_id             TEXT NOT NULL REFERENCES sessions (id),
    question               TEXT NOT NULL,
    -- JSON: texts and votes.
    options                TEXT NOT NULL,
    anonymous              BOOLEAN NOT NULL,
    hide_votes             BOOLEAN NOT NULL,
    created_by             TEXT NOT NULL,
    created_by_participant TEXT,
    created_at             BIGINT NOT NULL
);
CREATE INDEX polls_by_session ON polls (session_id, created_at, id);

DROP TRIGGER meeting_added;
CREATE TRIGGER meeting_added AFTER INSERT ON meetings BEGIN
    UPDATE apps SET meeting_count = meeting_count + 1 WHERE id = NEW.app_id AND NEW.parent_id IS NULL;
    INSERT INTO rosters (meeting_id) VALUES (NEW.id);
END;
DROP TRIGGER meeting_removed;
CREATE TRIGGER meeting_removed AFTER DELETE ON meetings BEGIN
    UPDATE apps SET meeting_count = meeting_count - 1 WHERE id = OLD.app_id AND OLD.parent_id IS NULL;
    DELETE FROM rosters WHERE meeting_id = OLD.id;
END;

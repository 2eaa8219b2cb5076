-- Sessions, the stays of people in them, recordings and livestreams.
-- None of these refers to meetings or participants by a foreign key: the past outlives what it was about.
-- Lengths of time are microseconds; those of the living are as of the session's last heartbeat.

ALTER TABLE apps ADD COLUMN session_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN recording_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN livestream_count BIGINT NOT NULL DEFAULT 0;

CREATE TABLE sessions (
    id                          TEXT PRIMARY KEY,
    app_id                      TEXT NOT NULL REFERENCES apps (id),
    meeting_id                  TEXT NOT NULL,
    -- The session this one is a breakout room of.
    parent_session_id           TEXT,
    type                        TEXT NOT NULL,
    status                      TEXT NOT NULL,
    -- The meeting's title when the session began.
    title                       TEXT,
    search_text                 TEXT NOT NULL,
    live_participants           BIGINT NOT NULL,
    max_concurrent_participants BIGINT NOT NULL,
    -- The stays of all peers added up.
    connected_micros            BIGINT NOT NULL,
    -- Rows of peers; kept by triggers.
    peer_count                  BIGINT NOT NULL DEFAULT 0,
    started_at                  BIGINT NOT NULL,
    ended_at                    BIGINT,
    -- When the room was last known to be alive.
    heartbeat_at                BIGINT NOT NULL,
    created_at                  BIGINT NOT NULL,
    updated_at                  BIGINT NOT NULL
);
CREATE INDEX sessions_by_app ON sessions (app_id, created_at, id);
CREATE INDEX sessions_by_length ON sessions (app_id, connected_micros, id);
CREATE INDEX sessions_by_start ON sessions (app_id, started_at, connected_micros);
CREATE INDEX sessions_by_meeting ON sessions (app_id, meeting_id, created_at, id);
CREATE INDEX sessions_by_parent ON sessions (parent_session_id) WHERE parent_session_id IS NOT NULL;
-- A meeting has one live session at most.
CREATE UNIQUE INDEX sessions_live ON sessions (meeting_id) WHERE status = 'LIVE';

CREATE TABLE peers (
    id                    TEXT PRIMARY KEY,
    session_id            TEXT NOT NULL REFERENCES sessions (id),
    participant_id        TEXT NOT NULL,
    custom_participant_id TEXT NOT NULL,
    display_name          TEXT,
    preset_name           TEXT NOT NULL,
    search_text           TEXT NOT NULL,
    joined_at             BIGINT NOT NULL,
    left_at               BIGINT,
    connected_micros      BIGINT NOT NULL,
    -- JSON: metadata, quality.
    report                TEXT,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL
);
CREATE INDEX peers_by_session ON peers (session_id, joined_at, id);
CREATE INDEX peers_by_length ON peers (session_id, connected_micros, id);
CREATE INDEX peers_by_participant ON peers (session_id, participant_id);

CREATE TABLE peer_events (
    id                TEXT PRIMARY KEY,
    peer_id           TEXT NOT NULL REFERENCES peers (id),
    event_name        TEXT NOT NULL,
    participant_id    TEXT,
    session_id        TEXT,
    socket_session_id TEXT,
    preset_view_type  TEXT,
    connected_micros  BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE INDEX peer_events_by_peer ON peer_events (peer_id, created_at, id);

CREATE TABLE recordings (
    id                      TEXT PRIMARY KEY,
    app_id                  TEXT NOT NULL REFERENCES apps (id),
    meeting_id              TEXT NOT NULL,
    session_id              TEXT,
    -- COMPOSITE (the whole room) or TRACK (each voice for itself).
    kind                    TEXT NOT NULL,
    status                  TEXT NOT NULL,
    output_file_name        TEXT NOT NULL,
    -- The meeting's title when the recording was asked for.
    search_text             TEXT NOT NULL,
    invoked_at              BIGINT NOT NULL,
    started_at              BIGINT,
    stopped_at              BIGINT,
    recorded_micros         BIGINT,
    file_size               BIGINT,
    download_url            TEXT,
    audio_download_url      TEXT,
    download_url_expires_at BIGINT,
    -- JSON: the links of a track recording.
    track_downloads         TEXT,
    -- JSON without secrets.
    storage_config          TEXT,
    -- The secrets of storage_config, sealed.
    storage_secrets         BLOB,
    -- JSON: reason, caller.
    start_reason            TEXT,
    stop_reason             TEXT,
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL
);
CREATE INDEX recordings_by_app ON recordings (app_id, invoked_at, id);
CREATE INDEX recordings_by_meeting ON recordings (app_id, meeting_id, invoked_at, id);
CREATE INDEX recordings_active ON recordings (meeting_id)
    WHERE status IN ('INVOKED', 'RECORDING', 'PAUSED');

CREATE TABLE livestreams (
    id            TEXT PRIMARY KEY,
    app_id        TEXT NOT NULL REFERENCES apps (id),
    -- None for a livestream that is fed from outside.
    meeting_id    TEXT,
    name          TEXT,
    status        TEXT NOT NULL,
    disabled      BOOLEAN NOT NULL,
    ingest_server TEXT NOT NULL,
    -- Sealed.
    stream_key    BLOB NOT NULL,
    playback_url  TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX livestreams_by_app ON livestreams (app_id, created_at, id);
CREATE INDEX livestreams_by_meeting ON livestreams (app_id, meeting_id, created_at, id);

CREATE TABLE livestream_sessions (
    id            TEXT PRIMARY KEY,
    app_id        TEXT NOT NULL REFERENCES apps (id),
    livestream_id TEXT NOT NULL REFERENCES livestreams (id),
    -- The session of the meeting that was streamed.
    session_id    TEXT,
    err_message   TEXT,
    invoked_at    BIGINT NOT NULL,
    started_at    BIGINT,
    stopped_at    BIGINT,
    ingest_micros BIGINT NOT NULL,
    -- The stays of all viewers added up.
    viewer_micros BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX livestream_sessions_by_app ON livestream_sessions (app_id, invoked_at);
CREATE INDEX livestream_sessions_by_livestream ON livestream_sessions (livestream_id, invoked_at, id);
CREATE INDEX livestream_sessions_by_session ON livestream_sessions (session_id, invoked_at, id)
    WHERE session_id IS NOT NULL;

CREATE TRIGGER session_added AFTER INSERT ON sessions BEGIN
    UPDATE apps SET session_count = session_count + 1 WHERE id = NEW.app_id;
END;
CREATE TRIGGER session_removed AFTER DELETE ON sessions BEGIN
    UPDATE apps SET session_count = session_count - 1 WHERE id = OLD.app_id;
END;
CREATE TRIGGER recording_added AFTER INSERT ON recordings BEGIN
    UPDATE apps SET recording_count = recording_count + 1 WHERE id = NEW.app_id;
END;
CREATE TRIGGER recording_removed AFTER DELETE ON recordings BEGIN
    UPDATE apps SET recording_count = recording_count - 1 WHERE id = OLD.app_id;
END;
CREATE TRIGGER livestream_added AFTER INSERT ON livestreams BEGIN
    UPDATE apps SET livestream_count = livestream_count + 1 WHERE id = NEW.app_id;
END;
CREATE TRIGGER livestream_removed AFTER DELETE ON livestreams BEGIN
    UPDATE apps SET livestream_count = livestream_count - 1 WHERE id = OLD.app_id;
END;
CREATE TRIGGER peer_added AFTER INSERT ON peers BEGIN
    UPDATE sessions SET peer_count = peer_count + 1 WHERE id = NEW.session_id;
END;
CREATE TRIGGER peer_removed AFTER DELETE ON peers BEGIN
    UPDATE sessions SET peer_count = peer_count - 1 WHERE id = OLD.session_id;
END;

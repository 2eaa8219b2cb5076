-- Files that participants put into chats. Their bytes are in the data folder, under the same id.

CREATE TABLE files (
    id           TEXT PRIMARY KEY,
    app_id       TEXT NOT NULL REFERENCES apps (id),
    meeting_id   TEXT NOT NULL,
    -- As its owner calls it; never part of a path.
    name         TEXT NOT NULL,
    content_type TEXT,
    -- Bytes; 0 until it was written.
    size         BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    -- Null until its one write.
    written_at   BIGINT,
    -- When it is removed: soon while nothing was written, else at `keep_until`.
    expires_at   BIGINT NOT NULL,
    keep_until   BIGINT NOT NULL
);
CREATE INDEX files_by_expiry ON files (expires_at, id);
CREATE INDEX files_by_app ON files (app_id, expires_at);
CREATE INDEX files_by_meeting ON files (meeting_id, expires_at);

-- What the files of an app amount to; kept by triggers, so that a limit needs no counting.
CREATE TABLE file_usage (
    app_id TEXT PRIMARY KEY,
    files  BIGINT NOT NULL,
    bytes  BIGINT NOT NULL
);

CREATE TRIGGER file_added AFTER INSERT ON files BEGIN
    INSERT INTO file_usage (app_id, files, bytes) VALUES (NEW.app_id, 1, NEW.size)
    ON CONFLICT (app_id) DO UPDATE SET files = files + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER file_written AFTER UPDATE OF size ON files BEGIN
    UPDATE file_usage SET bytes = bytes + NEW.size - OLD.size WHERE app_id = NEW.app_id;
END;
CREATE TRIGGER file_removed AFTER DELETE ON files BEGIN
    UPDATE file_usage SET files = files - 1, bytes = bytes - OLD.size WHERE app_id = OLD.app_id;
END;

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

CREATE FUNCTION count_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO file_usage (app_id, files, bytes) VALUES (NEW.app_id, 1, NEW.size)
        ON CONFLICT (app_id) DO UPDATE
        SET files = file_usage.files + 1, bytes = file_usage.bytes + EXCLUDED.bytes;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE file_usage SET files = files - 1, bytes = bytes - OLD.size WHERE app_id = OLD.app_id;
    ELSE
        UPDATE file_usage SET bytes = bytes + NEW.size - OLD.size WHERE app_id = NEW.app_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_file AFTER INSERT OR DELETE OR UPDATE OF size ON files
    FOR EACH ROW EXECUTE FUNCTION count_file();

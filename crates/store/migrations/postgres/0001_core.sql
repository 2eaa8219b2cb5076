-- Accounts, tokens, apps, presets, meetings and participants.
-- Times are microseconds since 1970 (BIGINT); ids are TEXT; `search_text` is what `?search=` looks in, in lower case.

CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id),
    name         TEXT,
    permission   TEXT NOT NULL,
    secret_hash  TEXT NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX api_tokens_by_account ON api_tokens (account_id, created_at);

CREATE TABLE apps (
    id              TEXT PRIMARY KEY,
    account_id      TEXT NOT NULL REFERENCES accounts (id),
    name            TEXT,
    search_text     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    -- A deleted app's row stays, so that its past sessions can be read.
    deleted_at      BIGINT,
    -- Kept by triggers: lists of meetings need no counting.
    meeting_count   BIGINT NOT NULL DEFAULT 0,
    -- Grows when a preset is renamed, since lists of participants show its name.
    presets_version BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX apps_by_account ON apps (account_id, created_at, id);

CREATE TABLE presets (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id),
    name       TEXT NOT NULL,
    search_text TEXT NOT NULL,
    -- JSON: config, permissions, ui.
    document   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (app_id, name)
);

CREATE TABLE meetings (
    id                   TEXT PRIMARY KEY,
    app_id               TEXT NOT NULL REFERENCES apps (id),
    title                TEXT,
    search_text          TEXT NOT NULL,
    status               TEXT NOT NULL,
    record_on_start      BOOLEAN NOT NULL,
    live_stream_on_start BOOLEAN NOT NULL,
    persist_chat         BOOLEAN NOT NULL,
    keep_alive_secs      BIGINT NOT NULL,
    transcribe_on_end    BOOLEAN NOT NULL,
    summarize_on_end     BOOLEAN NOT NULL,
    -- JSON without secrets.
    recording_config     TEXT,
    -- The storage secrets of recording_config, sealed.
    storage_secrets      BYTEA,
    ai_config            TEXT,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL
);
CREATE INDEX meetings_by_app ON meetings (app_id, created_at, id);

-- What is known of a meeting's list of participants without reading it; kept by triggers.
CREATE TABLE rosters (
    meeting_id        TEXT PRIMARY KEY,
    participant_count BIGINT NOT NULL DEFAULT 0,
    -- Grows with every change of the list.
    version           BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE participants (
    id                    TEXT PRIMARY KEY,
    app_id                TEXT NOT NULL,
    meeting_id            TEXT NOT NULL,
    preset_id             TEXT NOT NULL REFERENCES presets (id),
    custom_participant_id TEXT NOT NULL,
    -- 0, or a count upwards where a second record of the same custom id is allowed.
    duplicate_no          BIGINT NOT NULL DEFAULT 0,
    name                  TEXT,
    picture               TEXT,
    search_text           TEXT NOT NULL,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    UNIQUE (meeting_id, custom_participant_id, duplicate_no)
);
CREATE INDEX participants_by_meeting ON participants (meeting_id, created_at, id);
CREATE INDEX participants_by_preset ON participants (preset_id);

-- Answers of POST requests that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
    -- SHA-256 over token, app, method, path and key.
    id          TEXT PRIMARY KEY,
    -- The app, or the account for operations above apps.
    owner       TEXT NOT NULL,
    -- SHA-256 over the request's body.
    fingerprint TEXT NOT NULL,
    status      BIGINT NOT NULL,
    -- The answer's body, sealed: it may hold participant tokens.
    body        BYTEA NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_by_owner ON idempotency_keys (owner, created_at);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Key pairs of this installation, sealed with the master key.
CREATE TABLE keys (
    name       TEXT PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Small facts of this installation, such as which app `muster dev` uses.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Slow work, written in the transaction that caused it.
CREATE TABLE jobs (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    run_at     BIGINT NOT NULL,
    attempts   BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_by_time ON jobs (run_at, id);

CREATE FUNCTION count_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE apps SET meeting_count = meeting_count + 1 WHERE id = NEW.app_id;
        INSERT INTO rosters (meeting_id) VALUES (NEW.id);
    ELSE
        UPDATE apps SET meeting_count = meeting_count - 1 WHERE id = OLD.app_id;
        DELETE FROM rosters WHERE meeting_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_meeting AFTER INSERT OR DELETE ON meetings
    FOR EACH ROW EXECUTE FUNCTION count_meeting();

CREATE FUNCTION note_participant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE rosters SET participant_count = participant_count + 1, version = version + 1
        WHERE meeting_id = NEW.meeting_id;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE rosters SET participant_count = participant_count - 1, version = version + 1
        WHERE meeting_id = OLD.meeting_id;
    ELSE
        UPDATE rosters SET version = version + 1 WHERE meeting_id = NEW.meeting_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_participant AFTER INSERT OR UPDATE OR DELETE ON participants
    FOR EACH ROW EXECUTE FUNCTION note_participant();

CREATE FUNCTION note_preset_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE apps SET presets_version = presets_version + 1 WHERE id = NEW.app_id;
    RETURN NULL;
END $$;
CREATE TRIGGER note_preset_name AFTER UPDATE OF name ON presets
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION note_preset_name();

-- Webhooks. Beside them the index that pages of presets come from.

CREATE INDEX presets_by_app ON presets (app_id, created_at, id);

CREATE TABLE webhooks (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id),
    name       TEXT NOT NULL,
    url        TEXT NOT NULL,
    -- JSON: an array of the names of events.
    events     TEXT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (app_id, name)
);
CREATE INDEX webhooks_by_app ON webhooks (app_id, created_at, id);

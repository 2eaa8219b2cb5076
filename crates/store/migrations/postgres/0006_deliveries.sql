-- What webhooks are told: each delivery, its attempts, and the lanes in which they wait for their turn.

-- Attempts that failed since the last success; enough of them slow the endpoint down.
ALTER TABLE webhooks ADD COLUMN failures_in_a_row BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN paused_until BIGINT;

CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    app_id          TEXT NOT NULL,
    webhook_id      TEXT NOT NULL,
    -- Empty where the event belongs to no session.
    session_id      TEXT NOT NULL,
    -- The place in its lane.
    seq             BIGINT NOT NULL,
    event           TEXT NOT NULL,
    body            TEXT NOT NULL,
    -- PENDING, DELIVERED or FAILED.
    status          TEXT NOT NULL,
    -- Attempts begun, those that a crash cut short included.
    attempts        BIGINT NOT NULL DEFAULT 0,
    -- Attempts that failed since it was queued: the place in the retry schedule.
    failures        BIGINT NOT NULL DEFAULT 0,
    response_status BIGINT,
    error           TEXT,
    next_attempt_at BIGINT,
    finished_at     BIGINT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at, id);
CREATE INDEX deliveries_by_status ON deliveries (webhook_id, status, created_at, id);
CREATE INDEX deliveries_in_turn ON deliveries (webhook_id, session_id, seq) WHERE status = 'PENDING';
CREATE INDEX deliveries_by_end ON deliveries (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE delivery_attempts (
    delivery_id     TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    -- From 1.
    number          BIGINT NOT NULL,
    started_at      BIGINT NOT NULL,
    -- NULL while it is under way, and where a crash cut it short.
    duration_micros BIGINT,
    response_status BIGINT,
    response_body   TEXT,
    error           TEXT,
    PRIMARY KEY (delivery_id, number)
);

-- What one webhook is told of one session, one delivery at a time.
CREATE TABLE delivery_lanes (
    webhook_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    last_seq   BIGINT NOT NULL,
    pending    BIGINT NOT NULL,
    -- When the first pending delivery may be tried, or a claim lapses; NULL where nothing is pending.
    due_at     BIGINT,
    -- The attempt under way, and the process that makes it.
    claim      TEXT,
    claimed_by TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, session_id)
);
CREATE INDEX delivery_lanes_due ON delivery_lanes (due_at, webhook_id) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_lanes_claimed ON delivery_lanes (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX delivery_lanes_empty ON delivery_lanes (updated_at) WHERE pending = 0;

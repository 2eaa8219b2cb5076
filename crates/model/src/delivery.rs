//! Deliveries: one event told to one webhook, and the attempts at it.

use std::time::Duration;

use crate::{DeliveryId, SessionId, Timestamp, WebhookId, session::words, webhook::WebhookEvent};

words! {
    /// How far a delivery has come.
    DeliveryStatus {
        /// It waits for its turn or its next attempt, or is being tried.
        Pending = "PENDING",
        /// The endpoint took it.
        Delivered = "DELIVERED",
        /// It was given up.
        Failed = "FAILED",
    }
}

/// One attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Which, from 1.
    pub number: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took; none while it is under way, and where the server ended meanwhile.
    pub duration: Option<Duration>,
    /// The HTTP status of the answer, where there was one.
    pub response_status: Option<u16>,
    /// The beginning of the answer's body, at most 1 KiB.
    pub response_body: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// One event told to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, the same over all attempts.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The session the event is of.
    pub session_id: Option<SessionId>,
    /// What is told.
    pub event: WebhookEvent,
    /// The body that is sent, JSON.
    pub body: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts begun so far.
    pub attempt_count: i64,
    /// The latest attempts, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
    /// The HTTP status of the last answer.
    pub response_status: Option<u16>,
    /// Why the last attempt failed, or why it was given up.
    pub error: Option<String>,
    /// When it is tried again, after an attempt that failed.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
    /// When it was queued first.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

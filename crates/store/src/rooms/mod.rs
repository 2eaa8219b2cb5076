//! What live rooms keep, and what they begin and go on with.
//!
//! A session's `connected_micros` is always as of its `heartbeat_at`: each heartbeat, coming and going adds
//! what has passed since. So lists of sessions and the counts by day read it as it is, in index order. A peer
//! inside has `present_since` and its stay is counted up to the heartbeat when it is read: a heartbeat costs
//! one row a session, not one a peer.

mod bans;
mod chat;
mod connected;
mod heartbeat;
mod polls;
mod resume;
mod sessions;
mod stays;

use muster_model::{SessionId, event::DomainEvent};

pub use bans::unban;
pub use chat::{ChatCursor, ChatLimits};
pub use heartbeat::{Closed, LiveRoom, close_stale};
pub use resume::{Inside, ResumedRoom};

use crate::{Conn, Param, StoreError, params, participants::MeetingScope};

/// The row of a session (`$1`) of a meeting (`$2`) of an app (`$3`) of an account (`$4`), while it is live.
macro_rules! live_session {
    () => {
        "(SELECT s.id FROM sessions s WHERE s.id = $1 AND s.meeting_id = $2 AND s.status = 'LIVE' \
         AND s.app_id = (SELECT id FROM apps WHERE id = $3 AND account_id = $4))"
    };
}
use live_session;

/// What [`live_session`] is bounded by; further values follow from `$5` on.
fn session_params(at: &MeetingScope, session: SessionId, more: Vec<Param>) -> Vec<Param> {
    let mut values = params![session, at.meeting, at.scope.app, &at.scope.account];
    values.extend(more);
    values
}

/// Keeps what happened in the room of a meeting that lives on `node`.
///
/// Answers whether anything was changed. Nothing is where the session is over or another meeting's, where a
/// stay, message or poll has an id that belongs to somebody else's, and where the event is kept already; that
/// leaves the transaction in order, and the room should take it as a sign that its session is gone where it
/// was a message or a coming. Events of one room must come in order, one transaction at a time.
///
/// # Errors
/// [`StoreError::Conflict`] where a session begins while another of the meeting is live (on another node),
/// [`StoreError::NotFound`] where one begins in a meeting or app that is gone; else failures of the database.
pub async fn record(
    conn: &mut Conn,
    at: &MeetingScope,
    node: &str,
    event: &DomainEvent,
) -> Result<bool, StoreError> {
    match event {
        DomainEvent::SessionStarted {
            session,
            parent,
            kind,
            title,
            at: time,
        } => {
            let new = sessions::NewSession {
                id: *session,
                parent: *parent,
                kind: *kind,
                title: title.as_deref(),
                time: *time,
            };
            sessions::start(conn, at, node, &new).await
        }
        DomainEvent::PeerJoined { session, stay } => stays::join(conn, at, *session, stay).await,
        DomainEvent::PeerLeft {
            session,
            record,
            at: time,
        } => stays::leave(conn, at, *session, *record, *time).await,
        DomainEvent::SessionEnded {
            session, at: time, ..
        } => sessions::end(conn, at, *session, *time, None).await,
        DomainEvent::ChatSaved { session, message } => chat::save(conn, at, *session, message).await,
        DomainEvent::ChatDeleted { message, .. } => chat::delete(conn, at, *message).await,
        DomainEvent::PollSaved { session, poll } => polls::save(conn, at, *session, poll).await,
        DomainEvent::AdmissionRevoked { session, participant } => {
            stays::revoke_admission(conn, at, *session, *participant).await
        }
        DomainEvent::Banned {
            participant,
            at: time,
        } => bans::ban(conn, at, *participant, *time).await,
        DomainEvent::ConnectedMeetingsCreated { meetings, at: time } => {
            connected::create(conn, at, meetings, *time).await
        }
        DomainEvent::ConnectedMeetingsDeleted { meetings } => connected::give_up(conn, at, meetings).await,
    }
}

//! Coming and going.

use muster_model::{
    ParticipantId, PeerId, SessionId, Timestamp,
    event::Stay,
    session::{PeerEventName, PeerViewType},
};

use super::{live_session, session_params};
use crate::{Conn, StoreError, params, participants::MeetingScope, search_text};

pub(super) async fn join(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    stay: &Stay,
) -> Result<bool, StoreError> {
    let first = insert(conn, at, session, stay).await?;
    if !first && !come_back(conn, at, session, stay).await? {
        return Ok(false);
    }
    note_coming(conn, session, stay, first).await?;
    // A stay that is told of late has been going on up to the heartbeat.
    conn.execute(
        "UPDATE sessions SET connected_micros = connected_micros + CASE WHEN $2 > heartbeat_at \
         THEN live_participants * ($2 - heartbeat_at) ELSE heartbeat_at - $2 END, \
         heartbeat_at = CASE WHEN $2 > heartbeat_at THEN $2 ELSE heartbeat_at END, \
         live_participants = live_participants + 1, \
         max_concurrent_participants = CASE WHEN live_participants + 1 > max_concurrent_participants \
         THEN live_participants + 1 ELSE max_concurrent_participants END, updated_at = $2 WHERE id = $1",
        params![session, stay.joined_at],
    )
    .await?;
    Ok(true)
}

async fn insert(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    stay: &Stay,
) -> Result<bool, StoreError> {
    let made = conn
        .execute(
            concat!(
                "INSERT INTO peers (id, session_id, participant_id, custom_participant_id, display_name, ",
                "preset_name, search_text, joined_at, connected_micros, created_at, updated_at, present_since, ",
                "view_type, peer_id) ",
                "SELECT $5, id, $6, $7, $8, $9, $10, $11, 0, $11, $11, $11, $12, $13 FROM sessions WHERE id = ",
                live_session!(),
                " ON CONFLICT (id) DO NOTHING"
            ),
            session_params(
                at,
                session,
                params![
                    stay.record,
                    stay.participant_id,
                    &stay.custom_participant_id,
                    &stay.display_name,
                    &stay.preset_name,
                    searchable(stay),
                    stay.joined_at,
                    stay.view_type.as_str(),
                    (stay.peer != stay.record).then_some(stay.peer),
                ],
            ),
        )
        .await?;
    Ok(made > 0)
}

/// Goes on with the row of one who was there before, if that is whose row it is.
async fn come_back(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    stay: &Stay,
) -> Result<bool, StoreError> {
    let changed = conn
        .execute(
            concat!(
                "UPDATE peers SET left_at = NULL, present_since = $7, custom_participant_id = $8, ",
                "display_name = $9, preset_name = $10, search_text = $11, view_type = $12, updated_at = $7, ",
                "sent_away = FALSE ",
                "WHERE id = $5 AND participant_id = $6 AND present_since IS NULL AND session_id = ",
                live_session!()
            ),
            session_params(
                at,
                session,
                params![
                    stay.record,
                    stay.participant_id,
                    stay.joined_at,
                    &stay.custom_participant_id,
                    &stay.display_name,
                    &stay.preset_name,
                    searchable(stay),
                    stay.view_type.as_str(),
                ],
            ),
        )
        .await?;
    Ok(changed > 0)
}

/// Marks the stays of a participant that is sent away; one that begins later, or goes on, is unmarked.
pub(super) async fn revoke_admission(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    participant: ParticipantId,
) -> Result<bool, StoreError> {
    let changed = conn
        .execute(
            concat!(
                "UPDATE peers SET sent_away = TRUE WHERE participant_id = $5 AND session_id = ",
                live_session!()
            ),
            session_params(at, session, params![participant]),
        )
        .await?;
    Ok(changed > 0)
}

fn searchable(stay: &Stay) -> String {
    search_text([
        Some(stay.custom_participant_id.as_str()),
        stay.display_name.as_deref(),
    ])
}

/// Time-ordered, so that events of one moment stay in the order in which they were written.
fn event_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

async fn note_coming(
    conn: &mut Conn,
    session: SessionId,
    stay: &Stay,
    first: bool,
) -> Result<(), StoreError> {
    let mut values = params![
        stay.record,
        stay.participant_id,
        session,
        stay.view_type.as_str(),
        event_id(),
        PeerEventName::Created.as_str(),
        stay.connected_at,
    ];
    if first {
        values.extend(params![
            event_id(),
            PeerEventName::Joining.as_str(),
            stay.joined_at
        ]);
        conn.execute(
            "INSERT INTO peer_events \
             (id, peer_id, participant_id, session_id, preset_view_type, event_name, created_at, updated_at) \
             VALUES ($5, $1, $2, $3, $4, $6, $7, $7), ($8, $1, $2, $3, $4, $9, $10, $10)",
            values,
        )
        .await?;
        return Ok(());
    }
    // One connection may come in more than once.
    conn.execute(
        "INSERT INTO peer_events \
         (id, peer_id, participant_id, session_id, preset_view_type, event_name, created_at, updated_at) \
         SELECT $5, id, $2, $3, $4, $6, $7, $7 FROM peers WHERE id = $1 AND NOT EXISTS \
         (SELECT 1 FROM peer_events e WHERE e.peer_id = $1 AND e.created_at = $7 AND e.event_name = $6)",
        values,
    )
    .await?;
    conn.execute(
        "INSERT INTO peer_events \
         (id, peer_id, participant_id, session_id, preset_view_type, event_name, created_at, updated_at) \
         VALUES ($5, $1, $2, $3, $4, $6, $7, $7)",
        params![
            stay.record,
            stay.participant_id,
            session,
            stay.view_type.as_str(),
            event_id(),
            PeerEventName::Joining.as_str(),
            stay.joined_at,
        ],
    )
    .await
    .map(|_| ())
}

pub(super) async fn leave(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    record: PeerId,
    time: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(String, i64, Option<String>)> = conn
        .fetch_optional(
            concat!(
                "SELECT participant_id, present_since, view_type FROM peers ",
                "WHERE id = $5 AND present_since IS NOT NULL AND session_id = ",
                live_session!()
            ),
            session_params(at, session, params![record]),
        )
        .await?;
    let Some((participant, since, view_type)) = row else {
        return Ok(false);
    };
    let since = Timestamp::from_micros(since);
    let time = time.max(since);
    let stayed = time.as_micros() - since.as_micros();
    let gone = conn
        .execute(
            "UPDATE peers SET left_at = $3, connected_micros = connected_micros + $4, present_since = NULL, \
             updated_at = $3 WHERE id = $1 AND present_since = $2",
            params![record, since, time, stayed],
        )
        .await?;
    if gone == 0 {
        return Ok(false);
    }
    let participant: ParticipantId = participant.parse()?;
    conn.execute(
        "INSERT INTO peer_events (id, peer_id, participant_id, session_id, preset_view_type, event_name, \
         connected_micros, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        params![
            event_id(),
            record,
            participant,
            session,
            view_type
                .as_deref()
                .and_then(PeerViewType::from_word)
                .map(PeerViewType::as_str),
            PeerEventName::Leaving.as_str(),
            stayed,
            time,
        ],
    )
    .await?;
    // A going that is told of late takes back what heartbeats have counted since.
    conn.execute(
        "UPDATE sessions SET connected_micros = connected_micros + CASE WHEN $2 > heartbeat_at \
         THEN live_participants * ($2 - heartbeat_at) ELSE $2 - heartbeat_at END, \
         heartbeat_at = CASE WHEN $2 > heartbeat_at THEN $2 ELSE heartbeat_at END, \
         live_participants = live_participants - 1, updated_at = $2 WHERE id = $1",
        params![session, time],
    )
    .await?;
    Ok(true)
}

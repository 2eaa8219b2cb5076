//! Breakout rooms: meetings with a parent.

use std::time::Duration;

use muster_model::{MeetingId, Timestamp};

use crate::{Conn, StoreError, params, participants::MeetingScope, search_text, sessions::MAX_ROOMS};

/// Makes breakout rooms of a meeting that is none itself. They are kept and recorded as their parent is, and
/// not streamed. One whose id is in use is passed over.
pub(super) async fn create(
    conn: &mut Conn,
    at: &MeetingScope,
    rooms: &[(MeetingId, String)],
    time: Timestamp,
) -> Result<bool, StoreError> {
    let mut made = 0;
    for (place, (id, title)) in (0..).zip(rooms) {
        let mut values = at.params();
        values.extend(params![
            id,
            title,
            search_text([Some(title.as_str())]),
            // A microsecond apart, so that their order is kept.
            time.plus(Duration::from_micros(place)),
        ]);
        made += conn
            .execute(
                "INSERT INTO meetings (id, app_id, parent_id, title, search_text, status, record_on_start, \
                 live_stream_on_start, persist_chat, keep_alive_secs, transcribe_on_end, summarize_on_end, \
                 recording_config, storage_secrets, ai_config, created_at, updated_at) \
                 SELECT $4, m.app_id, m.id, $5, $6, 'ACTIVE', m.record_on_start, FALSE, m.persist_chat, \
                 m.keep_alive_secs, m.transcribe_on_end, m.summarize_on_end, m.recording_config, \
                 m.storage_secrets, m.ai_config, $7, $7 FROM meetings m JOIN apps a ON a.id = m.app_id \
                 WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND m.parent_id IS NULL \
                 ON CONFLICT (id) DO NOTHING",
                values,
            )
            .await?;
    }
    Ok(made > 0)
}

/// Nobody can enter these any more; their past sessions stay readable.
pub(super) async fn give_up(
    conn: &mut Conn,
    at: &MeetingScope,
    rooms: &[MeetingId],
) -> Result<bool, StoreError> {
    let mut changed = 0;
    for id in rooms {
        let mut values = at.params();
        values.extend(params![id]);
        changed += conn
            .execute(
                "UPDATE meetings SET status = 'INACTIVE' WHERE id = $4 AND parent_id = $1 AND status = 'ACTIVE' \
                 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
                values,
            )
            .await?;
    }
    Ok(changed > 0)
}

/// Gives up all breakout rooms of a meeting.
pub(super) async fn give_up_all(conn: &mut Conn, at: &MeetingScope) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE meetings SET status = 'INACTIVE' WHERE parent_id = $1 AND status = 'ACTIVE' \
         AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
        at.params(),
    )
    .await
    .map(|_| ())
}

/// The breakout rooms that a meeting has now, in the order in which they were made.
pub(super) async fn of_meeting(
    conn: &mut Conn,
    at: &MeetingScope,
) -> Result<Vec<(MeetingId, String)>, StoreError> {
    let mut values = at.params();
    values.extend(params![MAX_ROOMS]);
    let rows: Vec<(String, Option<String>)> = conn
        .fetch_all(
            "SELECT id, title FROM meetings WHERE parent_id = $1 AND status = 'ACTIVE' \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) \
             ORDER BY created_at, id LIMIT $4",
            values,
        )
        .await?;
    rows.into_iter()
        .map(|(id, title)| Ok((id.parse()?, title.unwrap_or_default())))
        .collect()
}

//! Bans: they outlive the session.

use muster_model::{ParticipantId, Timestamp};

use crate::{Conn, StoreError, params, participants::MeetingScope};

/// A participant (`$4`) of a meeting (`$1`) of an app (`$2`) of an account (`$3`), or of the meeting's parent.
macro_rules! of_family {
    ($update:literal, $rest:literal) => {
        concat!(
            $update,
            " WHERE id = $4 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) ",
            "AND meeting_id IN (SELECT id FROM meetings WHERE id = $1 ",
            "UNION ALL SELECT parent_id FROM meetings WHERE id = $1 AND parent_id IS NOT NULL) ",
            $rest
        )
    };
}

pub(super) async fn ban(
    conn: &mut Conn,
    at: &MeetingScope,
    participant: ParticipantId,
    time: Timestamp,
) -> Result<bool, StoreError> {
    let mut values = at.params();
    values.extend(params![participant, time]);
    let changed = conn
        .execute(
            of_family!("UPDATE participants SET banned_at = $5", "AND banned_at IS NULL"),
            values,
        )
        .await?;
    Ok(changed > 0)
}

/// Lifts the ban of a participant of a meeting (or of the parent of that breakout room); answers whether
/// there was one.
pub async fn unban(
    conn: &mut Conn,
    at: &MeetingScope,
    participant: ParticipantId,
) -> Result<bool, StoreError> {
    let mut values = at.params();
    values.extend(params![participant]);
    let changed = conn
        .execute(
            of_family!(
                "UPDATE participants SET banned_at = NULL",
                "AND banned_at IS NOT NULL"
            ),
            values,
        )
        .await?;
    Ok(changed > 0)
}

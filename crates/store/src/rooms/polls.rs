//! Polls.

use muster_model::{
    ParticipantId, SessionId, Timestamp,
    app::Scope,
    poll::{Poll, PollOption, PollVote},
};
use serde::{Deserialize, Serialize};

use super::{live_session, session_params};
use crate::{Conn, StoreError, params, participants::MeetingScope};

/// Polls of a session that are read at most.
const MAX_POLLS: i64 = 1000;

#[derive(sqlx::FromRow)]
struct PollRow {
    id: String,
    question: String,
    options: String,
    anonymous: bool,
    hide_votes: bool,
    created_by: String,
    created_by_participant: Option<String>,
    created_at: i64,
}

/// An answer, as JSON in the `options` column.
#[derive(Serialize, Deserialize)]
struct Answer {
    text: String,
    votes: Vec<(ParticipantId, String)>,
}

impl TryFrom<PollRow> for Poll {
    type Error = StoreError;

    fn try_from(row: PollRow) -> Result<Self, StoreError> {
        let vote = |(participant_id, name)| PollVote { participant_id, name };
        let options = serde_json::from_str::<Vec<Answer>>(&row.options)?
            .into_iter()
            .map(|answer| PollOption {
                text: answer.text,
                votes: answer.votes.into_iter().map(vote).collect(),
            });
        Ok(Self {
            id: row.id.parse()?,
            question: row.question,
            options: options.collect(),
            anonymous: row.anonymous,
            hide_votes: row.hide_votes,
            created_by: row.created_by,
            created_by_participant: row.created_by_participant.map(|id| id.parse()).transpose()?,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

/// A poll keeps its session, its question and who asked.
pub(super) async fn save(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    poll: &Poll,
) -> Result<bool, StoreError> {
    let vote = |vote: &PollVote| (vote.participant_id, vote.name.clone());
    let options: Vec<Answer> = poll
        .options
        .iter()
        .map(|option| Answer {
            text: option.text.clone(),
            votes: option.votes.iter().map(vote).collect(),
        })
        .collect();
    let changed = conn
        .execute(
            concat!(
                "INSERT INTO polls (id, session_id, question, options, anonymous, hide_votes, created_by, ",
                "created_by_participant, created_at) ",
                "SELECT $5, id, $6, $7, $8, $9, $10, $11, $12 FROM sessions WHERE id = ",
                live_session!(),
                " ON CONFLICT (id) DO UPDATE SET options = excluded.options ",
                "WHERE polls.session_id = excluded.session_id"
            ),
            session_params(
                at,
                session,
                params![
                    poll.id,
                    &poll.question,
                    serde_json::to_string(&options)?,
                    poll.anonymous,
                    poll.hide_votes,
                    &poll.created_by,
                    poll.created_by_participant,
                    poll.created_at,
                ],
            ),
        )
        .await?;
    Ok(changed > 0)
}

/// The polls of a session, oldest first.
pub(super) async fn of_session(
    conn: &mut Conn,
    scope: &Scope,
    session: SessionId,
) -> Result<Vec<Poll>, StoreError> {
    let rows = conn
        .fetch_all::<PollRow>(
            "SELECT id, question, options, anonymous, hide_votes, created_by, created_by_participant, created_at \
             FROM polls WHERE session_id = (SELECT id FROM sessions WHERE id = $1 \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) \
             ORDER BY created_at, id LIMIT $4",
            params![session, scope.app, &scope.account, MAX_POLLS],
        )
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

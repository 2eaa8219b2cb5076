//! Who calls with a participant's token: everything its first request asks for, in one read.

use muster_model::{
    AccountId, AppId, MeetingId, ParticipantId, Timestamp,
    app::Scope,
    preset::{Preset, PresetBody},
};

use crate::{Store, StoreError, params, participants::MeetingScope};

/// A participant with its preset and as much of its meeting as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Account, app and meeting.
    pub at: MeetingScope,
    /// The participant.
    pub participant: ParticipantId,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    /// The caller's own name for the person.
    pub custom_participant_id: String,
    /// Its preset, as it stands now.
    pub preset: Preset,
    /// The meeting's title.
    pub meeting_title: Option<String>,
    /// Whether the meeting's chat is kept beyond the usual time.
    pub persist_chat: bool,
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    account_id: String,
    name: Option<String>,
    picture: Option<String>,
    custom_participant_id: String,
    preset_id: String,
    document: String,
    preset_created_at: i64,
    preset_updated_at: i64,
    title: Option<String>,
    persist_chat: bool,
}

impl Store {
    /// The participant that a token names; none where it is gone, or its meeting or its app is.
    ///
    /// A token names no account: the app has only one, and the token's signature vouches for the app.
    pub async fn client(
        &self,
        app: AppId,
        meeting: MeetingId,
        participant: ParticipantId,
    ) -> Result<Option<Client>, StoreError> {
        let row: Option<ClientRow> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT a.account_id, p.name, p.picture, p.custom_participant_id, pr.id AS preset_id, pr.document, \
                 pr.created_at AS preset_created_at, pr.updated_at AS preset_updated_at, m.title, m.persist_chat \
                 FROM participants p JOIN presets pr ON pr.id = p.preset_id \
                 JOIN meetings m ON m.id = p.meeting_id JOIN apps a ON a.id = m.app_id \
                 WHERE p.id = $3 AND m.id = $2 AND a.id = $1 AND a.deleted_at IS NULL",
                params![app, meeting, participant],
            )
            .await?;
        row.map(|row| row.read(app, meeting, participant)).transpose()
    }
}

impl ClientRow {
    fn read(self, app: AppId, meeting: MeetingId, participant: ParticipantId) -> Result<Client, StoreError> {
        let account: AccountId = self.account_id.parse()?;
        Ok(Client {
            at: MeetingScope {
                scope: Scope { account, app },
                meeting,
            },
            participant,
            name: self.name,
            picture: self.picture,
            custom_participant_id: self.custom_participant_id,
            preset: Preset {
                id: self.preset_id.parse()?,
                body: serde_json::from_str::<PresetBody>(&self.document)?,
                created_at: Timestamp::from_micros(self.preset_created_at),
                updated_at: Timestamp::from_micros(self.preset_updated_at),
            },
            meeting_title: self.title,
            persist_chat: self.persist_chat,
        })
    }
}

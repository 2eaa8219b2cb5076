//! What participants may do with their own tokens.

use muster_model::ParticipantId;

use crate::{Store, StoreError, params, participants::MeetingScope};

/// What a participant may do through the management API with its own token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(default)]
pub struct MemberRights {
    /// Start and stop recordings.
    pub can_record: bool,
    /// Start and stop livestreams.
    pub can_livestream: bool,
}

/// As much of a preset's document as is needed here.
#[derive(serde::Deserialize)]
struct Document {
    #[serde(default)]
    permissions: MemberRights,
}

impl Store {
    /// The rights that its preset gives to a participant now; none where it is gone, or its app is.
    pub async fn member_rights(
        &self,
        at: &MeetingScope,
        id: ParticipantId,
    ) -> Result<Option<MemberRights>, StoreError> {
        let row: Option<(String,)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT pr.document FROM participants p JOIN presets pr ON pr.id = p.preset_id \
                 JOIN meetings m ON m.id = p.meeting_id JOIN apps a ON a.id = m.app_id \
                 WHERE p.id = $4 AND m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL",
                params![at.meeting, at.scope.app, &at.scope.account, id],
            )
            .await?;
        row.map(|(document,)| Ok(serde_json::from_str::<Document>(&document)?.permissions))
            .transpose()
    }
}

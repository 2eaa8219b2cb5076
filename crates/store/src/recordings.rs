//! Recordings. Those of deleted meetings and apps stay readable.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{
    MeetingId, Page, PageRequest, RecordingId, Timestamp,
    app::Scope,
    meeting::Meeting,
    recording::{Recording, RecordingKind, RecordingStatus},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Conn, Store, StoreError, filter::Conditions, like_pattern, meetings, params, participants::MeetingScope,
    search_text,
};

#[derive(sqlx::FromRow)]
struct RecordingRow {
    id: String,
    meeting_id: String,
    session_id: Option<String>,
    kind: String,
    status: String,
    output_file_name: String,
    invoked_at: i64,
    started_at: Option<i64>,
    stopped_at: Option<i64>,
    recorded_micros: Option<i64>,
    file_size: Option<i64>,
    download_url: Option<String>,
    audio_download_url: Option<String>,
    download_url_expires_at: Option<i64>,
    track_downloads: Option<String>,
    storage_config: Option<String>,
    start_reason: Option<String>,
    stop_reason: Option<String>,
    created_at: i64,
    updated_at: i64,
}

fn from_json<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, StoreError> {
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

fn to_json<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    Ok(value.map(serde_json::to_string).transpose()?)
}

impl TryFrom<RecordingRow> for Recording {
    type Error = StoreError;

    fn try_from(row: RecordingRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            meeting_id: row.meeting_id.parse()?,
            session_id: row.session_id.map(|id| id.parse()).transpose()?,
            kind: RecordingKind::from_word(&row.kind).ok_or(StoreError::Corrupt(row.kind))?,
            status: RecordingStatus::from_word(&row.status).ok_or(StoreError::Corrupt(row.status))?,
            output_file_name: row.output_file_name,
            invoked_at: Timestamp::from_micros(row.invoked_at),
            started_at: row.started_at.map(Timestamp::from_micros),
            stopped_at: row.stopped_at.map(Timestamp::from_micros),
            recorded_micros: row.recorded_micros,
            file_size: row.file_size,
            download_url: row.download_url,
            audio_download_url: row.audio_download_url,
            download_url_expires_at: row.download_url_expires_at.map(Timestamp::from_micros),
            track_downloads: from_json(row.track_downloads)?,
            storage_config: from_json(row.storage_config)?,
            start_reason: from_json(row.start_reason)?,
            stop_reason: from_json(row.stop_reason)?,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

macro_rules! select_recordings {
    ($rest:literal) => {
        concat!(
            "SELECT id, meeting_id, session_id, kind, status, output_file_name, invoked_at, started_at, ",
            "stopped_at, recorded_micros, file_size, download_url, audio_download_url, download_url_expires_at, ",
            "track_downloads, storage_config, start_reason, stop_reason, created_at, updated_at FROM recordings",
            $rest
        )
    };
}

/// Which recordings of an app are wanted. Times bound the invocation and are both included.
#[derive(Debug, Clone, Default)]
pub struct RecordingFilter {
    /// Of this meeting.
    pub meeting: Option<MeetingId>,
    /// Part of the meeting's title at the time, or the whole id of the meeting.
    pub search: Option<String>,
    /// Any of these; all when there are none.
    pub statuses: Vec<RecordingStatus>,
    /// Not asked for before.
    pub from: Option<Timestamp>,
    /// Not asked for after.
    pub to: Option<Timestamp>,
    /// Whether the links had ceased to work, and when that is asked.
    pub expired: Option<(bool, Timestamp)>,
}

impl RecordingFilter {
    fn is_empty(&self) -> bool {
        self.meeting.is_none()
            && self.search.is_none()
            && self.statuses.is_empty()
            && self.from.is_none()
            && self.to.is_none()
            && self.expired.is_none()
    }

    fn conditions(&self, scope: &Scope) -> Conditions {
        let mut conditions = Conditions::new(
            "app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)",
            params![scope.app, &scope.account],
        );
        if let Some(meeting) = self.meeting {
            conditions.and("meeting_id = ?", params![meeting]);
        }
        if let Some(search) = &self.search {
            conditions.and(
                "search_text LIKE ? ESCAPE '\\' OR meeting_id = ?",
                params![like_pattern(search), search.to_lowercase()],
            );
        }
        if !self.statuses.is_empty() {
            let words = self.statuses.iter().map(|status| status.as_str().into());
            conditions.and_one_of("status", words);
        }
        if let Some(from) = self.from {
            conditions.and("invoked_at >= ?", params![from]);
        }
        if let Some(to) = self.to {
            conditions.and("invoked_at <= ?", params![to]);
        }
        match self.expired {
            Some((true, now)) => conditions.and("download_url_expires_at <= ?", params![now]),
            Some((false, now)) => conditions.and(
                "download_url_expires_at IS NULL OR download_url_expires_at > ?",
                params![now],
            ),
            None => {}
        }
        conditions
    }
}

/// Writes the record of a recording. `title` is the meeting's, `sealed_secrets` those of its storage.
pub async fn insert(
    conn: &mut Conn,
    scope: &Scope,
    recording: &Recording,
    title: Option<&str>,
    sealed_secrets: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let made = conn
        .execute(
            "INSERT INTO recordings (app_id, id, meeting_id, session_id, kind, status, output_file_name, \
             search_text, invoked_at, started_at, stopped_at, recorded_micros, file_size, download_url, \
             audio_download_url, download_url_expires_at, track_downloads, storage_config, storage_secrets, \
             start_reason, stop_reason, created_at, updated_at) \
             SELECT id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
             $22, $23, $24 FROM apps WHERE id = $1 AND account_id = $2",
            params![
                scope.app,
                &scope.account,
                recording.id,
                recording.meeting_id,
                recording.session_id,
                recording.kind.as_str(),
                recording.status.as_str(),
                &recording.output_file_name,
                search_text([title]),
                recording.invoked_at,
                recording.started_at,
                recording.stopped_at,
                recording.recorded_micros,
                recording.file_size,
                &recording.download_url,
                &recording.audio_download_url,
                recording.download_url_expires_at,
                to_json(recording.track_downloads.as_ref())?,
                to_json(recording.storage_config.as_ref())?,
                sealed_secrets,
                to_json(recording.start_reason.as_ref())?,
                to_json(recording.stop_reason.as_ref())?,
                recording.created_at,
                recording.updated_at,
            ],
        )
        .await?;
    if made == 0 {
        Err(StoreError::NotFound("App"))
    } else {
        Ok(())
    }
}

impl Store {
    /// One recording.
    pub async fn recording(&self, scope: &Scope, id: RecordingId) -> Result<Recording, StoreError> {
        self.read()
            .await?
            .fetch_optional::<RecordingRow>(
                select_recordings!(
                    " WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)"
                ),
                params![id, scope.app, &scope.account],
            )
            .await?
            .ok_or(StoreError::NotFound("Recording"))?
            .try_into()
    }

    /// A meeting's recording that is under way: of the room rather than of tracks, the latest of several.
    pub async fn active_recording(&self, at: &MeetingScope) -> Result<Option<Recording>, StoreError> {
        self.read()
            .await?
            .fetch_optional::<RecordingRow>(
                select_recordings!(
                    " WHERE meeting_id = $1 AND status IN ('INVOKED', 'RECORDING', 'PAUSED') \
                     AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) \
                     ORDER BY CASE WHEN kind = 'COMPOSITE' THEN 0 ELSE 1 END, invoked_at DESC, id DESC LIMIT 1"
                ),
                params![at.meeting, at.scope.app, &at.scope.account],
            )
            .await?
            .map(TryInto::try_into)
            .transpose()
    }

    /// A page of an app's recordings by invocation, each with its meeting where that is there still.
    pub async fn recordings(
        &self,
        scope: &Scope,
        filter: &RecordingFilter,
        ascending: bool,
        page: PageRequest,
    ) -> Result<Page<(Recording, Option<Meeting>)>, StoreError> {
        let mut conn = self.read().await?;
        let conditions = filter.conditions(scope);
        let total = if filter.is_empty() {
            crate::apps::kept_count(
                &mut conn,
                scope,
                "SELECT recording_count FROM apps WHERE id = $1 AND account_id = $2",
            )
            .await?
        } else {
            conditions.count(&mut conn, "", "recordings").await?
        };
        let rest = if ascending {
            "ORDER BY invoked_at ASC, id ASC LIMIT ? OFFSET ?"
        } else {
            "ORDER BY invoked_at DESC, id DESC LIMIT ? OFFSET ?"
        };
        let (sql, values) =
            conditions.select(select_recordings!(""), rest, params![page.limit(), page.offset()]);
        let recordings: Vec<Recording> = conn
            .fetch_all_built::<RecordingRow>(sql, values)
            .await?
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        let ids: BTreeSet<MeetingId> = recordings.iter().map(|recording| recording.meeting_id).collect();
        let meetings: BTreeMap<MeetingId, Meeting> = meetings::load_some(&mut conn, scope, ids)
            .await?
            .into_iter()
            .map(|meeting| (meeting.id, meeting))
            .collect();
        Ok(Page {
            items: recordings
                .into_iter()
                .map(|recording| {
                    let meeting = meetings.get(&recording.meeting_id).cloned();
                    (recording, meeting)
                })
                .collect(),
            info: page.info(total),
        })
    }
}

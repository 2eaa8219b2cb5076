//! Meetings.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{
    MeetingId, PageRequest, Timestamp,
    meeting::{AiConfig, Meeting, MeetingSettings, MeetingStatus},
    recording::{RecordingConfig, StorageSecrets},
};
use muster_room::Command;
use muster_store::{StoreError, meetings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    apps::DISCONNECT,
    body::{Body, Input, Object, checked, schema_faults},
    caller::{AppCaller, MeetingCaller},
    error::{ApiError, Fault},
    idempotency::Idempotency,
    merge::merge,
    query::{Kind, PAGE_NO, PER_PAGE, Param, Query},
    respond::Envelope,
    route::Route,
    storage,
};
use crate::{app::App, auth::master_key::MasterKey};

const SEARCH: Param = Param::new("search", Kind::ShortText(256), "Part of the title, or the id");
const STATUS: Param = Param::new("status", Kind::Choice(&["ACTIVE", "INACTIVE"]), "Only these");
const START_TIME: Param = Param::new("start_time", Kind::Time, "Not made before");
const END_TIME: Param = Param::new("end_time", Kind::Time, "Not made after");
const NAME: Param = Param::new("name", Kind::Text, "Without effect; in the published contract");

/// The operations on meetings.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}";
    vec![
        Route::get(LIST, "list_meetings", list)
            .about("Lists the app's meetings, newest first")
            .query(&[PAGE_NO, PER_PAGE, START_TIME, END_TIME, SEARCH, STATUS])
            .answers_page::<MeetingOut>(),
        Route::post(LIST, "create_meeting", create)
            .about("Makes a meeting")
            .body::<MeetingIn>()
            .answers::<MeetingOut>(201),
        Route::get(ONE, "get_meeting", get)
            .about("Reads a meeting")
            .query(&[NAME])
            .answers::<MeetingOut>(200),
        Route::patch(ONE, "update_meeting", update)
            .about("Changes what is given; configurations merge, null returns to the default")
            .body::<MeetingPatch>()
            .answers::<MeetingOut>(200),
        Route::put(ONE, "replace_meeting", replace)
            .about("Replaces all but the status; what is absent returns to its default")
            .body::<MeetingIn>()
            .answers::<MeetingOut>(200),
        Route::delete(ONE, "delete_meeting", delete)
            .about("Extension: deletes a meeting; its past sessions stay readable")
            .query(&[DISCONNECT])
            .answers::<MeetingOut>(200),
    ]
}

/// A meeting to be made, or the whole of one to be replaced. `null` means the default.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MeetingIn {
    #[schema(max_length = 1024)]
    title: Option<String>,
    record_on_start: Option<bool>,
    live_stream_on_start: Option<bool>,
    persist_chat: Option<bool>,
    #[schema(minimum = 60, maximum = 600, default = 60)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    session_keep_alive_time_in_secs: Option<u32>,
    transcribe_on_end: Option<bool>,
    summarize_on_end: Option<bool>,
    recording_config: Option<RecordingConfig>,
    ai_config: Option<AiConfig>,
}

/// A change of a meeting.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MeetingPatch {
    status: Option<MeetingStatus>,
    #[serde(flatten)]
    rest: MeetingIn,
}

impl Input for MeetingIn {
    fn normalise(body: &mut Map<String, Value>) {
        let config = body.get_mut("recording_config").and_then(Value::as_object_mut);
        storage::normalise(config.and_then(|config| config.get_mut("storage_config")));
    }

    fn check(&self, faults: &mut Vec<Fault>) {
        let Some(config) = &self.recording_config else {
            return;
        };
        let bucket_off = config
            .realtimekit_bucket_config
            .is_some_and(|bucket| !bucket.enabled);
        if bucket_off && config.storage_config.is_none() {
            faults.push(Fault::of(
                "recording_config.storage_config",
                "is required when realtimekit_bucket_config.enabled is false",
            ));
        }
        let codec = config.video_config.as_ref().and_then(|video| video.codec);
        if codec == Some(muster_model::recording::VideoCodec::VP8) && config.audio_config.is_some() {
            faults.push(Fault::of(
                "recording_config.audio_config",
                "cannot be changed when the video codec is VP8",
            ));
        }
    }
}

impl Input for MeetingPatch {
    fn normalise(body: &mut Map<String, Value>) {
        MeetingIn::normalise(body);
    }

    fn check(&self, faults: &mut Vec<Fault>) {
        self.rest.check(faults);
    }
}

impl MeetingIn {
    /// The settings, and the storage secrets apart from them.
    fn into_settings(mut self, status: MeetingStatus) -> (MeetingSettings, StorageSecrets) {
        let secrets = self
            .recording_config
            .as_mut()
            .and_then(|config| config.storage_config.as_mut())
            .map(muster_model::recording::StorageConfig::take_secrets)
            .unwrap_or_default();
        let default = MeetingSettings::default();
        let settings = MeetingSettings {
            title: self.title,
            status,
            record_on_start: self.record_on_start.unwrap_or(default.record_on_start),
            live_stream_on_start: self.live_stream_on_start.unwrap_or(default.live_stream_on_start),
            persist_chat: self.persist_chat.unwrap_or(default.persist_chat),
            keep_alive_secs: self
                .session_keep_alive_time_in_secs
                .unwrap_or(default.keep_alive_secs),
            transcribe_on_end: self.transcribe_on_end.unwrap_or(default.transcribe_on_end),
            summarize_on_end: self.summarize_on_end.unwrap_or(default.summarize_on_end),
            recording_config: self.recording_config,
            ai_config: self.ai_config,
        };
        (settings, secrets)
    }
}

/// A meeting.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeetingOut {
    #[schema(value_type = String, format = Uuid)]
    id: MeetingId,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    status: MeetingStatus,
    record_on_start: bool,
    live_stream_on_start: bool,
    persist_chat: bool,
    session_keep_alive_time_in_secs: u32,
    transcribe_on_end: bool,
    summarize_on_end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_config: Option<RecordingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ai_config: Option<AiConfig>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Meeting> for MeetingOut {
    fn from(meeting: Meeting) -> Self {
        let settings = meeting.settings;
        Self {
            id: meeting.id,
            title: settings.title,
            status: settings.status,
            record_on_start: settings.record_on_start,
            live_stream_on_start: settings.live_stream_on_start,
            persist_chat: settings.persist_chat,
            session_keep_alive_time_in_secs: settings.keep_alive_secs,
            transcribe_on_end: settings.transcribe_on_end,
            summarize_on_end: settings.summarize_on_end,
            recording_config: settings.recording_config,
            ai_config: settings.ai_config,
            created_at: meeting.created_at,
            updated_at: meeting.updated_at,
        }
    }
}

const SEAL_PURPOSE: &str = "meeting-storage";

fn seal(master_key: &MasterKey, secrets: &StorageSecrets) -> Result<Option<Vec<u8>>, StoreError> {
    if secrets.is_empty() {
        return Ok(None);
    }
    let sealed = master_key.seal(SEAL_PURPOSE, &serde_json::to_vec(secrets)?);
    sealed
        .map(Some)
        .map_err(|error| StoreError::NotCommitted(error.to_string()))
}

fn open(master_key: &MasterKey, sealed: Option<Vec<u8>>) -> Result<StorageSecrets, StoreError> {
    let Some(sealed) = sealed else {
        return Ok(StorageSecrets::default());
    };
    let opened = master_key
        .open(SEAL_PURPOSE, &sealed)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(serde_json::from_slice(&opened)?)
}

async fn list(
    State(app): State<App>,
    caller: AppCaller,
    query: Query,
) -> Result<Envelope<Vec<MeetingOut>>, ApiError> {
    let (page, filter) = query.read(|r| {
        let filter = meetings::MeetingFilter {
            search: r.text(&SEARCH).map(str::to_owned),
            status: r.choice(&STATUS).map(|word| match word {
                "ACTIVE" => MeetingStatus::Active,
                _ => MeetingStatus::Inactive,
            }),
            from: r.time(&START_TIME),
            to: r.time_to(&END_TIME),
        };
        (r.page(PageRequest::DEFAULT_SIZE), filter)
    })?;
    let found = app.store.meetings(&caller.scope, &filter, page).await?;
    // The published contract has ai_config in single reads but not in rows of the list.
    Ok(found
        .map(|meeting| MeetingOut {
            ai_config: None,
            ..meeting.into()
        })
        .into())
}

async fn create(
    State(app): State<App>,
    caller: AppCaller,
    idempotency: Idempotency,
    body: Body<MeetingIn>,
) -> Result<Response, ApiError> {
    let (settings, secrets) = body.value.into_settings(MeetingStatus::Active);
    let sealed = seal(&app.master_key, &secrets)?;
    let (scope, now) = (caller.scope.clone(), app.now());
    idempotency
        .run(
            &app,
            &caller.token,
            caller.scope.app.to_string(),
            body.fingerprint,
            StatusCode::CREATED,
            move |conn| Box::pin(async move { meetings::create(conn, &scope, settings, sealed, now).await }),
            |meeting| Ok(Envelope::one(MeetingOut::from(meeting))),
        )
        .await
}

async fn get(State(app): State<App>, caller: MeetingCaller) -> Result<Envelope<MeetingOut>, ApiError> {
    let meeting = app.store.meeting(&caller.at.scope, caller.at.meeting).await?;
    Ok(Envelope::one(meeting.into()))
}

async fn replace(
    State(app): State<App>,
    caller: MeetingCaller,
    body: Body<MeetingIn>,
) -> Result<Envelope<MeetingOut>, ApiError> {
    change(&app, caller, move |stored, _| {
        let (settings, secrets) = body.value.into_settings(stored.settings.status);
        Ok((settings, secrets))
    })
    .await
}

async fn update(
    State(app): State<App>,
    caller: MeetingCaller,
    body: Object,
) -> Result<Envelope<MeetingOut>, ApiError> {
    // What is wrong with the change itself is found here, so that the one writer has little to do.
    // That something is missing shows only in the merged whole.
    let wrong: Vec<Fault> = schema_faults::<MeetingPatch>(&Value::Object(normalised(body.value.clone())))
        .into_iter()
        .filter(|fault| !fault.message.ends_with("is required"))
        .collect();
    if !wrong.is_empty() {
        return Err(ApiError::faults(wrong));
    }
    change(&app, caller, move |stored, older| {
        patched(stored, body.value, older)
    })
    .await
}

fn normalised(mut change: Map<String, Value>) -> Map<String, Value> {
    MeetingPatch::normalise(&mut change);
    change
}

/// The stored secrets that a change leaves in force: none once they would go to another place or
/// person, and not those that it sets to null.
fn kept_secrets(
    older: StorageSecrets,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    change: &Map<String, Value>,
) -> StorageSecrets {
    const TARGET: [&str; 7] = [
        "type",
        "provider",
        "endpoint",
        "host",
        "port",
        "username",
        "auth_method",
    ];
    let storage = |meeting: &Map<String, Value>, field: &str| {
        meeting
            .get("recording_config")
            .and_then(|c| c.get("storage_config"))
            .and_then(|s| s.get(field))
            .cloned()
    };
    if TARGET
        .iter()
        .any(|field| storage(before, field) != storage(after, field))
    {
        return StorageSecrets::default();
    }
    let unless_null =
        |field: &str, secret: Option<String>| secret.filter(|_| storage(change, field) != Some(Value::Null));
    StorageSecrets {
        access_key: unless_null("access_key", older.access_key),
        secret: unless_null("secret", older.secret),
        password: unless_null("password", older.password),
        private_key: unless_null("private_key", older.private_key),
    }
}

/// A stored meeting with a change merged in as RFC 7396 says: objects merge, `null` removes.
fn patched(
    stored: Meeting,
    change: Map<String, Value>,
    older: StorageSecrets,
) -> Result<(MeetingSettings, StorageSecrets), ApiError> {
    let Value::Object(mut whole) =
        serde_json::to_value(MeetingOut::from(stored)).map_err(ApiError::internal)?
    else {
        return Err(ApiError::internal(anyhow::anyhow!("a meeting is not an object")));
    };
    let status = whole.get("status").cloned();
    let before = whole.clone();
    let change = normalised(change);
    let told = change.clone();
    merge(&mut whole, change);
    if whole.get("status").is_none() {
        whole.extend(status.map(|status| ("status".to_owned(), status)));
    }
    let older = kept_secrets(older, &before, &whole, &told);
    let merged: MeetingPatch = checked(Value::Object(whole))?;
    let (settings, secrets) = merged.rest.into_settings(merged.status.unwrap_or_default());
    let has_storage = settings
        .recording_config
        .as_ref()
        .is_some_and(|c| c.storage_config.is_some());
    let secrets = if has_storage {
        secrets.over(older)
    } else {
        StorageSecrets::default()
    };
    Ok((settings, secrets))
}

/// Reads a meeting, lets `decide` say what it becomes, and stores that, in one transaction.
async fn change<F>(app: &App, caller: MeetingCaller, decide: F) -> Result<Envelope<MeetingOut>, ApiError>
where
    F: FnOnce(Meeting, StorageSecrets) -> Result<(MeetingSettings, StorageSecrets), ApiError>
        + Send
        + 'static,
{
    let (at, now, master_key) = (caller.at.clone(), app.now(), Arc::clone(&app.master_key));
    let changed = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let stored = meetings::load_locked(conn, &at.scope, at.meeting).await?;
                let (id, parent, created_at) = (stored.id, stored.parent, stored.created_at);
                let older = open(&master_key, meetings::sealed_secrets(conn, &at.scope, id).await?)?;
                let (settings, secrets) = match decide(stored, older) {
                    Ok(decided) => decided,
                    Err(refused) => return Ok(Err(refused)),
                };
                let sealed = seal(&master_key, &secrets)?;
                meetings::update(conn, &at.scope, id, &settings, sealed, now).await?;
                Ok(Ok(Meeting {
                    id,
                    parent,
                    settings,
                    created_at,
                    updated_at: now,
                }))
            })
        })
        .await??;
    // Those with a connection who have not come in yet were checked when it was another.
    let active = changed.settings.status == MeetingStatus::Active;
    // Without a live room there is nobody to tell; one that begins later reads the meeting.
    let _ = app.rooms.command(&caller.at, Command::SetActive(active)).await;
    Ok(Envelope::one(changed.into()))
}

async fn delete(
    State(app): State<App>,
    caller: MeetingCaller,
    query: Query,
) -> Result<Envelope<MeetingOut>, ApiError> {
    let disconnect = query.read(|r| r.boolean(&DISCONNECT))? == Some(true);
    if disconnect {
        super::active_session::end(&app, &caller.at).await?;
    }
    let (at, now) = (caller.at, app.now());
    let deleted = app
        .store
        .write(move |conn| Box::pin(async move { meetings::delete(conn, &at.scope, at.meeting, now).await }))
        .await?;
    app.purge_soon();
    Ok(Envelope::one(deleted.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_merge_into_configurations() {
        let stored = |config: Value| Meeting {
            id: MeetingId::random(),
            parent: None,
            settings: MeetingSettings {
                title: Some("old".into()),
                status: MeetingStatus::Inactive,
                recording_config: serde_json::from_value(config).unwrap(),
                ..MeetingSettings::default()
            },
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let patch = |config: Value, change: Value| {
            let Value::Object(change) = change else {
                panic!("an object")
            };
            patched(
                stored(config),
                change,
                StorageSecrets {
                    secret: Some("s".into()),
                    ..Default::default()
                },
            )
        };
        let aws = json!({"max_seconds": 60, "storage_config": {"type": "aws", "bucket": "b"}});
        let (settings, secrets) =
            patch(aws.clone(), json!({"recording_config": {"max_seconds": 90.0}})).unwrap();
        assert_eq!(settings.status, MeetingStatus::Inactive);
        let config = settings.recording_config.unwrap();
        assert_eq!(config.max_seconds, Some(90));
        assert!(config.storage_config.is_some());
        assert_eq!(
            secrets.secret.as_deref(),
            Some("s"),
            "secrets that are not given anew stay"
        );
        let elsewhere = json!({"recording_config": {"storage_config": {"endpoint": "https://evil.example"}}});
        assert!(
            patch(aws.clone(), elsewhere).unwrap().1.is_empty(),
            "secrets do not follow to another place"
        );
        let taken_back = json!({"recording_config": {"storage_config": {"secret": null}}});
        assert!(
            patch(aws.clone(), taken_back).unwrap().1.is_empty(),
            "null takes a secret away"
        );
        let (settings, secrets) =
            patch(aws.clone(), json!({"title": null, "recording_config": null})).unwrap();
        assert!(settings.title.is_none() && settings.recording_config.is_none() && secrets.is_empty());
        assert!(patch(aws, json!({"recording_config": {"max_seconds": 5}})).is_err());
    }
}

//! Files of chats: a participant asks for two links, writes by one of them once, and sends the other
//! into the chat.

use std::{num::NonZeroU32, time::Duration};

use axum::{
    body::Body as HttpBody,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use mime::Mime;
use muster_model::{AppId, FileId, MeetingId, preset::ChatPermissions};
use muster_store::{
    StoreError,
    files::{self, FileLimits, NewFile, StoredFile, Written},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_http::services::ServeFile;
use url::Url;
use utoipa::ToSchema;

use super::caller::ClientCaller;
use crate::{
    api::{
        body::{Body, Input},
        caller::PathIds,
        error::ApiError,
        respond::{Envelope, answer},
        route::{Access, Route},
    },
    app::App,
    auth::file_link::{ANY_TYPE, FileAction, FileGrant, FileObject},
    files::{Draft, ReceiveError},
};

/// Where files are written and read.
pub const UPLOAD: &str = "/files/uploads/{app_id}/{file_id}";
/// Files that a participant may put into its chat in a minute.
pub const UPLOADS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Bytes of a file at most.
pub const MAX_FILE: u64 = 25 << 20;
/// Files of an app at most, written or not.
const FILES_PER_APP: i64 = 100_000;
/// How long a link for writing holds.
const WRITE_WITHIN: Duration = Duration::from_secs(3600);
/// How much longer a write that began in time may take.
const WRITE_SLACK: Duration = Duration::from_secs(600);
/// How long a file is kept unless the caller says.
const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);
/// The same in meetings whose chat persists.
const PERSISTENT_FOR: Duration = Duration::from_secs(365 * 86_400);
/// Characters of a file's name that are kept.
const MAX_NAME: usize = 255;

/// The operations.
pub fn routes() -> Vec<Route> {
    let signed = |route: Route| route.access(Access::SignedLink);
    vec![
        Route::post("/v2/meetings/chat-upload", "request_chat_upload", request_upload)
            .about("Answers a link for writing a file and one for reading it")
            .access(Access::Participant)
            .body::<ChatUploadIn>(),
        signed(Route::put(UPLOAD, "write_file", write)).about("Writes a file, once"),
        signed(Route::get(UPLOAD, "read_file", read)).about("Reads a file, or a range of it"),
    ]
}

/// A file to be put into the chat.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatUploadIn {
    /// The caller's own meeting.
    #[serde(rename = "roomUUID")]
    #[schema(value_type = String, format = Uuid)]
    room_uuid: MeetingId,
    #[schema(min_length = 1, max_length = 1024)]
    filename: String,
    /// Seconds for which the file is wanted; cut to what the meeting keeps files for.
    #[schema(minimum = 60)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    expiry: Option<u32>,
}

impl Input for ChatUploadIn {}

/// Where a file is written to and read from.
#[derive(Debug, Serialize)]
struct ChatUploadOut {
    get_location: Url,
    put_location: Url,
}

/// Whether a file may be sent to anybody.
fn may_send_files(chat: &ChatPermissions) -> bool {
    (chat.public.can_send && chat.public.files) || (chat.private.can_send && chat.private.files)
}

/// What a name may be called when it is told to others: the last part of a path, without what
/// terminals and headers act on.
fn sanitised(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    match plain.trim() {
        "" | "." | ".." => "file".into(),
        name => name.into(),
    }
}

/// A number for the store, which has no unsigned ones.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

async fn request_upload(
    State(app): State<App>,
    caller: ClientCaller,
    body: Body<ChatUploadIn>,
) -> Result<Envelope<ChatUploadOut>, ApiError> {
    let at = caller.own(body.value.room_uuid)?.clone();
    caller.require(may_send_files(&caller.permissions().chat))?;
    app.upload_rate
        .check(caller.joiner.person.participant)
        .map_err(ApiError::too_many)?;
    let now = app.now();
    let most = if caller.joiner.meeting.persist_chat {
        PERSISTENT_FOR
    } else {
        KEPT_FOR
    };
    let wanted = body.value.expiry.map(|secs| Duration::from_secs(secs.into()));
    let keep_until = now.plus(wanted.map_or(most, |wanted| wanted.min(most)));
    let write_until = now.plus(WRITE_WITHIN);
    let file = NewFile {
        name: sanitised(&body.value.filename),
        write_until: write_until.plus(WRITE_SLACK),
        keep_until,
    };
    let limits = FileLimits {
        files: FILES_PER_APP,
        bytes: signed(app.config.files_bytes_per_app),
    };
    let app_id = at.scope.app;
    let id = app
        .store
        .write(move |conn| Box::pin(async move { files::create(conn, &at, &file, limits, now).await }))
        .await?;
    let object = FileObject::Upload(id);
    let grant = FileGrant {
        max_bytes: MAX_FILE,
        // The request does not tell the type; what it is decides how it is shown, not whether it is taken.
        content_type: ANY_TYPE.into(),
    };
    Ok(Envelope::one(ChatUploadOut {
        get_location: app.file_links.read(app_id, object, keep_until),
        put_location: app.file_links.write(app_id, object, write_until, &grant),
    }))
}

/// The file in a path, and what the link permits.
async fn opened(
    app: &App,
    parts: &mut Parts,
    action: FileAction,
) -> Result<(AppId, FileId, FileGrant), ApiError> {
    let ids = PathIds::of(parts, app).await?;
    let (app_id, id) = (ids.get("app_id", "File")?, ids.get("file_id", "File")?);
    let grant = granted(app, parts, action, app_id, FileObject::Upload(id))?;
    Ok((app_id, id, grant))
}

/// What the link of a request permits; 403 where it does not hold.
pub(super) fn granted(
    app: &App,
    parts: &Parts,
    action: FileAction,
    app_id: AppId,
    object: FileObject,
) -> Result<FileGrant, ApiError> {
    serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
        .ok()
        .and_then(|query| {
            app.file_links
                .verify(action, app_id, object, query, app.now())
                .ok()
        })
        .ok_or_else(|| ApiError::new(StatusCode::FORBIDDEN, "The link is not valid, or no longer"))
}

fn too_long(max: u64) -> ApiError {
    let message = format!("The file must be at most {max} bytes long");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

/// The media type of a request's body, without parameters.
fn content_type(headers: &HeaderMap) -> Mime {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<Mime>().ok())
        .filter(|mime| mime.essence_str().len() <= MAX_NAME)
        .and_then(|mime| mime.essence_str().parse().ok())
        .unwrap_or(mime::APPLICATION_OCTET_STREAM)
}

async fn write(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let (app_id, id, grant) = opened(&app, &mut parts, FileAction::Write).await?;
    let mime = content_type(&parts.headers);
    if !grant.permits_type(mime.essence_str()) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("The file must be {}", grant.content_type),
        ));
    }
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > grant.max_bytes) {
        return Err(too_long(grant.max_bytes));
    }
    // A look before the work; the transaction decides.
    if !app
        .store
        .file_is_unwritten(app_id, id, app.now())
        .await?
        .ok_or_else(|| ApiError::not_found("File"))?
    {
        return Err(written_before());
    }
    let draft = app.files.receive(body, grant.max_bytes).await.map_err(refused)?;
    keep(&app, app_id, id, mime, draft).await?;
    answer(StatusCode::OK, &json!({"success": true, "data": {}}))
}

fn written_before() -> ApiError {
    ApiError::conflict("The file was written before")
}

fn refused(error: ReceiveError) -> ApiError {
    match error {
        ReceiveError::TooLong(max) => too_long(max),
        ReceiveError::Broken => ApiError::fault("", "The file did not arrive whole"),
        ReceiveError::Disk(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            tracing::error!("the disk has no room for a file");
            ApiError::unavailable("The server's disk is full")
        }
        ReceiveError::Disk(error) => ApiError::internal(error),
    }
}

/// Makes a draft the file, in the transaction that notes its one write.
async fn keep(app: &App, app_id: AppId, id: FileId, mime: Mime, draft: Draft) -> Result<(), ApiError> {
    let (now, limit) = (app.now(), signed(app.config.files_bytes_per_app));
    let (folder, size) = (app.files.clone(), signed(draft.size));
    let written = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let written = files::write(conn, app_id, id, mime.essence_str(), size, limit, now).await?;
                if written == Written::Now {
                    folder
                        .keep(draft, id)
                        .await
                        .map_err(|error| StoreError::NotCommitted(error.to_string()))?;
                }
                Ok(written)
            })
        })
        .await?;
    match written {
        Written::Now => app.files.sync_name(id).await.map_err(ApiError::internal),
        Written::Before => Err(written_before()),
        Written::Full => Err(ApiError::conflict("The app's room for files is used up")),
    }
}

async fn read(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let (app_id, id, _) = opened(&app, &mut parts, FileAction::Read).await?;
    let file = app.store.file(app_id, id, app.now()).await?;
    let mime = file
        .content_type
        .parse::<Mime>()
        .unwrap_or(mime::APPLICATION_OCTET_STREAM);
    let request = Request::from_parts(parts, HttpBody::empty());
    let mut service = ServeFile::new_with_mime(app.files.path(id), &mime);
    let response = service.try_call(request).await.map_err(ApiError::internal)?;
    if response.status() == StatusCode::NOT_FOUND {
        // After a restore without the data folder.
        return Err(ApiError::not_found("File"));
    }
    let mut response = response.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, disposition(&file));
    Ok(response)
}

/// What a browser may show by itself; all else it saves.
fn is_picture(content_type: &str) -> bool {
    matches!(
        content_type,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    )
}

/// What RFC 8187 leaves as it is.
const ATTR_CHAR: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a file is to be treated, and its name: in ASCII for old readers, whole for others (RFC 6266).
fn disposition(file: &StoredFile) -> HeaderValue {
    let kind = if is_picture(&file.content_type) {
        "inline"
    } else {
        "attachment"
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '_');
    let ascii: String = file
        .name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let whole = utf8_percent_encode(&file.name, &ATTR_CHAR);
    HeaderValue::from_str(&format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{whole}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(name: &str, content_type: &str) -> StoredFile {
        StoredFile {
            name: name.into(),
            content_type: content_type.into(),
            size: 1,
        }
    }

    #[test]
    fn names_lose_what_is_not_a_name() {
        for (given, kept) in [
            ("a.png", "a.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\y.txt", "y.txt"),
            ("a\r\nb\u{0}", "ab"),
            ("..", "file"),
            ("x/", "file"),
            (" ", "file"),
            ("naïve 日本.pdf", "naïve 日本.pdf"),
        ] {
            assert_eq!(sanitised(given), kept, "{given:?}");
        }
        assert_eq!(sanitised(&"é".repeat(400)).chars().count(), 255);
    }

    #[test]
    fn only_pictures_are_shown() {
        let header = disposition(&stored("é \".png", "image/png"));
        assert_eq!(
            header,
            "inline; filename=\"_ _.png\"; filename*=UTF-8''%C3%A9%20%22.png"
        );
        for other in ["image/svg+xml", "text/html", "application/pdf", ""] {
            let header = disposition(&stored("x", other));
            assert_eq!(header, "attachment; filename=\"x\"; filename*=UTF-8''x");
        }
    }

    #[test]
    fn types_are_read_without_parameters() {
        let of = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]);
            content_type(&headers).to_string()
        };
        assert_eq!(of("Text/HTML; charset=utf-8"), "text/html");
        assert_eq!(of("nonsense"), "application/octet-stream");
        assert_eq!(content_type(&HeaderMap::new()), mime::APPLICATION_OCTET_STREAM);
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_header(name in ".*", kind in "[a-z]{0,9}/[a-z+]{0,9}") {
            let header = disposition(&stored(&sanitised(&name), &kind));
            prop_assert!(header.to_str().unwrap().contains("filename*=UTF-8''"));
        }
    }
}

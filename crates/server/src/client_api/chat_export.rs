//! The chat of a session as CSV, behind a link; read from the records while it is sent.

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use futures::stream;
use muster_model::{MeetingId, SessionId, app::Scope, chat::ChatMessage};
use muster_store::rooms::ChatCursor;
use serde::Serialize;

use super::uploads::granted;
use crate::{
    api::{
        caller::PathIds,
        error::ApiError,
        route::{Access, Route},
    },
    app::App,
    auth::file_link::{FileAction, FileObject},
};

/// Messages read at once.
const CHUNK: u32 = 256;

/// The operations.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/files/exports/chat/{app_id}/{session_id}",
            "read_chat_export",
            read,
        )
        .about("Reads the chat of a session as CSV")
        .access(Access::SignedLink),
    ]
}

/// A line of the export; the names make its first line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: String,
    participant_id: String,
    session_id: String,
    meeting_id: String,
    display_name: &'a str,
    pinned: bool,
    is_edited: bool,
    payload_type: &'static str,
    payload: &'a str,
    created_at: String,
}

/// The names of the columns, for an export without lines too.
const HEADER: [&str; 10] = [
    "id",
    "participantId",
    "sessionId",
    "meetingId",
    "displayName",
    "pinned",
    "isEdited",
    "payloadType",
    "payload",
    "createdAt",
];

/// Messages as lines of CSV (RFC 4180). What was written to some alone is nobody else's to read, and
/// the columns could not tell it apart: it is left out.
fn lines(session: SessionId, meeting: MeetingId, messages: &[ChatMessage]) -> anyhow::Result<Bytes> {
    let mut csv = writer();
    for message in messages.iter().filter(|message| message.recipients.is_empty()) {
        csv.serialize(Line {
            id: message.id.to_string(),
            participant_id: message.participant_id.to_string(),
            session_id: session.to_string(),
            meeting_id: meeting.to_string(),
            display_name: &message.display_name,
            pinned: message.pinned,
            is_edited: message.edited,
            payload_type: message.kind.as_str(),
            payload: &message.payload,
            created_at: message.created_at.to_string(),
        })?;
    }
    finished(csv)
}

fn header() -> anyhow::Result<Bytes> {
    let mut csv = writer();
    csv.write_record(HEADER)?;
    finished(csv)
}

fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new())
}

fn finished(csv: csv::Writer<Vec<u8>>) -> anyhow::Result<Bytes> {
    let bytes = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(bytes.into())
}

/// Where an export stands.
enum Place {
    Header,
    After(Option<ChatCursor>),
    End,
}

/// The whole export, a chunk of messages at a time.
fn export(app: App, scope: Scope, session: SessionId, meeting: MeetingId) -> Body {
    let pieces = stream::try_unfold(Place::Header, move |place| {
        let (app, scope) = (app.clone(), scope.clone());
        async move {
            let after = match place {
                Place::Header => return anyhow::Ok(Some((header()?, Place::After(None)))),
                Place::After(cursor) => cursor,
                Place::End => return Ok(None),
            };
            let messages = app.store.session_chat(&scope, session, after, CHUNK).await?;
            let next = match messages.last() {
                Some(last) if messages.len() == CHUNK as usize => Place::After(Some(last.into())),
                _ => Place::End,
            };
            Ok(Some((lines(session, meeting, &messages)?, next)))
        }
    });
    Body::from_stream(pieces)
}

async fn read(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let ids = PathIds::of(&mut parts, &app).await?;
    let (app_id, id) = (ids.get("app_id", "App")?, ids.get("session_id", "Session")?);
    granted(&app, &parts, FileAction::Read, app_id, FileObject::ChatExport(id))?;
    let scope = app
        .store
        .scope_of(app_id)
        .await?
        .ok_or_else(|| ApiError::not_found("Session"))?;
    let session = app.store.session(&scope, id).await?;
    let mut response = Response::new(export(app, scope, id, session.meeting_id));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    let disposition = format!("attachment; filename=\"chat-{id}.csv\"");
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).map_err(ApiError::internal)?,
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use muster_model::{ChatMessageId, ParticipantId, PeerId, Timestamp, chat::ChatPayloadKind};

    use super::*;

    #[test]
    fn lines_have_the_columns_of_the_header_and_are_quoted() {
        let said = |payload: &str, recipients| ChatMessage {
            id: ChatMessageId::random(),
            peer_id: PeerId::random(),
            participant_id: ParticipantId::random(),
            display_name: "Ada, \"the first\"".into(),
            kind: ChatPayloadKind::Text,
            payload: payload.into(),
            recipients,
            pinned: true,
            edited: false,
            created_at: Timestamp::from_micros(1_773_133_200_123_456),
        };
        let messages = [
            said("two\nlines", vec![]),
            said("a secret", vec![ParticipantId::random()]),
        ];
        let (session, meeting) = (SessionId::random(), MeetingId::random());
        let all = [header().unwrap(), lines(session, meeting, &messages).unwrap()].concat();
        let text = String::from_utf8(all).unwrap();
        let first = &messages[0];
        let expected = format!(
            "{}\r\n{},{},{session},{meeting},\"Ada, \"\"the first\"\"\",true,false,TEXT_MESSAGE,\"two\nlines\",\
             2026-03-10T09:00:00.123Z\r\n",
            HEADER.join(","),
            first.id,
            first.participant_id
        );
        assert_eq!(text, expected);
    }
}

//! Finished pages of participant lists.
//!
//! A page is kept under the version of the list it shows. Each request asks the database for the
//! version that stands now and takes the page of that version: a write, by whichever process, is in
//! the next read. The question is cheap, and requests that arrive while it is being asked share the
//! next one.

use std::collections::{BTreeMap, HashSet};

use axum::body::Bytes;
use muster_model::{MeetingId, PageInfo, Timestamp, app::Scope};
use muster_store::{
    Conn, Store, StoreError,
    participants::{self, ListedParticipant, MeetingScope, ParticipantFilter, Roster, RosterVersion, Window},
};
use quick_cache::{Weighter, sync::Cache};
use serde::Serialize;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use tokio_util::sync::CancellationToken;

use crate::api::{error::ApiError, respond::Envelope};

/// Questions that may wait before further ones are refused as busy.
const WAITING: usize = 16_384;
/// Questions answered by one look at the database.
const TOGETHER: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PageKey {
    meeting: MeetingId,
    version: RosterVersion,
    window: Window,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<PageKey, Bytes> for ByBytes {
    fn weight(&self, _: &PageKey, page: &Bytes) -> u64 {
        page.len() as u64 + 256
    }
}

/// Renders pages, and keeps them where that is configured.
#[derive(Debug)]
pub struct RosterPages {
    store: Store,
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    pages: Cache<PageKey, Bytes, ByBytes>,
    questions: mpsc::Sender<Question>,
}

#[derive(Debug)]
struct Question {
    at: MeetingScope,
    answer: oneshot::Sender<Option<RosterVersion>>,
}

impl RosterPages {
    /// Keeps up to `capacity` bytes of pages; none when that is 0.
    pub fn new(store: Store, capacity: u64, stop: CancellationToken) -> Self {
        let kept = (capacity > 0).then(|| {
            let (questions, asked) = mpsc::channel(WAITING);
            let answering = answer_questions(store.clone(), asked);
            tokio::spawn(async move { stop.run_until_cancelled(answering).await });
            let pages = Cache::with_weighter(
                usize::try_from(capacity / 4096).unwrap_or(1024),
                capacity,
                ByBytes,
            );
            Kept { pages, questions }
        });
        Self { store, kept }
    }

    /// The JSON body that answers a list request.
    pub async fn page(
        &self,
        at: MeetingScope,
        filter: ParticipantFilter,
        window: Window,
    ) -> Result<Bytes, ApiError> {
        let Some(kept) = self.kept.as_ref().filter(|_| filter.is_empty()) else {
            return self.render(&at, &filter, &window).await;
        };
        let (answer, version) = oneshot::channel();
        let question = Question {
            at: at.clone(),
            answer,
        };
        if let Err(TrySendError::Full(_)) = kept.questions.try_send(question) {
            return Err(ApiError::unavailable("Too many requests are waiting"));
        }
        // No answer: the meeting is not there, the database could not tell, or the server is stopping. The
        // read below says which.
        let Some(version) = version.await.unwrap_or(None) else {
            return self.render(&at, &filter, &window).await;
        };
        let key = PageKey {
            meeting: at.meeting,
            version,
            window: window.clone(),
        };
        kept.pages
            .get_or_insert_async(&key, self.render(&at, &filter, &window))
            .await
    }

    async fn render(
        &self,
        at: &MeetingScope,
        filter: &ParticipantFilter,
        window: &Window,
    ) -> Result<Bytes, ApiError> {
        // Boxed, as it is the larger and the rarer path: the future of a request stays small.
        let roster = Box::pin(self.store.roster(at, filter, window)).await?;
        body(&roster, window).map_err(ApiError::internal)
    }
}

async fn answer_questions(store: Store, mut asked: mpsc::Receiver<Question>) {
    let mut questions = Vec::with_capacity(TOGETHER);
    let mut conn = None;
    while asked.recv_many(&mut questions, TOGETHER).await > 0 {
        // Connections that are ready to ask get to do so before the one look at the database.
        tokio::task::yield_now().await;
        while questions.len() < TOGETHER
            && let Ok(question) = asked.try_recv()
        {
            questions.push(question);
        }
        let mut meetings: HashSet<MeetingScope> = HashSet::new();
        for question in &questions {
            if !meetings.contains(&question.at) {
                meetings.insert(question.at.clone());
            }
        }
        let meetings: Vec<MeetingScope> = meetings.into_iter().collect();
        let versions = versions(&store, &mut conn, &meetings)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "the versions of participant lists cannot be read");
                conn = None;
                BTreeMap::new()
            });
        for Question { at, answer } in questions.drain(..) {
            let version = versions
                .get(&at.meeting)
                .filter(|(scope, _)| *scope == at.scope)
                .map(|(_, version)| *version);
            let _ = answer.send(version);
        }
    }
}

/// Asks on a connection that is kept for the purpose: taking one from the pool costs as much again.
async fn versions(
    store: &Store,
    conn: &mut Option<Conn>,
    meetings: &[MeetingScope],
) -> Result<BTreeMap<MeetingId, (Scope, RosterVersion)>, StoreError> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(store.read().await?),
    };
    participants::roster_versions(conn, meetings).await
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    custom_participant_id: &'a str,
    preset_name: &'a str,
    name: Option<&'a str>,
    picture: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a ListedParticipant> for Row<'a> {
    fn from(listed: &'a ListedParticipant) -> Self {
        Self {
            id: &listed.id,
            custom_participant_id: &listed.custom_participant_id,
            preset_name: &listed.preset_name,
            name: listed.name.as_deref(),
            picture: listed.picture.as_deref(),
            created_at: Timestamp::from_micros(listed.created_at),
            updated_at: Timestamp::from_micros(listed.updated_at),
        }
    }
}

fn body(roster: &Roster, window: &Window) -> serde_json::Result<Bytes> {
    let rows: Vec<Row<'_>> = roster.participants.iter().map(Row::from).collect();
    let info = match window {
        Window::Page(page) => page.info(roster.total),
        // Where the cursor stands is not counted; the offsets say how far the page goes from it.
        Window::After(..) => {
            let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            PageInfo {
                total_count: roster.total,
                start_offset: count.min(1),
                end_offset: count,
            }
        }
    };
    let mut bytes = Vec::with_capacity(128 + rows.len() * 320);
    serde_json::to_writer(&mut bytes, &Envelope::paged(rows, info))?;
    Ok(bytes.into())
}

//! Who was in a session: one row for each connection.

use std::collections::BTreeMap;

use muster_model::{
    Page, PageRequest, PeerId, SessionId, Timestamp,
    app::Scope,
    session::{Peer, PeerEvent, PeerEventName, PeerReport, PeerViewType},
};
use uuid::Uuid;

use crate::{
    Conn, Param, Store, StoreError, filter::Conditions, like_pattern, params, search_text,
    sessions::MAX_ROOM_DEPTH,
};

#[derive(sqlx::FromRow)]
struct PeerRow {
    id: String,
    session_id: String,
    participant_id: String,
    custom_participant_id: String,
    display_name: Option<String>,
    preset_name: String,
    joined_at: i64,
    left_at: Option<i64>,
    connected_micros: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<PeerRow> for Peer {
    type Error = StoreError;

    fn try_from(row: PeerRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            session_id: row.session_id.parse()?,
            participant_id: row.participant_id.parse()?,
            custom_participant_id: row.custom_participant_id,
            display_name: row.display_name,
            preset_name: row.preset_name,
            joined_at: Timestamp::from_micros(row.joined_at),
            left_at: row.left_at.map(Timestamp::from_micros),
            connected_micros: row.connected_micros,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

/// Of one inside, the length of the stay is counted up to the session's heartbeat, which is never before
/// anybody's coming.
macro_rules! select_peers {
    ($rest:literal) => {
        concat!(
            "SELECT id, session_id, participant_id, custom_participant_id, display_name, preset_name, joined_at, ",
            "left_at, CASE WHEN present_since IS NULL THEN connected_micros ELSE connected_micros - present_since ",
            "+ (SELECT s.heartbeat_at FROM sessions s WHERE s.id = peers.session_id) END AS connected_micros, ",
            "created_at, updated_at FROM peers",
            $rest
        )
    };
}

/// The stays in one session (`$1`) of an app (`$2`) of an account (`$3`).
const IN_SESSION: &str = "session_id = (SELECT id FROM sessions WHERE id = $1 \
     AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3))";

/// `rooms`: a session (`$1`) of an app (`$2`) of an account (`$3`), and its breakout rooms down to a
/// depth (`$4`).
macro_rules! with_rooms {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE rooms (room_id, depth) AS ( ",
            "SELECT id, CAST(0 AS BIGINT) FROM sessions WHERE id = $1 ",
            "AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) ",
            "UNION ALL ",
            "SELECT s.id, rooms.depth + 1 FROM rooms JOIN sessions s ON s.parent_session_id = rooms.room_id ",
            "WHERE rooms.depth < $4 ",
            "AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) ",
            $rest
        )
    };
}

/// One row for each person: who it was, from the latest stay in the session itself (or else in a breakout
/// room); from the first arrival to the last departure; all stays added up. A person has one custom id
/// but another participant id in each meeting.
const CONSOLIDATED: &str = with_rooms!(
    ", stays AS ( \
     SELECT p.id, p.session_id, p.participant_id, p.custom_participant_id, p.display_name, p.preset_name, \
     p.search_text, p.created_at, p.updated_at, \
     ROW_NUMBER() OVER (PARTITION BY p.custom_participant_id \
     ORDER BY CASE WHEN p.session_id = $1 THEN 0 ELSE 1 END, p.joined_at DESC, p.id DESC) AS place, \
     MIN(p.joined_at) OVER person AS first_joined, MAX(p.left_at) OVER person AS last_left, \
     COUNT(*) OVER person - COUNT(p.left_at) OVER person AS inside, \
     CAST(SUM(CASE WHEN p.present_since IS NULL THEN p.connected_micros \
     ELSE p.connected_micros - p.present_since + s.heartbeat_at END) OVER person AS BIGINT) AS together \
     FROM peers p JOIN sessions s ON s.id = p.session_id WHERE p.session_id IN (SELECT room_id FROM rooms) \
     WINDOW person AS (PARTITION BY p.custom_participant_id)), \
     people AS ( \
     SELECT id, session_id, participant_id, custom_participant_id, display_name, preset_name, search_text, \
     first_joined AS joined_at, CASE WHEN inside = 0 THEN last_left END AS left_at, \
     together AS connected_micros, created_at, updated_at FROM stays WHERE place = 1) "
);

/// By what a list of stays is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PeerOrder {
    /// When it came.
    #[default]
    Joined,
    /// How long it stayed.
    Duration,
}

/// Which part of a session's stays is wanted, and how.
#[derive(Debug, Clone, Default)]
pub struct PeerQuery {
    /// Part of the display name or the custom id, or the whole participant or peer id.
    pub search: Option<String>,
    /// By what they are ordered.
    pub order: PeerOrder,
    /// Smallest first.
    pub ascending: bool,
    /// One row for each person, with the stays in breakout rooms added.
    pub consolidated: bool,
    /// With what happened to each.
    pub events: bool,
}

/// A stay, with what happened in it where that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerWithEvents {
    /// The stay.
    pub peer: Peer,
    /// What happened, oldest first.
    pub events: Option<Vec<PeerEvent>>,
}

/// Writes the record of a stay in a session, with the report of its client if there is one.
pub async fn insert(
    conn: &mut Conn,
    scope: &Scope,
    peer: &Peer,
    report: Option<&PeerReport>,
) -> Result<(), StoreError> {
    let report = report.map(serde_json::to_string).transpose()?;
    let made = conn
        .execute(
            "INSERT INTO peers (id, session_id, participant_id, custom_participant_id, display_name, preset_name, \
             search_text, joined_at, left_at, connected_micros, report, created_at, updated_at, present_since) \
             SELECT $4, id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             CASE WHEN $11 IS NULL AND status = 'LIVE' THEN heartbeat_at END FROM sessions \
             WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            params![
                peer.session_id,
                scope.app,
                &scope.account,
                peer.id,
                peer.participant_id,
                &peer.custom_participant_id,
                &peer.display_name,
                &peer.preset_name,
                search_text([
                    Some(peer.custom_participant_id.as_str()),
                    peer.display_name.as_deref()
                ]),
                peer.joined_at,
                peer.left_at,
                peer.connected_micros,
                report,
                peer.created_at,
                peer.updated_at,
            ],
        )
        .await?;
    if made == 0 {
        Err(StoreError::NotFound("Session"))
    } else {
        Ok(())
    }
}

/// Writes down what happened to a peer.
pub async fn insert_event(conn: &mut Conn, scope: &Scope, event: &PeerEvent) -> Result<(), StoreError> {
    let made = conn
        .execute(
            "INSERT INTO peer_events (id, peer_id, event_name, participant_id, session_id, socket_session_id, \
             preset_view_type, connected_micros, created_at, updated_at) \
             SELECT $4, p.id, $5, $6, $7, $8, $9, $10, $11, $12 FROM peers p \
             JOIN sessions s ON s.id = p.session_id \
             WHERE p.id = $1 AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            params![
                event.peer_id,
                scope.app,
                &scope.account,
                &event.id,
                event.name.as_str(),
                event.participant_id,
                event.session_id,
                &event.socket_session_id,
                event.preset_view_type.map(PeerViewType::as_str),
                event.connected_micros,
                event.created_at,
                event.updated_at,
            ],
        )
        .await?;
    if made == 0 {
        Err(StoreError::NotFound("Peer"))
    } else {
        Ok(())
    }
}

impl Store {
    /// A page of the stays in a session.
    pub async fn peers(
        &self,
        scope: &Scope,
        session: SessionId,
        query: &PeerQuery,
        page: PageRequest,
    ) -> Result<Page<PeerWithEvents>, StoreError> {
        let mut conn = self.read().await?;
        let head: Option<(i64, i64)> = conn
            .fetch_optional(
                "SELECT peer_count, live_participants FROM sessions WHERE id = $1 \
                 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
                params![session, scope.app, &scope.account],
            )
            .await?;
        let (counted, inside) = head.ok_or(StoreError::NotFound("Session"))?;
        let within = params![session, scope.app, &scope.account];
        let mut values = within.clone();
        let mut conditions = if query.consolidated {
            values.extend(params![MAX_ROOM_DEPTH]);
            Conditions::new("TRUE", values)
        } else {
            Conditions::new(IN_SESSION, values)
        };
        if let Some(search) = &query.search {
            let id = search.to_lowercase();
            conditions.and(
                "search_text LIKE ? ESCAPE '\\' OR participant_id = ? OR id = ?",
                params![like_pattern(search), &id, &id],
            );
        }
        let total = match (query.consolidated, &query.search) {
            (false, None) => counted,
            (false, Some(_)) => conditions.count(&mut conn, "", "peers").await?,
            (true, _) => conditions.count(&mut conn, CONSOLIDATED, "people").await?,
        };
        let rest = match (query.order, query.ascending) {
            (PeerOrder::Joined, true) => "ORDER BY joined_at ASC, id ASC LIMIT ? OFFSET ?",
            (PeerOrder::Joined, false) => "ORDER BY joined_at DESC, id DESC LIMIT ? OFFSET ?",
            // Nobody is inside: an index has the lengths in order.
            (PeerOrder::Duration, true) if inside == 0 && !query.consolidated => {
                "ORDER BY peers.connected_micros ASC, id ASC LIMIT ? OFFSET ?"
            }
            (PeerOrder::Duration, false) if inside == 0 && !query.consolidated => {
                "ORDER BY peers.connected_micros DESC, id DESC LIMIT ? OFFSET ?"
            }
            (PeerOrder::Duration, true) => "ORDER BY connected_micros ASC, id ASC LIMIT ? OFFSET ?",
            (PeerOrder::Duration, false) => "ORDER BY connected_micros DESC, id DESC LIMIT ? OFFSET ?",
        };
        let select = if query.consolidated {
            format!(
                "{CONSOLIDATED} SELECT id, session_id, participant_id, custom_participant_id, display_name, \
                 preset_name, joined_at, left_at, connected_micros, created_at, updated_at FROM people"
            )
        } else {
            select_peers!("").to_owned()
        };
        let (sql, values) = conditions.select(&select, rest, params![page.limit(), page.offset()]);
        let rows = conn.fetch_all_built::<PeerRow>(sql, values).await?;
        let peers: Vec<Peer> = rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        let mut events = match (query.events, query.consolidated) {
            (false, _) => None,
            (true, false) => Some(events_of_peers(&mut conn, scope, &peers).await?),
            (true, true) => Some(events_of_people(&mut conn, within, &peers).await?),
        };
        let items = peers
            .into_iter()
            .map(|peer| {
                let events = events
                    .as_mut()
                    .map(|all| all.remove(&peer.id).unwrap_or_default());
                PeerWithEvents { peer, events }
            })
            .collect();
        Ok(Page {
            items,
            info: page.info(total),
        })
    }

    /// One stay in a session, by the peer's id or else the latest by the participant's.
    pub async fn peer(
        &self,
        scope: &Scope,
        session: SessionId,
        id: Uuid,
        with_events: bool,
    ) -> Result<PeerWithEvents, StoreError> {
        let mut conn = self.read().await?;
        let row = conn
            .fetch_optional::<PeerRow>(
                select_peers!(
                    " WHERE session_id = (SELECT id FROM sessions WHERE id = $1 \
                     AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) \
                     AND (id = $4 OR participant_id = $4) \
                     ORDER BY CASE WHEN id = $4 THEN 0 ELSE 1 END, joined_at DESC, id DESC LIMIT 1"
                ),
                params![session, scope.app, &scope.account, id.to_string()],
            )
            .await?;
        let Some(row) = row else {
            drop(conn);
            self.session(scope, session).await?;
            return Err(StoreError::NotFound("Participant"));
        };
        one_with_events(&mut conn, scope, row.try_into()?, with_events).await
    }

    /// One stay by the peer's id, and what its client reported.
    pub async fn peer_report(
        &self,
        scope: &Scope,
        id: PeerId,
        with_events: bool,
    ) -> Result<(PeerWithEvents, PeerReport), StoreError> {
        let mut conn = self.read().await?;
        let values = params![id, scope.app, &scope.account];
        let row = conn
            .fetch_optional::<PeerRow>(
                select_peers!(
                    " WHERE id = $1 AND session_id IN (SELECT s.id FROM sessions s JOIN peers p \
                     ON p.session_id = s.id WHERE p.id = $1 \
                     AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3))"
                ),
                values.clone(),
            )
            .await?
            .ok_or(StoreError::NotFound("Peer"))?;
        let (report,): (Option<String>,) = conn
            .fetch_one(
                "SELECT p.report FROM peers p JOIN sessions s ON s.id = p.session_id \
                 WHERE p.id = $1 AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
                values,
            )
            .await?;
        let report = report.map_or_else(|| Ok(PeerReport::default()), |text| serde_json::from_str(&text))?;
        Ok((
            one_with_events(&mut conn, scope, row.try_into()?, with_events).await?,
            report,
        ))
    }
}

async fn one_with_events(
    conn: &mut Conn,
    scope: &Scope,
    peer: Peer,
    with_events: bool,
) -> Result<PeerWithEvents, StoreError> {
    let events = if with_events {
        let mut all = events_of_peers(conn, scope, std::slice::from_ref(&peer)).await?;
        Some(all.remove(&peer.id).unwrap_or_default())
    } else {
        None
    };
    Ok(PeerWithEvents { peer, events })
}

#[derive(sqlx::FromRow)]
struct EventRow {
    /// Whose event it is: a peer's id, or a person's custom id.
    owner: String,
    id: String,
    peer_id: String,
    event_name: String,
    participant_id: Option<String>,
    session_id: Option<String>,
    socket_session_id: Option<String>,
    preset_view_type: Option<String>,
    connected_micros: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<EventRow> for PeerEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let view_type = |word: String| PeerViewType::from_word(&word).ok_or(StoreError::Corrupt(word));
        Ok(Self {
            id: row.id,
            peer_id: row.peer_id.parse()?,
            name: PeerEventName::from_word(&row.event_name).ok_or(StoreError::Corrupt(row.event_name))?,
            participant_id: row.participant_id.map(|id| id.parse()).transpose()?,
            session_id: row.session_id.map(|id| id.parse()).transpose()?,
            socket_session_id: row.socket_session_id,
            preset_view_type: row.preset_view_type.map(view_type).transpose()?,
            connected_micros: row.connected_micros,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

const EVENT_COLUMNS: &str = "e.id, e.peer_id, e.event_name, e.participant_id, e.session_id, \
     e.socket_session_id, e.preset_view_type, e.connected_micros, e.created_at, e.updated_at \
     FROM peer_events e JOIN peers p ON p.id = e.peer_id JOIN sessions s ON s.id = p.session_id";

/// What happened to each of these peers.
async fn events_of_peers(
    conn: &mut Conn,
    scope: &Scope,
    peers: &[Peer],
) -> Result<BTreeMap<PeerId, Vec<PeerEvent>>, StoreError> {
    let mut conditions = Conditions::new(
        "s.app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)",
        params![scope.app, &scope.account],
    );
    conditions.and_one_of("e.peer_id", peers.iter().map(|peer| Param::from(peer.id)));
    let select = format!("SELECT e.peer_id AS owner, {EVENT_COLUMNS}");
    let (sql, values) = conditions.select(&select, "ORDER BY e.created_at, e.id", params![]);
    let mut found: BTreeMap<PeerId, Vec<PeerEvent>> = BTreeMap::new();
    for row in conn.fetch_all_built::<EventRow>(sql, values).await? {
        let event = PeerEvent::try_from(row)?;
        found.entry(event.peer_id).or_default().push(event);
    }
    Ok(found)
}

/// What happened to each of these people in a session and its breakout rooms, by the id of their row.
async fn events_of_people(
    conn: &mut Conn,
    within: Vec<Param>,
    people: &[Peer],
) -> Result<BTreeMap<PeerId, Vec<PeerEvent>>, StoreError> {
    let mut values = within;
    values.extend(params![MAX_ROOM_DEPTH]);
    let mut conditions = Conditions::new("p.session_id IN (SELECT room_id FROM rooms)", values);
    let custom_ids = people.iter().map(|peer| Param::from(&peer.custom_participant_id));
    conditions.and_one_of("p.custom_participant_id", custom_ids);
    let select = format!(
        "{} SELECT p.custom_participant_id AS owner, {EVENT_COLUMNS}",
        with_rooms!("")
    );
    let (sql, values) = conditions.select(&select, "ORDER BY e.created_at, e.id", params![]);
    let rows: BTreeMap<&str, PeerId> = people
        .iter()
        .map(|peer| (peer.custom_participant_id.as_str(), peer.id))
        .collect();
    let mut found: BTreeMap<PeerId, Vec<PeerEvent>> = BTreeMap::new();
    for row in conn.fetch_all_built::<EventRow>(sql, values).await? {
        if let Some(id) = rows.get(row.owner.as_str()) {
            found.entry(*id).or_default().push(row.try_into()?);
        }
    }
    Ok(found)
}

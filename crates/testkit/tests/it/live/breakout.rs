//! Breakout rooms: made, shown, entered with the token that comes with a move, given up, ended.

use muster_testkit::{Api, Closed, Database, Guest, both, eventually};
use muster_wire::{
    event,
    socket::room::{
        ConnectedMeetingDump, CreateConnectedRoomsRequest, CreateConnectedRoomsResponse,
        CreateRoomRequestPayload, DisableConnectedRoomsRequest, DisableConnectedRoomsResponse,
        DisableRoomPayload, GetConnectedRoomsDumpResponse, MovePeerPayload, MovePeersBetweenRoomsRequest,
        MovePeersBetweenRoomsResponse, TransferPeer,
    },
};
use serde_json::json;

use super::{
    Stage,
    kit::{SOON, ended, id, keep_alive, kick_all, live, preset},
};

both!(
    breakout_rooms_are_made_and_shown,
    only_who_may_changes_breakout_rooms,
    people_move_with_a_token_for_the_room,
    a_move_may_come_with_another_preset,
    people_come_back_when_their_room_is_given_up,
    people_go_by_themselves_as_far_as_they_may,
    the_end_for_all_ends_breakout_rooms,
    a_session_goes_on_while_somebody_is_in_a_breakout_room,
    the_record_has_the_breakout_rooms,
);

/// A meeting with somebody who may do everything with breakout rooms.
struct Rooms {
    stage: Stage,
    host: Guest,
}

impl Rooms {
    async fn new(db: Database) -> Self {
        let stage = Stage::new(db).await;
        let all = json!({"connected_meetings": {
            "can_alter_connected_meetings": true,
            "can_switch_connected_meetings": true,
            "can_switch_to_parent_meeting": true,
        }});
        let lead = preset(&stage.app, "lead", all).await;
        let host = Guest::join(&stage.origin(), &stage.token("Ana", &lead).await).await;
        Self { stage, host }
    }

    async fn participant(&self, name: &str) -> Guest {
        Guest::join(&self.stage.origin(), &self.stage.participant(name).await).await
    }

    /// Makes breakout rooms; answers their ids.
    async fn make(&mut self, titles: &[&str]) -> Vec<String> {
        let told: CreateConnectedRoomsResponse = self
            .host
            .request(event::CREATE_CONNECTED_ROOMS, &create(titles))
            .await;
        told.payloads.iter().map(|room| room.id().to_owned()).collect()
    }

    /// Has somebody moved to a room, and goes there for it.
    async fn send(&mut self, guest: Guest, to: &str) -> Guest {
        let wish = travel(&guest.meeting, to, &[(&guest.user, "")]);
        self.host
            .request::<MovePeersBetweenRoomsResponse>(event::MOVE_PEERS, &wish)
            .await;
        follow(guest, to).await
    }

    /// Waits until the host hears of a family for which `wanted` holds.
    async fn family(&mut self, wanted: impl Fn(&[(String, Vec<String>)]) -> bool) {
        loop {
            let dump: GetConnectedRoomsDumpResponse = self.host.hear(event::CONNECTED_ROOMS_DUMP).await;
            if wanted(&family(&dump)) {
                return;
            }
        }
    }
}

fn create(titles: &[&str]) -> CreateConnectedRoomsRequest {
    let room = |title: &&str| CreateRoomRequestPayload {
        title: Some((*title).to_owned()),
    };
    CreateConnectedRoomsRequest {
        payloads: titles.iter().map(room).collect(),
    }
}

fn give_up(rooms: &[&str]) -> DisableConnectedRoomsRequest {
    let room = |id: &&str| DisableRoomPayload {
        id: Some((*id).to_owned()),
    };
    DisableConnectedRoomsRequest {
        payloads: rooms.iter().map(room).collect(),
    }
}

fn travel(from: &str, to: &str, people: &[(&str, &str)]) -> MovePeersBetweenRoomsRequest {
    let person = |(id, preset): &(&str, &str)| MovePeerPayload {
        id: Some((*id).to_owned()),
        preset_id: (!preset.is_empty()).then(|| (*preset).to_owned()),
    };
    MovePeersBetweenRoomsRequest {
        source_meeting_id: Some(from.to_owned()),
        destination_meeting_id: Some(to.to_owned()),
        participants: people.iter().map(person).collect(),
    }
}

/// Does what the client does when it is told to go elsewhere.
async fn follow(mut guest: Guest, to: &str) -> Guest {
    let told: TransferPeer = guest.hear(event::TRANSFER_PEER).await;
    assert_eq!(told.meeting_id(), to);
    let (origin, token, user) = (
        guest.origin.clone(),
        told.auth_token().to_owned(),
        guest.user.clone(),
    );
    guest.leave().await;
    let there = Guest::join(&origin, &token).await;
    assert_eq!((there.meeting.as_str(), &there.user), (to, &user));
    there
}

fn names(room: &ConnectedMeetingDump) -> Vec<String> {
    room.participants
        .iter()
        .map(|person| person.display_name().to_owned())
        .collect()
}

/// The rooms of a dump, the parent first: titles, and who is there.
fn family(dump: &GetConnectedRoomsDumpResponse) -> Vec<(String, Vec<String>)> {
    std::iter::once(dump.parent_meeting.as_ref().expect("a parent"))
        .chain(&dump.meetings)
        .map(|room| (room.title().to_owned(), names(room)))
        .collect()
}

async fn dump(guest: &mut Guest) -> GetConnectedRoomsDumpResponse {
    guest
        .request(event::CONNECTED_ROOMS_DUMP, &Guest::nothing())
        .await
}

fn room(title: &str, people: &[&str]) -> (String, Vec<String>) {
    (
        title.to_owned(),
        people.iter().map(|name| (*name).to_owned()).collect(),
    )
}

async fn breakout_rooms_are_made_and_shown(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let mut bo = rooms.participant("Bo").await;
    let before = dump(&mut bo).await;
    assert_eq!(
        before.parent_meeting.as_ref().unwrap().id(),
        rooms.stage.meeting.id
    );
    assert_eq!(family(&before), [room("a test", &["Ana", "Bo"])]);

    let ids = rooms.make(&["Red", "Blue"]).await;
    let told: CreateConnectedRoomsResponse = bo.hear(event::CONNECTED_ROOMS_UPDATED).await;
    let made: Vec<_> = told
        .payloads
        .iter()
        .map(|room| (room.id(), room.title()))
        .collect();
    assert_eq!(made, [(ids[0].as_str(), "Red"), (&ids[1], "Blue")]);
    let wanted = [
        room("a test", &["Ana", "Bo"]),
        room("Red", &[]),
        room("Blue", &[]),
    ];
    let pushed: GetConnectedRoomsDumpResponse = bo.hear(event::CONNECTED_ROOMS_DUMP).await;
    assert_eq!(family(&pushed), wanted);
    let asked = dump(&mut bo).await;
    assert_eq!(family(&asked), wanted);
    assert_eq!(asked.meetings[1].id(), ids[1]);

    // They are meetings, and not among the app's.
    rooms
        .stage
        .app
        .get(&format!("/meetings/{}", ids[0]))
        .await
        .expect(200);
    let list = rooms.stage.app.get("/meetings?per_page=100").await.expect(200);
    assert_eq!(list.each("id"), std::slice::from_ref(&rooms.stage.meeting.id));
}

async fn only_who_may_changes_breakout_rooms(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let mut bo = rooms.participant("Bo").await;
    let ids = rooms.make(&["Red"]).await;
    let here = bo.meeting.clone();
    for why in [
        bo.refused(event::CREATE_CONNECTED_ROOMS, &create(&["Mine"]))
            .await,
        bo.refused(event::DELETE_CONNECTED_ROOMS, &give_up(&[&ids[0]]))
            .await,
        bo.refused(
            event::MOVE_PEERS,
            &travel(&here, &ids[0], &[(&rooms.host.user, "")]),
        )
        .await,
        bo.refused(
            event::MOVE_PEERS,
            &travel(&here, &ids[0], &[(&bo.user.clone(), "")]),
        )
        .await,
    ] {
        assert!(why.contains("not permitted"), "{why}");
    }
    // Without such a token nobody of the parent gets into the room: theirs is for the parent.
    let refused = Guest::try_connect(&bo.origin, &bo.token, &ids[0], &bo.peer).await;
    assert!(refused.is_err());
    let host = &mut rooms.host;
    host.refused(event::CREATE_CONNECTED_ROOMS, &create(&[])).await;
    host.refused(event::CREATE_CONNECTED_ROOMS, &create(&[" "])).await;
    host.refused(event::CREATE_CONNECTED_ROOMS, &create(&["x"; 100]))
        .await;
    // Another meeting of the app is none of the family.
    let other: Api = rooms.stage.app.meeting().await;
    host.refused(event::DELETE_CONNECTED_ROOMS, &give_up(&[&other.id]))
        .await;
    host.refused(event::MOVE_PEERS, &travel(&here, &other.id, &[(&bo.user, "")]))
        .await;
    host.refused(event::MOVE_PEERS, &travel(&here, &here, &[(&bo.user, "")]))
        .await;
    assert_eq!(
        family(&dump(&mut bo).await),
        [room("a test", &["Ana", "Bo"]), room("Red", &[])]
    );
    assert!(!bo.pushed_events().await.contains(&event::TRANSFER_PEER));
}

async fn people_move_with_a_token_for_the_room(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let ids = rooms.make(&["Red", "Blue"]).await;
    let bo = rooms.participant("Bo").await;
    let cy = rooms.participant("Cy").await;
    let mut bo = rooms.send(bo, &ids[0]).await;
    let in_red = [
        room("a test", &["Ana", "Cy"]),
        room("Red", &["Bo"]),
        room("Blue", &[]),
    ];
    rooms.family(|family| family == in_red).await;
    assert_eq!(bo.room().await.title, "Red");
    // The room knows the family too, as soon as its parent has spoken.
    eventually("the family is known in the room", SOON, async || {
        family(&dump(&mut bo).await) == in_red
    })
    .await;

    // From room to room, by the host who is in neither.
    let mut cy = rooms.send(cy, &ids[1]).await;
    let mut bo = rooms.send(bo, &ids[1]).await;
    let in_blue = [
        room("a test", &["Ana"]),
        room("Red", &[]),
        room("Blue", &["Cy", "Bo"]),
    ];
    rooms.family(|family| family == in_blue).await;
    // They are in one room now, apart from the parent.
    let said = bo.say("just us").await;
    let heard: muster_wire::socket::chat::SendChatMessageToRoomResponse =
        cy.hear(event::SEND_MESSAGE_TO_ROOM).await;
    assert_eq!(heard.message, Some(said));
    assert!(
        !rooms
            .host
            .pushed_events()
            .await
            .contains(&event::SEND_MESSAGE_TO_ROOM)
    );
    assert_eq!(cy.peers().await.len(), 2);
    let blue = rooms
        .stage
        .app
        .at_meeting(&ids[1])
        .get("/active-session")
        .await
        .expect(200);
    assert_eq!(blue.body["data"]["live_participants"], 2);
}

async fn a_move_may_come_with_another_preset(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let ids = rooms.make(&["Red"]).await;
    let mut bo = rooms.participant("Bo").await;
    let found = rooms
        .stage
        .app
        .get("/presets?search=group_call_host")
        .await
        .expect(200)
        .ok();
    let host_preset = id(&found[0]);
    let here = bo.meeting.clone();
    let wish = travel(&here, &ids[0], &[(&bo.user, &host_preset)]);
    rooms
        .host
        .request::<MovePeersBetweenRoomsResponse>(event::MOVE_PEERS, &wish)
        .await;
    let told: TransferPeer = bo.hear(event::TRANSFER_PEER).await;
    let mut there = Guest::connect(&bo.origin, told.auth_token()).await;
    let me = there.come_in().await;
    assert_eq!(me.flags.unwrap().preset_name, "group_call_host");
    let details = rooms.stage.app.at_root("").with_token(told.auth_token());
    let details = details
        .get("/v2/internals/participant-details")
        .await
        .expect(200)
        .ok();
    assert_eq!(details["preset"]["name"], "group_call_host");
    assert_eq!(details["meeting"]["title"], "Red");
    // It is of the room: in the parent Bo is what Bo was.
    assert_eq!(
        bo.come_in().await.flags.unwrap().preset_name,
        "group_call_participant"
    );
}

async fn people_come_back_when_their_room_is_given_up(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let ids = rooms.make(&["Red", "Blue"]).await;
    let bo = rooms.participant("Bo").await;
    let mut bo = rooms.send(bo, &ids[0]).await;
    rooms.family(|family| family[1].1 == ["Bo"]).await;
    let red_token = bo.token.clone();
    let told: DisableConnectedRoomsResponse = rooms
        .host
        .request(event::DELETE_CONNECTED_ROOMS, &give_up(&[&ids[0]]))
        .await;
    assert_eq!(told.payloads[0].id(), ids[0]);
    let parent = rooms.stage.meeting.id.clone();
    // Bo is told with the token for the way back.
    bo = follow(bo, &parent).await;
    rooms
        .family(|family| family == [room("a test", &["Ana", "Bo"]), room("Blue", &[])])
        .await;
    assert_eq!(bo.room().await.title, "a test");
    // The room is closed to the token of before.
    let late = Guest::try_connect(&bo.origin, &red_token, &ids[0], &bo.peer).await;
    assert!(late.is_err(), "{late:?}");
}

async fn people_go_by_themselves_as_far_as_they_may(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let ids = rooms.make(&["Red", "Blue"]).await;
    let change = json!({"connected_meetings": {
        "can_alter_connected_meetings": false,
        "can_switch_connected_meetings": false,
        "can_switch_to_parent_meeting": true,
    }});
    let homing = preset(&rooms.stage.app, "homing", change).await;
    let origin = rooms.stage.origin();
    let bo = Guest::join(&origin, &rooms.stage.token("Bo", &homing).await).await;
    let mut bo = rooms.send(bo, &ids[0]).await;
    rooms.family(|family| family[1].1 == ["Bo"]).await;
    let parent = rooms.stage.meeting.id.clone();
    let user = bo.user.clone();
    // The room has to have heard of the family before anybody can go anywhere in it.
    eventually("the family is known in the room", SOON, async || {
        dump(&mut bo).await.meetings.len() == 2
    })
    .await;
    let why = bo
        .refused(event::MOVE_PEERS, &travel(&ids[0], &ids[1], &[(&user, "")]))
        .await;
    assert!(why.contains("not permitted"), "{why}");
    bo.request::<MovePeersBetweenRoomsResponse>(event::MOVE_PEERS, &travel(&ids[0], &parent, &[(&user, "")]))
        .await;
    follow(bo, &parent).await;
    rooms.family(|family| family[0].1 == ["Ana", "Bo"]).await;
}

async fn the_end_for_all_ends_breakout_rooms(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let ids = rooms.make(&["Red"]).await;
    let bo = rooms.participant("Bo").await;
    let mut bo = rooms.send(bo, &ids[0]).await;
    rooms.family(|family| family[1].1 == ["Bo"]).await;
    let red = rooms.stage.app.at_meeting(&ids[0]);
    let session = id(&red.get("/active-session").await.expect(200).ok());
    kick_all(&rooms.stage).await.expect(200);
    bo.hear_empty(event::KICK_ALL).await;
    assert_eq!(bo.closed().await, Closed::Code(1000));
    ended(&rooms.stage.app, &session).await;
    red.get("/active-session").await.refused(404);
    // A new session of the parent begins without them.
    let mut bo = rooms.participant("Bo").await;
    assert_eq!(family(&dump(&mut bo).await), [room("a test", &["Bo"])]);
}

async fn a_session_goes_on_while_somebody_is_in_a_breakout_room(db: Database) {
    let stage = Stage::new(db).await;
    keep_alive(&stage, 0).await;
    let all = json!({"connected_meetings": {"can_alter_connected_meetings": true}});
    let lead = preset(&stage.app, "lead", all).await;
    let host = Guest::join(&stage.origin(), &stage.token("Ana", &lead).await).await;
    let mut rooms = Rooms { stage, host };
    let session = id(&live(&rooms.stage).await);
    let ids = rooms.make(&["Red"]).await;
    let bo = rooms.participant("Bo").await;
    let bo = rooms.send(bo, &ids[0]).await;
    rooms.family(|family| family[1].1 == ["Bo"]).await;
    let Rooms { stage, host } = rooms;
    host.leave().await;
    eventually("nobody is in the parent", SOON, async || {
        live(&stage).await["live_participants"] == 0
    })
    .await;
    // Though it is kept for no time at all: Bo is to come back here.
    assert_eq!(id(&live(&stage).await), session);
    bo.leave().await;
    ended(&stage.app, &session).await;
}

async fn the_record_has_the_breakout_rooms(db: Database) {
    let mut rooms = Rooms::new(db).await;
    let session = id(&live(&rooms.stage).await);
    let ids = rooms.make(&["Red"]).await;
    let bo = rooms.participant("Bo").await;
    let bo = rooms.send(bo, &ids[0]).await;
    rooms.family(|family| family[1].1 == ["Bo"]).await;
    let app = &rooms.stage.app;
    let tree = app
        .get(&format!("/sessions/{session}?include_breakout_rooms=true"))
        .await
        .expect(200)
        .ok();
    let red = &tree["breakout_rooms"][0];
    assert_eq!(
        (&red["associated_id"], &red["meeting_display_name"]),
        (&json!(ids[0]), &json!("Red"))
    );
    assert_eq!(
        (&red["live_participants"], &red["status"]),
        (&json!(1), &json!("LIVE"))
    );
    // Bo is one person in both rooms.
    let path = format!("/sessions/{session}/participants?view=consolidated&search=Bo");
    let people = app.get(&path).await.expect(200);
    assert_eq!(people.paging().0, 1);
    assert_eq!(people.body["data"]["participants"][0]["user_id"], bo.user);
    assert!(
        people.body["data"]["participants"][0].get("left_at").is_none(),
        "still in one of them"
    );
}

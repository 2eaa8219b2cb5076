//! Whom a token stands for, bans, and whose a peer id is.

use muster_model::{
    MeetingId, ParticipantId, PeerId, SessionId,
    event::{DomainEvent, Stay},
    meeting::MeetingStatus,
};
use muster_store::{joining::PeerIdUse, participants::MeetingScope, rooms};
use muster_testkit::{Database, both};
use serde_json::json;

use super::{Room, s, stay};

both!(tokens_stand_for_people, bans_survive, peer_ids_are_told_apart,);

async fn tokens_stand_for_people(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let room = Room::live(&server).await;
    let other = Room::of(&server, room.app.clone()).await;
    let store = server.store();
    let added = room.meeting.participant("ada").await;
    let ada: ParticipantId = added["id"].as_str().unwrap().parse().unwrap();
    let app = room.at.scope.app;
    let joiner = store
        .person(app, room.at.meeting, ada, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(joiner.at, room.at);
    assert_eq!(joiner.person.custom_participant_id, "ada");
    assert_eq!(joiner.person.preset_name, added["preset_name"].as_str().unwrap());
    assert_eq!((joiner.banned, joiner.app_deleted), (false, false));
    assert_eq!(joiner.meeting.status, MeetingStatus::Active);
    assert_eq!(joiner.meeting.keep_alive_secs, 60);
    assert_eq!(joiner.meeting.parent, None);

    let presets = room.app.get("/presets").await.ok();
    let guest = presets
        .as_array()
        .unwrap()
        .iter()
        .find(|preset| preset["name"] != joiner.person.preset_name.as_str())
        .unwrap()
        .clone();
    let guest_id = guest["id"].as_str().unwrap().parse().unwrap();
    let child = MeetingId::random();
    room.record(vec![DomainEvent::ConnectedMeetingsCreated {
        meetings: vec![(child, "child".into())],
        at: s(1),
    }])
    .await;
    // Another preset counts in a breakout room alone.
    let person = async |meeting, preset| store.person(app, meeting, ada, preset).await.unwrap();
    let here = person(room.at.meeting, Some(guest_id)).await.unwrap();
    assert_eq!(here, joiner);
    let moved = person(child, Some(guest_id)).await.unwrap();
    assert_eq!(moved.person.preset_name, guest["name"].as_str().unwrap());
    assert_eq!(moved.person.preset_id, guest_id);
    assert_eq!(moved.at.meeting, child);
    assert_eq!(moved.meeting.parent, Some(room.at.meeting));
    assert_eq!(moved.meeting.title.as_deref(), Some("child"));
    assert_eq!(person(child, None).await.unwrap().person, joiner.person);
    let stranger = Room::new(&server).await;
    let foreign_preset = stranger.app.get("/presets").await.ok()[0]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        person(child, Some(foreign_preset)).await.unwrap().person,
        joiner.person
    );

    assert_eq!(person(other.at.meeting, None).await, None);
    let elsewhere = store
        .person(stranger.at.scope.app, room.at.meeting, ada, None)
        .await;
    assert_eq!(elsewhere.unwrap(), None);
    room.record(vec![room.ended(2)]).await;
    room.meeting
        .patch("", json!({"status": "INACTIVE"}))
        .await
        .expect(200);
    let inactive = person(room.at.meeting, None).await.unwrap();
    assert_eq!(inactive.meeting.status, MeetingStatus::Inactive);
    room.meeting.delete("").await.expect(200);
    assert_eq!(person(room.at.meeting, None).await, None);
    assert_eq!(person(child, None).await, None);
}

async fn bans_survive(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let room = Room::live(&server).await;
    let other = Room::of(&server, room.app.clone()).await;
    let store = server.store();
    let added = room.meeting.participant("ada").await;
    let ada: ParticipantId = added["id"].as_str().unwrap().parse().unwrap();
    let child = MeetingId::random();
    room.record(vec![DomainEvent::ConnectedMeetingsCreated {
        meetings: vec![(child, "child".into())],
        at: s(1),
    }])
    .await;
    let banned = async || {
        let joiner = store.person(room.at.scope.app, room.at.meeting, ada, None).await;
        joiner.unwrap().unwrap().banned
    };
    let ban = DomainEvent::Banned {
        participant: ada,
        at: s(2),
    };
    assert_eq!(other.record(vec![ban.clone()]).await, [false]);
    assert!(!banned().await);
    assert_eq!(room.record(vec![ban.clone(), ban.clone()]).await, [true, false]);
    assert!(banned().await);
    // Added again it is the same participant.
    let again = room.meeting.participant("ada").await;
    assert_eq!(again["id"], added["id"]);
    assert!(banned().await);
    let child_at = MeetingScope {
        meeting: child,
        ..room.at.clone()
    };
    for (at, lifted) in [(&other.at, false), (&child_at, true), (&room.at, false)] {
        let at = at.clone();
        let was = store
            .write(move |conn| Box::pin(async move { rooms::unban(conn, &at, ada).await }))
            .await;
        assert_eq!(was.unwrap(), lifted);
    }
    assert!(!banned().await);
}

async fn peer_ids_are_told_apart(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let mut room = Room::live(&server).await;
    let store = server.store();
    let ada = stay("ada", 0);
    let of = async |at: &MeetingScope, who, peer| store.peer_id_use(at, who, peer).await.unwrap();
    assert_eq!(of(&room.at, ada.participant_id, ada.peer).await, PeerIdUse::Free);
    room.record(vec![room.joined(&ada)]).await;
    assert_eq!(
        of(&room.at, ada.participant_id, ada.peer).await,
        PeerIdUse::Here(ada.record)
    );
    assert_eq!(
        of(&room.at, ParticipantId::random(), ada.peer).await,
        PeerIdUse::Foreign
    );
    room.record(vec![room.ended(5)]).await;
    room.session = SessionId::random();
    room.start(10).await;
    assert_eq!(
        of(&room.at, ada.participant_id, ada.peer).await,
        PeerIdUse::Elsewhere
    );
    let again = Stay {
        record: PeerId::random(),
        joined_at: s(11),
        ..ada.clone()
    };
    assert_eq!(room.record(vec![room.joined(&again)]).await, [true]);
    assert_eq!(
        of(&room.at, ada.participant_id, ada.peer).await,
        PeerIdUse::Here(again.record)
    );
    let other = Room::live(&server).await;
    assert_eq!(
        of(&other.at, ada.participant_id, ada.peer).await,
        PeerIdUse::Elsewhere
    );
}

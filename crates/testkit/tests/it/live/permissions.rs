//! Permissions changed in the room: told to the person, and enforced at once.

use muster_testkit::{Closed, Database, Guest, both};
use muster_wire::{
    event,
    socket::{
        chat::SendChatMessageToRoomRequest,
        preset::{
            self, PresetUpdates, ReadPeersPresetRequest, ReadPeersPresetResponse, UpdatePeerPreset,
            UpdatePeersPresetRequest, UpdatePeersPresetResponse,
        },
        room::RemoveParticipantsRequest,
    },
};
use serde_json::Value;

use super::{Stage, kit::kick_all};

both!(
    a_change_is_told_and_enforced,
    a_change_is_of_the_person_and_lasts_the_session,
    who_may_not_change_permissions_does_not,
    what_makes_somebody_a_recorder_is_never_changed,
    a_right_that_is_given_can_be_used,
    permissions_are_read,
);

fn chat(can_send: bool) -> PresetUpdates {
    PresetUpdates {
        chat: Some(preset::ChatPermissionUpdate {
            public: Some(preset::PublicChatPermission {
                can_send: Some(can_send),
                ..Default::default()
            }),
            private: None,
        }),
        ..Default::default()
    }
}

fn change(user: &str, patch: PresetUpdates) -> UpdatePeersPresetRequest {
    UpdatePeersPresetRequest {
        update_peers_presets: vec![UpdatePeerPreset {
            user_ids: user.to_owned(),
            patch: Some(patch),
        }],
    }
}

fn of(told: &UpdatePeersPresetResponse) -> (&str, &PresetUpdates) {
    assert_eq!(told.update_peers_presets.len(), 1, "{told:?}");
    let one = &told.update_peers_presets[0];
    (&one.user_ids, one.patch.as_ref().unwrap())
}

fn text() -> SendChatMessageToRoomRequest {
    SendChatMessageToRoomRequest {
        payload_type: 0,
        payload: "may I?".to_owned(),
    }
}

async fn a_change_is_told_and_enforced(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    bo.say("hello").await;
    let told: UpdatePeersPresetResponse = ana
        .request(event::UPDATE_USER_PRESET, &change(&bo.user, chat(false)))
        .await;
    assert_eq!(of(&told), (bo.user.as_str(), &chat(false)));
    let told: UpdatePeersPresetResponse = bo.hear(event::UPDATE_USER_PRESET).await;
    assert_eq!(
        of(&told),
        (bo.user.as_str(), &chat(false)),
        "only what was changed"
    );
    assert!(
        !cy.pushed_events().await.contains(&event::UPDATE_USER_PRESET),
        "nobody else's business"
    );
    let why = bo.refused(event::SEND_MESSAGE_TO_ROOM, &text()).await;
    assert!(why.contains("not permitted"), "{why}");
    cy.say("I still may").await;

    ana.request::<UpdatePeersPresetResponse>(event::UPDATE_USER_PRESET, &change(&bo.user, chat(true)))
        .await;
    bo.hear::<UpdatePeersPresetResponse>(event::UPDATE_USER_PRESET)
        .await;
    bo.say("again").await;
}

async fn a_change_is_of_the_person_and_lasts_the_session(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let token = stage.participant("Bo").await;
    let mut bo = Guest::join(&stage.origin(), &token).await;
    let mut tablet = Guest::join(&stage.origin(), &token).await;
    ana.request::<UpdatePeersPresetResponse>(event::UPDATE_USER_PRESET, &change(&bo.user, chat(false)))
        .await;
    for device in [&mut bo, &mut tablet] {
        device
            .hear::<UpdatePeersPresetResponse>(event::UPDATE_USER_PRESET)
            .await;
        device.refused(event::SEND_MESSAGE_TO_ROOM, &text()).await;
    }
    // A device that comes later, and one that comes again, are told what their preset does not say.
    bo.leave().await;
    let mut phone = Guest::join(&stage.origin(), &token).await;
    let told: UpdatePeersPresetResponse = phone.hear(event::UPDATE_USER_PRESET).await;
    assert_eq!(of(&told), (phone.user.as_str(), &chat(false)));
    phone.refused(event::SEND_MESSAGE_TO_ROOM, &text()).await;

    kick_all(&stage).await.expect(200);
    assert_eq!(phone.closed().await, Closed::Code(1000));
    let mut bo = Guest::join(&stage.origin(), &token).await;
    bo.say("a new session").await;
    assert!(!bo.pushed_events().await.contains(&event::UPDATE_USER_PRESET));
}

async fn who_may_not_change_permissions_does_not(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    for whose in [&ana.user.clone(), &bo.user.clone()] {
        let why = bo
            .refused(event::UPDATE_USER_PRESET, &change(whose, chat(false)))
            .await;
        assert!(why.contains("not permitted"), "{why}");
    }
    ana.say("I still may").await;
    // Of somebody who is not there, in this meeting or at all.
    let elsewhere = stage.app.meeting().await.participant("Elsewhere").await;
    let nobody = uuid::Uuid::new_v4().to_string();
    for whose in [elsewhere["id"].as_str().unwrap(), &nobody] {
        let why = ana
            .refused(event::UPDATE_USER_PRESET, &change(whose, chat(false)))
            .await;
        assert_eq!(why, "participant not found");
    }
    // Where one of several cannot be, none is.
    let both = UpdatePeersPresetRequest {
        update_peers_presets: [&bo.user, &nobody]
            .map(|user| UpdatePeerPreset {
                user_ids: user.clone(),
                patch: Some(chat(false)),
            })
            .to_vec(),
    };
    ana.refused(event::UPDATE_USER_PRESET, &both).await;
    bo.say("so may I").await;
}

async fn what_makes_somebody_a_recorder_is_never_changed(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    for patch in [
        PresetUpdates {
            hidden_participant: Some(true),
            ..chat(false)
        },
        PresetUpdates {
            is_recorder: Some(true),
            ..chat(false)
        },
        PresetUpdates {
            recorder_type: Some(1),
            ..chat(false)
        },
    ] {
        ana.refused(event::UPDATE_USER_PRESET, &change(&bo.user, patch))
            .await;
    }
    bo.say("all of a change, or nothing").await;
    assert!(!bo.pushed_events().await.contains(&event::UPDATE_USER_PRESET));
}

async fn a_right_that_is_given_can_be_used(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let kick = RemoveParticipantsRequest {
        peer_ids: vec![cy.peer.clone()],
    };
    let why = bo.refused(event::KICK, &kick).await;
    assert!(why.contains("not permitted"), "{why}");
    let patch = PresetUpdates {
        kick_participant: Some(true),
        ..Default::default()
    };
    ana.request::<UpdatePeersPresetResponse>(event::UPDATE_USER_PRESET, &change(&bo.user, patch))
        .await;
    bo.tell(event::KICK, &kick).await;
    cy.hear_empty(event::KICK).await;
    assert_eq!(cy.closed().await, Closed::Code(1000));
    // Not a right more than that.
    bo.refused(event::UPDATE_USER_PRESET, &change(&ana.user, chat(false)))
        .await;
}

async fn permissions_are_read(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let of = |users: &[&str]| ReadPeersPresetRequest {
        user_ids: users.iter().map(|user| (*user).to_owned()).collect(),
    };
    let told: ReadPeersPresetResponse = ana.request(event::GET_USER_PRESETS, &of(&[&bo.user])).await;
    let one = &told.peer_presets[0];
    assert_eq!((&one.user_id, &one.peer_id), (&bo.user, &bo.peer));
    let read: Value = serde_json::from_slice(&one.preset).unwrap();
    assert_eq!(read["permissions"]["chat"]["public"]["canSend"], true);
    assert_eq!(read["permissions"]["polls"]["canCreate"], false);
    assert_eq!(read["permissions"]["kickParticipant"], false);

    ana.request::<UpdatePeersPresetResponse>(event::UPDATE_USER_PRESET, &change(&bo.user, chat(false)))
        .await;
    let told: ReadPeersPresetResponse = bo.request(event::GET_USER_PRESETS, &of(&[&bo.user])).await;
    let read: Value = serde_json::from_slice(&told.peer_presets[0].preset).unwrap();
    assert_eq!(
        read["permissions"]["chat"]["public"]["canSend"], false,
        "as changed"
    );
    let why = bo.refused(event::GET_USER_PRESETS, &of(&[&ana.user])).await;
    assert!(why.contains("not permitted"), "{why}");
    let nobody = uuid::Uuid::new_v4().to_string();
    ana.refused(event::GET_USER_PRESETS, &of(&[&nobody])).await;
}

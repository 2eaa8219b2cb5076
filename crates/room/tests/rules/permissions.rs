//! Changes of what people may do.

use std::collections::BTreeMap;

use muster_model::{ParticipantId, preset::MediaPermission};
use muster_room::{Event, MediaEffect, MediaKinds, PeerPermissions, PermissionPatch, Refusal, Request};
use serde_json::{Value, json};

use crate::harness::{KEEP_ALIVE, Meeting, Outcome, P, SECOND, participant_id, person, person_who, seed};

fn patch(changes: &[(&str, Value)]) -> PermissionPatch {
    let changes = changes.iter().cloned();
    PermissionPatch(changes.map(|(path, value)| (path.to_owned(), value)).collect())
}

fn no_polls() -> PermissionPatch {
    patch(&[("polls.can_vote", json!(false))])
}

/// Ana may change permissions; Ben and Cleo may not.
fn meeting() -> (Meeting, P, P, P) {
    let mut meeting = Meeting::new();
    let ana = person_who(1, "Ana", |may| may.can_change_participant_permissions = true);
    let ana = meeting.join(&ana);
    let ben = meeting.join(&person_who(2, "Ben", |_| {}));
    let cleo = meeting.join(&person_who(3, "Cleo", |_| {}));
    (meeting, ana, ben, cleo)
}

fn change(meeting: &mut Meeting, who: P, changes: &[(P, PermissionPatch)]) -> Outcome {
    let changes = changes.iter().map(|(whom, patch)| (whom.user, patch.clone()));
    meeting.ask(who, Request::UpdatePermissions(changes.collect()))
}

#[track_caller]
fn read(meeting: &mut Meeting, asker: P, users: &[ParticipantId]) -> Vec<PeerPermissions> {
    match meeting
        .ask(asker, Request::ReadPermissions(users.to_vec()))
        .reply(asker)
    {
        Event::Permissions(found) => found,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn may_vote(meeting: &mut Meeting, asker: P, whom: P) -> Vec<bool> {
    let found = read(meeting, asker, &[whom.user]);
    found.iter().map(|one| one.permissions.polls.can_vote).collect()
}

#[test]
fn changed_for_all_peers_of_a_participant() {
    let (mut meeting, ana, ben, cleo) = meeting();
    let ben_too = meeting.join(&person_who(2, "Ben", |_| {}));
    let ben_outside = meeting.connect(&person_who(2, "Ben", |_| {}));
    assert_eq!(may_vote(&mut meeting, ana, ben), [true; 3]);
    let asked = [
        (ben, no_polls()),
        (cleo, patch(&[("chat.public.text", json!(false))])),
    ];
    let outcome = change(&mut meeting, ana, &asked).granted();
    let event = |which: &[(P, PermissionPatch)]| {
        let list = which.iter().map(|(whom, patch)| (whom.user, patch.clone()));
        Event::PermissionsUpdated(list.collect())
    };
    assert_eq!(outcome.told(ana), [event(&asked)]);
    assert_eq!(outcome.reply(ana), event(&asked));
    for who in [ben, ben_too, ben_outside] {
        assert_eq!(outcome.told(who), [event(&asked[..1])]);
    }
    assert_eq!(outcome.told(cleo), [event(&asked[1..])]);
    assert_eq!(may_vote(&mut meeting, ana, ben), [false; 3]);
    assert_eq!(may_vote(&mut meeting, ana, cleo), [true]);
    let of_cleo = read(&mut meeting, ana, &[cleo.user]);
    assert!(!of_cleo[0].permissions.chat.public.text);
}

#[test]
fn the_asker_is_told_once_of_itself() {
    let (mut meeting, ana, ..) = meeting();
    let other_ana = person_who(1, "Ana", |may| may.can_change_participant_permissions = true);
    let other_ana = meeting.join(&other_ana);
    let outcome = change(&mut meeting, ana, &[(ana, no_polls())]).granted();
    let event = Event::PermissionsUpdated(vec![(ana.user, no_polls())]);
    assert_eq!(outcome.told(ana), std::slice::from_ref(&event));
    assert_eq!(outcome.pushed(other_ana), [event]);
}

#[test]
fn what_hangs_on_them_follows() {
    let (mut meeting, ana, ben, _) = meeting();
    let mute = patch(&[("media.audio.can_produce", json!(MediaPermission::NotAllowed))]);
    let outcome = change(&mut meeting, ana, &[(ben, mute)]).granted();
    let kinds = outcome.media().into_iter().find_map(|effect| match effect {
        MediaEffect::MayProduce { peer, kinds } if peer == ben.id => Some(kinds),
        _ => None,
    });
    assert!(matches!(kinds, Some(MediaKinds { audio: false, .. })));

    let guest = meeting.join(&person_who(5, "Eve", |may| {
        may.waiting_room_type = muster_model::preset::WaitingRoomType::SkipOnAccept;
    }));
    let lets_in = patch(&[("accept_waiting_requests", json!(true))]);
    let outcome = change(&mut meeting, ana, &[(ben, lets_in)]).granted();
    let waiting = outcome.told(ben).into_iter().any(
        |event| matches!(event, Event::WaitingRequests(who) if who.len() == 1 && who[0].peer == guest.id),
    );
    assert!(waiting);
    meeting
        .ask(ben, Request::AcceptWaiting(vec![guest.user]))
        .granted();
}

#[test]
fn optional_ones_may_be_set() {
    let (mut meeting, ana, ben, _) = meeting();
    let set = patch(&[
        ("stage_access", json!("CAN_REQUEST")),
        ("media.video.can_consume", json!("NOT_ALLOWED")),
    ]);
    change(&mut meeting, ana, &[(ben, set)]).granted();
    let now = read(&mut meeting, ana, &[ben.user]).remove(0).permissions;
    assert_eq!(now.stage_access, Some(MediaPermission::CanRequest));
    assert_eq!(now.media.video.can_consume, Some(MediaPermission::NotAllowed));
}

#[test]
fn all_or_nothing() {
    let (mut meeting, ana, ben, cleo) = meeting();
    let long = "x".repeat(65);
    for (path, value) in [
        ("", json!(true)),
        ("polls", json!(true)),
        (
            "polls",
            json!({"can_create": true, "can_vote": true, "can_view": true}),
        ),
        ("polls.can_fly", json!(true)),
        ("polls.can_vote.deeper", json!(true)),
        ("polls.can_vote", json!("yes")),
        ("polls.can_vote", json!(null)),
        ("polls.can_vote", json!([])),
        ("nowhere.stage_access", json!("ALLOWED")),
        ("waiting_room_type", json!("SOMETIMES")),
        ("waiting_room_type", json!(long)),
        ("track_recording", json!(true)),
        ("hidden_participant", json!(true)),
        ("is_recorder", json!(true)),
        ("recorder_type", json!("RECORDER")),
    ] {
        let asked = [(ben, no_polls()), (cleo, patch(&[(path, value.clone())]))];
        let outcome = change(&mut meeting, ana, &asked);
        assert!(
            matches!(outcome.refusal(ana), Refusal::Invalid(_)),
            "{path} = {value}"
        );
        assert_eq!(outcome.0.len(), 1, "{path} = {value}");
        assert_eq!(may_vote(&mut meeting, ana, ben), [true], "{path} = {value}");
    }
    let stranger = (participant_id(9), no_polls());
    let asked = vec![(ben.user, no_polls()), stranger];
    let outcome = meeting.ask(ana, Request::UpdatePermissions(asked));
    assert_eq!(outcome.refusal(ana), Refusal::NotFound("participant"));
    assert_eq!(may_vote(&mut meeting, ana, ben), [true]);
}

#[test]
fn only_with_the_right() {
    let (mut meeting, ana, ben, cleo) = meeting();
    let outcome = change(&mut meeting, ben, &[(ben, no_polls())]);
    assert_eq!(outcome.refusal(ben), Refusal::NotPermitted("change permissions"));
    for users in [vec![cleo.user], vec![ben.user, cleo.user]] {
        let outcome = meeting.ask(ben, Request::ReadPermissions(users));
        assert_eq!(
            outcome.refusal(ben),
            Refusal::NotPermitted("read the permissions of others")
        );
    }
    let own = read(&mut meeting, ben, &[ben.user]);
    assert_eq!((own.len(), own[0].peer), (1, ben.id));
    let outcome = meeting.ask(ana, Request::ReadPermissions(vec![participant_id(9)]));
    assert_eq!(outcome.refusal(ana), Refusal::NotFound("participant"));

    // One that was given the right has it.
    let right = patch(&[("can_change_participant_permissions", json!(true))]);
    change(&mut meeting, ana, &[(ben, right)]).granted();
    change(&mut meeting, ben, &[(cleo, no_polls())]).granted();
    assert_eq!(may_vote(&mut meeting, ben, cleo), [false]);

    let outside = meeting.connect(&person_who(1, "Ana", |may| {
        may.can_change_participant_permissions = true;
    }));
    for request in [
        Request::UpdatePermissions(vec![(ben.user, no_polls())]),
        Request::ReadPermissions(vec![outside.user]),
    ] {
        assert_eq!(meeting.ask(outside, request).refusal(outside), Refusal::NotJoined);
    }
}

#[test]
fn later_peers_have_them_and_are_told() {
    let (mut meeting, ana, ben, _) = meeting();
    change(&mut meeting, ana, &[(ben, no_polls())]).granted();
    let no_text = patch(&[("chat.public.text", json!(false))]);
    change(&mut meeting, ana, &[(ben, no_text.clone())]).granted();
    let mut both = no_polls();
    both.0.extend(no_text.0);
    let told = Event::PermissionsUpdated(vec![(ben.user, both)]);

    let who = person_who(2, "Ben", |_| {});
    meeting.lose(ben);
    let (ben, outcome) = meeting.reconnect(ben, &who);
    assert_eq!(outcome.told(ben), std::slice::from_ref(&told));
    meeting.leave(ben);

    let later = meeting.connect(&who);
    let outcome = meeting.ask(later, Request::Join { display_name: None });
    assert_eq!(outcome.pushed(later), [told]);
    assert_eq!(may_vote(&mut meeting, ana, later), [false]);

    // With another preset, what it has in common counts.
    let other = meeting.join(&person(2, "Ben", &seed("webinar_viewer")));
    let all = read(&mut meeting, ana, &[other.user]);
    assert!(all.iter().all(|one| !one.permissions.polls.can_vote));
}

#[test]
fn forgotten_with_the_session() {
    let (mut meeting, ana, ben, cleo) = meeting();
    let who = person_who(2, "Ben", |_| {});
    let outside = meeting.connect(&who);
    change(&mut meeting, ana, &[(ben, no_polls())]).granted();
    for one in [ana, ben, cleo] {
        meeting.leave(one);
    }
    meeting.pass(KEEP_ALIVE + SECOND);
    assert_eq!(meeting.room.session(), None);
    meeting
        .ask(outside, Request::Join { display_name: None })
        .granted();
    assert_eq!(may_vote(&mut meeting, outside, outside), [true]);
    let later = meeting.join(&who);
    assert_eq!(may_vote(&mut meeting, later, later), [true, true]);
}

#[test]
fn not_too_often() {
    let (mut meeting, ana, ben, _) = meeting();
    for _ in 0..1000 {
        change(&mut meeting, ana, &[(ben, PermissionPatch(BTreeMap::new()))]).granted();
    }
    let outcome = change(&mut meeting, ana, &[(ben, no_polls())]);
    assert_eq!(outcome.refusal(ana), Refusal::TooMany);
}

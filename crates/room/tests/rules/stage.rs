//! The stage.

use muster_model::preset::{MediaPermission, PresetBody};
use muster_room::{Event, MediaEffect, MediaKinds, Refusal, Request, Stage, StageRequest};

use crate::harness::{Meeting, P, person, person_who, seed};

fn status(who: P, stage: Stage) -> Event {
    Event::StageStatus {
        peer: who.id,
        participant: who.user,
        stage,
    }
}

fn rights(who: P, kinds: MediaKinds) -> MediaEffect {
    MediaEffect::MayProduce { peer: who.id, kinds }
}

const NONE: MediaKinds = MediaKinds {
    audio: false,
    video: false,
    screenshare: false,
};

/// Where a peer is after coming in.
fn first_stage(preset: &PresetBody) -> (Stage, MediaKinds) {
    let mut meeting = Meeting::new();
    let who = meeting.connect(&person(1, "Ana", preset));
    let outcome = meeting.ask(who, Request::Join { display_name: None });
    let Event::PeerJoined(view) = outcome.reply(who) else {
        panic!()
    };
    let kinds = outcome.media().iter().find_map(|effect| match effect {
        MediaEffect::MayProduce { kinds, .. } => Some(*kinds),
        _ => None,
    });
    (
        view.stage,
        kinds.unwrap_or_else(|| panic!("the media engine is not told")),
    )
}

/// A webinar with a presenter and a viewer.
fn webinar() -> (Meeting, P, P) {
    let mut meeting = Meeting::new();
    let host = meeting.join_seed(1, "Ana", "webinar_presenter");
    let viewer = meeting.join_seed(2, "Ben", "webinar_viewer");
    (meeting, host, viewer)
}

#[test]
fn where_one_begins() {
    let no_screen = MediaKinds {
        screenshare: false,
        ..MediaKinds::ALL
    };
    for (name, stage, kinds) in [
        ("group_call_host", Stage::On, MediaKinds::ALL),
        ("group_call_guest", Stage::On, no_screen),
        ("webinar_presenter", Stage::On, MediaKinds::ALL),
        ("webinar_viewer", Stage::Off, NONE),
        ("livestream_host", Stage::On, MediaKinds::ALL),
        ("livestream_viewer", Stage::Off, NONE),
    ] {
        let mut preset = seed(name);
        preset.permissions.waiting_room_type = muster_model::preset::WaitingRoomType::Skip;
        assert_eq!(first_stage(&preset), (stage, kinds), "{name}");
    }
}

#[test]
fn access_is_derived_from_media_where_the_preset_does_not_say() {
    use MediaPermission::{Allowed, CanRequest, NotAllowed};
    let derived = |produce: [MediaPermission; 3]| {
        let mut preset = seed("webinar_viewer");
        preset.permissions.stage_access = None;
        let [audio, video, screenshare] = produce;
        preset.permissions.media =
            muster_model::preset::MediaPermissions::producing(audio, video, screenshare);
        let (stage, _) = first_stage(&preset);
        let mut meeting = Meeting::new();
        let who = meeting.join(&person(1, "Ana", &preset));
        let may_ask = !meeting
            .ask(who, Request::RequestStage)
            .0
            .iter()
            .any(|effect| matches!(effect, muster_room::Effect::Refuse { .. }));
        (stage, may_ask)
    };
    assert_eq!(derived([NotAllowed, Allowed, CanRequest]), (Stage::On, true));
    assert_eq!(derived([NotAllowed, CanRequest, NotAllowed]), (Stage::Off, true));
    assert_eq!(derived([NotAllowed; 3]), (Stage::Off, false));
}

#[test]
fn asking_granting_stepping_on_and_off() {
    let (mut meeting, host, viewer) = webinar();
    let other = meeting.join_seed(3, "Cleo", "webinar_viewer");

    let outcome = meeting.ask(viewer, Request::RequestStage).granted();
    let asks = vec![StageRequest {
        peer: viewer.id,
        participant: viewer.user,
        display_name: "Ben".into(),
    }];
    let requested = status(viewer, Stage::Requested);
    assert_eq!(
        outcome.told(host),
        [requested.clone(), Event::StageRequests(asks.clone())]
    );
    // The client of one who may not accept requests fails on the list of them.
    assert_eq!(outcome.told(other), std::slice::from_ref(&requested));
    assert_eq!(outcome.told(viewer), [requested]);
    assert!(meeting.ask(viewer, Request::RequestStage).is_nothing());
    assert_eq!(
        meeting.ask(host, Request::StageRequests).reply(host),
        Event::StageRequests(asks)
    );
    assert!(matches!(
        meeting.ask(viewer, Request::JoinStage).refusal(viewer),
        Refusal::NotPermitted(_)
    ));

    let outcome = meeting
        .ask(host, Request::GrantStage(vec![viewer.user]))
        .granted();
    assert_eq!(outcome.told(viewer), [Event::StageGranted]);
    assert_eq!(outcome.told(other), [status(viewer, Stage::Approved)]);
    assert_eq!(
        outcome.told(host),
        [status(viewer, Stage::Approved), Event::StageRequests(vec![])]
    );
    assert_eq!(outcome.media(), [rights(viewer, MediaKinds::ALL)]);

    let outcome = meeting.ask(viewer, Request::JoinStage).granted();
    assert_eq!(outcome.reply(viewer), status(viewer, Stage::On));
    assert!(outcome.pushed(viewer).is_empty());
    assert_eq!(outcome.told(other), [status(viewer, Stage::On)]);
    // Once more: the same reply, no news.
    let outcome = meeting.ask(viewer, Request::JoinStage).granted();
    assert_eq!(outcome.reply(viewer), status(viewer, Stage::On));
    assert!(outcome.told(other).is_empty());

    let outcome = meeting
        .ask(viewer, Request::LeaveStage(vec![viewer.user]))
        .granted();
    assert_eq!(outcome.reply(viewer), status(viewer, Stage::Off));
    assert!(outcome.pushed(viewer).is_empty());
    assert_eq!(outcome.told(host), [status(viewer, Stage::Off)]);
    assert_eq!(outcome.media(), [rights(viewer, NONE)]);
    assert!(matches!(
        meeting.ask(viewer, Request::JoinStage).refusal(viewer),
        Refusal::NotPermitted(_)
    ));
}

#[test]
fn a_request_can_be_taken_back_or_refused() {
    let (mut meeting, host, viewer) = webinar();
    let other = meeting.join_seed(3, "Cleo", "webinar_viewer");
    meeting.ask(viewer, Request::RequestStage);
    let outcome = meeting.ask(viewer, Request::CancelStageRequest).granted();
    let off = status(viewer, Stage::Off);
    assert_eq!(outcome.told(host), [off.clone(), Event::StageRequests(vec![])]);
    assert_eq!(outcome.told(viewer), std::slice::from_ref(&off));
    assert!(meeting.ask(viewer, Request::CancelStageRequest).is_nothing());

    meeting.ask(viewer, Request::RequestStage);
    let outcome = meeting.ask(host, Request::DenyStage(vec![viewer.user])).granted();
    assert_eq!(outcome.told(viewer), [Event::StageDenied]);
    assert_eq!(outcome.told(other), std::slice::from_ref(&off));
    assert_eq!(outcome.told(host), [off, Event::StageRequests(vec![])]);
    assert!(
        meeting
            .ask(host, Request::DenyStage(vec![viewer.user]))
            .is_nothing()
    );

    // The request of one who goes is gone.
    meeting.ask(viewer, Request::RequestStage);
    let outcome = meeting.leave(viewer);
    assert!(outcome.told(host).contains(&Event::StageRequests(vec![])));
    assert!(!outcome.told(other).contains(&Event::StageRequests(vec![])));
}

#[test]
fn viewers_can_be_invited_and_the_invitation_taken_back() {
    let (mut meeting, host, viewer) = webinar();
    let outcome = meeting
        .ask(host, Request::GrantStage(vec![viewer.user]))
        .granted();
    assert_eq!(outcome.told(viewer), [Event::StageGranted]);
    // Nobody asked: the list of requests did not change.
    assert_eq!(outcome.told(host), [status(viewer, Stage::Approved)]);
    let outcome = meeting.ask(host, Request::DenyStage(vec![viewer.user])).granted();
    assert_eq!(outcome.told(viewer), [Event::StageDenied]);
    assert_eq!(outcome.media(), [rights(viewer, NONE)]);
}

#[test]
fn hosts_take_others_off_stage() {
    let (mut meeting, host, viewer) = webinar();
    meeting.ask(host, Request::GrantStage(vec![viewer.user]));
    meeting.ask(viewer, Request::JoinStage);
    assert!(matches!(
        meeting
            .ask(viewer, Request::LeaveStage(vec![host.user]))
            .refusal(viewer),
        Refusal::NotPermitted(_)
    ));
    let outcome = meeting
        .ask(host, Request::LeaveStage(vec![viewer.user]))
        .granted();
    let off = status(viewer, Stage::Off);
    assert_eq!(outcome.reply(host), Event::StageLeft);
    assert_eq!(outcome.told(viewer), std::slice::from_ref(&off));
    assert_eq!(outcome.pushed(host), std::slice::from_ref(&off));
    assert_eq!(outcome.media(), [rights(viewer, NONE)]);
    // Its client then leaves by itself, which is no news.
    let outcome = meeting
        .ask(viewer, Request::LeaveStage(vec![viewer.user]))
        .granted();
    assert_eq!(outcome.reply(viewer), off);
    assert!(outcome.told(host).is_empty());
}

#[test]
fn who_may_go_on_stage_comes_and_goes_at_will() {
    let (mut meeting, host, viewer) = webinar();
    let outcome = meeting.ask(host, Request::LeaveStage(vec![])).granted();
    assert_eq!(outcome.reply(host), status(host, Stage::Off));
    assert_eq!(outcome.media(), [rights(host, NONE)]);
    assert!(meeting.ask(host, Request::RequestStage).is_nothing());
    // The client of such a one does not listen to a grant.
    assert!(
        meeting
            .ask(host, Request::GrantStage(vec![host.user]))
            .is_nothing()
    );
    let outcome = meeting.ask(host, Request::JoinStage).granted();
    assert_eq!(outcome.told(viewer), [status(host, Stage::On)]);
    assert_eq!(outcome.media(), [rights(host, MediaKinds::ALL)]);
}

#[test]
fn handling_requests_needs_permission_by_either_name() {
    for (new, old) in [(true, false), (false, true)] {
        let mut meeting = Meeting::new();
        let host = meeting.join(&person_who(1, "Ana", |may| {
            may.accept_stage_requests = new;
            may.can_accept_production_requests = old;
        }));
        let viewer = meeting.join_seed(2, "Ben", "webinar_viewer");
        meeting.ask(viewer, Request::RequestStage).granted();
        meeting
            .ask(host, Request::GrantStage(vec![viewer.user]))
            .granted();
        for request in [
            Request::StageRequests,
            Request::GrantStage(vec![viewer.user]),
            Request::DenyStage(vec![viewer.user]),
        ] {
            assert!(matches!(
                meeting.ask(viewer, request).refusal(viewer),
                Refusal::NotPermitted(_)
            ));
        }
    }
}

#[test]
fn in_a_group_call_everybody_is_always_on_stage() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    assert!(matches!(
        meeting.ask(ben, Request::LeaveStage(vec![ben.user])).refusal(ben),
        Refusal::Invalid(_)
    ));
    let outcome = meeting.ask(ana, Request::LeaveStage(vec![ben.user])).granted();
    assert!(outcome.told(ben).is_empty());
    assert!(meeting.ask(ana, Request::DenyStage(vec![ben.user])).is_nothing());
    assert_eq!(
        meeting.ask(ben, Request::JoinStage).reply(ben),
        status(ben, Stage::On)
    );
    let Event::PeerInfo(view) = meeting.ask(ana, Request::PeerInfo(ben.id)).reply(ana) else {
        panic!()
    };
    assert_eq!(view.stage, Stage::On);
}

#[test]
fn the_place_on_stage_survives_a_reconnection() {
    let mut meeting = Meeting::new();
    let host = meeting.join_seed(1, "Ana", "webinar_presenter");
    let viewing = person(2, "Ben", &seed("webinar_viewer"));
    let viewer = meeting.join(&viewing);
    meeting.ask(host, Request::GrantStage(vec![viewer.user]));
    meeting.ask(viewer, Request::JoinStage);
    meeting.lose(viewer);
    let (viewer, outcome) = meeting.reconnect(viewer, &viewing);
    assert!(outcome.media().contains(&rights(viewer, MediaKinds::ALL)));
    let outcome = meeting.ask(viewer, Request::Join { display_name: None });
    let Event::PeerJoined(view) = outcome.reply(viewer) else {
        panic!()
    };
    assert_eq!(view.stage, Stage::On);
}

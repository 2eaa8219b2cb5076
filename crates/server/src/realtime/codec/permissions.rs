//! Changes of permissions: the fields of `PresetUpdates` on the wire, dotted paths in the room.

use muster_room::PermissionPatch;
use muster_wire::socket::{preset, room};
use serde_json::{Map, Value, json};

use super::decode::DecodeError;

/// Fields that are booleans on both sides, by the message that holds them.
macro_rules! flags {
    ($visit:ident, $message:expr, $prefix:literal, [$($field:ident),* $(,)?]) => {
        $($visit(concat!($prefix, stringify!($field)), $message.$field.map(Value::from));)*
    };
}

/// What the client wants changed.
pub(super) fn patch(updates: &preset::PresetUpdates) -> Result<PermissionPatch, DecodeError> {
    let mut patch = PermissionPatch::default();
    let mut set = |path: &str, value: Option<Value>| {
        if let Some(value) = value {
            patch.0.insert(path.to_owned(), value);
        }
    };
    flags!(
        set,
        updates,
        "",
        [
            accept_waiting_requests,
            can_accept_production_requests,
            can_edit_display_name,
            can_record,
            can_livestream,
            can_spotlight,
            disable_participant_audio,
            disable_participant_screensharing,
            disable_participant_video,
            kick_participant,
            pin_participant,
            transcription_enabled,
            is_recorder,
            hidden_participant,
            show_participant_list,
            can_change_participant_permissions,
        ]
    );
    if let Some(polls) = &updates.polls {
        flags!(set, polls, "polls.", [can_create, can_vote, can_view]);
    }
    if let Some(plugins) = &updates.plugins {
        flags!(set, plugins, "plugins.", [can_close, can_start]);
    }
    if let Some(chat) = &updates.chat {
        if let Some(public) = &chat.public {
            flags!(set, public, "chat.public.", [can_send, text, files]);
        }
        if let Some(private) = &chat.private {
            flags!(
                set,
                private,
                "chat.private.",
                [can_send, can_receive, text, files]
            );
        }
    }
    if let Some(connected) = &updates.connected_meetings {
        flags!(
            set,
            connected,
            "connected_meetings.",
            [
                can_alter_connected_meetings,
                can_switch_to_parent_meeting,
                can_switch_connected_meetings,
            ]
        );
    }
    if let Some(media) = &updates.media {
        for (path, stream) in [
            ("media.audio.can_produce", &media.audio),
            ("media.video.can_produce", &media.video),
            ("media.screenshare.can_produce", &media.screenshare),
        ] {
            set(
                path,
                stream.as_ref().and_then(|stream| stream_word(stream.can_produce)),
            );
        }
    }
    if let Some(kind) = updates.waiting_room_type {
        let kind =
            preset::WaitingRoomType::try_from(kind).map_err(|_| DecodeError::Invalid("waiting_room_type"))?;
        set("waiting_room_type", waiting_word(kind).map(Value::from));
    }
    if let Some(kind) = updates.recorder_type {
        let kind = room::RecorderType::try_from(kind).map_err(|_| DecodeError::Invalid("recorder_type"))?;
        set("recorder_type", Some(json!(recorder_word(kind))));
    }
    Ok(patch)
}

/// None (0) leaves things as they are: the client itself takes it for nothing.
fn stream_word(kind: Option<i32>) -> Option<Value> {
    use preset::StreamPermissionType as T;
    let word = match T::try_from(kind?).ok()? {
        T::None => return None,
        T::Allowed => "ALLOWED",
        T::NotAllowed => "NOT_ALLOWED",
        T::CanRequest => "CAN_REQUEST",
    };
    Some(json!(word))
}

fn waiting_word(kind: preset::WaitingRoomType) -> Option<&'static str> {
    use preset::WaitingRoomType as T;
    match kind {
        T::None => None,
        T::Skip => Some("SKIP"),
        T::OnPrivilegedUserEntry => Some("ON_PRIVILEGED_USER_ENTRY"),
        T::SkipOnAccept => Some("SKIP_ON_ACCEPT"),
    }
}

const fn recorder_word(kind: room::RecorderType) -> &'static str {
    match kind {
        room::RecorderType::None => "NONE",
        room::RecorderType::Recorder => "RECORDER",
        room::RecorderType::Livestreamer => "LIVESTREAMER",
    }
}

/// What clients are told was changed.
pub(super) fn updates(patch: &PermissionPatch) -> preset::PresetUpdates {
    let flag = |path: &str| patch.0.get(path).and_then(Value::as_bool);
    let stream = |path: &str| {
        use preset::StreamPermissionType as T;
        let kind = match patch.0.get(path)?.as_str()? {
            "ALLOWED" => T::Allowed,
            "NOT_ALLOWED" => T::NotAllowed,
            "CAN_REQUEST" => T::CanRequest,
            _ => return None,
        };
        Some(preset::StreamPermission {
            can_produce: Some(kind.into()),
            can_consume: None,
        })
    };
    let touches = |prefix: &str| patch.0.keys().any(|path| path.starts_with(prefix));
    let word = |path: &str| patch.0.get(path).and_then(Value::as_str);
    preset::PresetUpdates {
        polls: touches("polls.").then(|| preset::PollsPermissionUpdate {
            can_create: flag("polls.can_create"),
            can_vote: flag("polls.can_vote"),
            can_view: flag("polls.can_view"),
        }),
        plugins: touches("plugins.").then(|| preset::PluginsPermissionsUpdate {
            can_close: flag("plugins.can_close"),
            can_start: flag("plugins.can_start"),
        }),
        chat: touches("chat.").then(|| preset::ChatPermissionUpdate {
            public: touches("chat.public.").then(|| preset::PublicChatPermission {
                can_send: flag("chat.public.can_send"),
                text: flag("chat.public.text"),
                files: flag("chat.public.files"),
            }),
            private: touches("chat.private.").then(|| preset::PrivateChatPermission {
                can_send: flag("chat.private.can_send"),
                can_receive: flag("chat.private.can_receive"),
                text: flag("chat.private.text"),
                files: flag("chat.private.files"),
            }),
        }),
        accept_waiting_requests: flag("accept_waiting_requests"),
        can_accept_production_requests: flag("can_accept_production_requests"),
        can_edit_display_name: flag("can_edit_display_name"),
        can_record: flag("can_record"),
        can_livestream: flag("can_livestream"),
        can_spotlight: flag("can_spotlight"),
        disable_participant_audio: flag("disable_participant_audio"),
        disable_participant_screensharing: flag("disable_participant_screensharing"),
        disable_participant_video: flag("disable_participant_video"),
        kick_participant: flag("kick_participant"),
        pin_participant: flag("pin_participant"),
        transcription_enabled: flag("transcription_enabled"),
        waiting_room_type: word("waiting_room_type").and_then(|word| {
            (1..=3).find(|kind| {
                preset::WaitingRoomType::try_from(*kind)
                    .ok()
                    .and_then(waiting_word)
                    == Some(word)
            })
        }),
        is_recorder: flag("is_recorder"),
        recorder_type: word("recorder_type").and_then(|word| {
            (0..=2).find(|kind| room::RecorderType::try_from(*kind).ok().map(recorder_word) == Some(word))
        }),
        hidden_participant: flag("hidden_participant"),
        show_participant_list: flag("show_participant_list"),
        can_change_participant_permissions: flag("can_change_participant_permissions"),
        connected_meetings: touches("connected_meetings.").then(|| {
            preset::ConnectedMeetingPermissionUpdate {
                can_alter_connected_meetings: flag("connected_meetings.can_alter_connected_meetings"),
                can_switch_to_parent_meeting: flag("connected_meetings.can_switch_to_parent_meeting"),
                can_switch_connected_meetings: flag("connected_meetings.can_switch_connected_meetings"),
            }
        }),
        media: touches("media.").then(|| preset::MediaPermissionUpdate {
            video: stream("media.video.can_produce"),
            audio: stream("media.audio.can_produce"),
            screenshare: stream("media.screenshare.can_produce"),
        }),
    }
}

/// Permissions as JSON with the client's own spelling of names: `canSend` for `can_send`. Ids of plugins
/// are no names and stay.
pub(super) fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (camel(&name), camel_case(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

#[cfg(test)]
mod tests {
    use muster_model::preset::Permissions;

    use super::*;

    #[test]
    fn every_path_is_one_of_the_permissions() {
        let known = serde_json::to_value(Permissions::default()).unwrap();
        let patch = patch(&everything()).unwrap();
        assert_eq!(patch.0.len(), 36);
        for (path, value) in &patch.0 {
            let mut at = &known;
            for name in path.split('.') {
                at = &at[name];
            }
            assert_eq!(
                std::mem::discriminant(at),
                std::mem::discriminant(value),
                "{path}: {at} {value}"
            );
        }
    }

    #[test]
    fn what_is_read_is_told_again() {
        let all = everything();
        assert_eq!(updates(&patch(&all).unwrap()), all);
        assert_eq!(
            updates(&PermissionPatch::default()),
            preset::PresetUpdates::default()
        );
    }

    #[test]
    fn a_stream_type_of_zero_changes_nothing() {
        let updates = preset::PresetUpdates {
            media: Some(preset::MediaPermissionUpdate {
                audio: Some(preset::StreamPermission {
                    can_produce: Some(0),
                    can_consume: None,
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert!(patch(&updates).unwrap().0.is_empty());
    }

    #[test]
    fn names_are_spelt_as_the_client_does() {
        let plugin = "6f0e7a6c-1b2c-4d5e-8f90-a1b2c3d4e5f6";
        let value = json!({"chat": {"public": {"can_send": true}}, "plugins": {"config": {plugin: {"access_control": 1}}}});
        let told = camel_case(value);
        assert_eq!(told["chat"]["public"]["canSend"], true);
        assert_eq!(told["plugins"]["config"][plugin]["accessControl"], 1);
    }

    fn everything() -> preset::PresetUpdates {
        let stream = |kind| {
            Some(preset::StreamPermission {
                can_produce: Some(kind),
                can_consume: None,
            })
        };
        let yes = Some(true);
        let no = Some(false);
        preset::PresetUpdates {
            polls: Some(preset::PollsPermissionUpdate {
                can_create: yes,
                can_vote: no,
                can_view: yes,
            }),
            plugins: Some(preset::PluginsPermissionsUpdate {
                can_close: yes,
                can_start: no,
            }),
            chat: Some(preset::ChatPermissionUpdate {
                public: Some(preset::PublicChatPermission {
                    can_send: yes,
                    text: no,
                    files: yes,
                }),
                private: Some(preset::PrivateChatPermission {
                    can_send: no,
                    can_receive: yes,
                    text: yes,
                    files: no,
                }),
            }),
            accept_waiting_requests: yes,
            can_accept_production_requests: no,
            can_edit_display_name: yes,
            can_record: no,
            can_livestream: yes,
            can_spotlight: no,
            disable_participant_audio: yes,
            disable_participant_screensharing: no,
            disable_participant_video: yes,
            kick_participant: no,
            pin_participant: yes,
            transcription_enabled: no,
            waiting_room_type: Some(2),
            is_recorder: no,
            recorder_type: Some(1),
            hidden_participant: no,
            show_participant_list: yes,
            can_change_participant_permissions: no,
            connected_meetings: Some(preset::ConnectedMeetingPermissionUpdate {
                can_alter_connected_meetings: yes,
                can_switch_to_parent_meeting: no,
                can_switch_connected_meetings: yes,
            }),
            media: Some(preset::MediaPermissionUpdate {
                video: stream(1),
                audio: stream(2),
                screenshare: stream(3),
            }),
        }
    }
}

//! The presets that every new app begins with.

use super::{
    ChatPermissions,
    MediaPermission::{self, Allowed, CanRequest, NotAllowed},
    MediaPermissions, Permissions, PluginPermissions, PollPermissions, PresetBody, PresetConfig,
    PrivateChatPermissions,
    ViewType::{self, GroupCall, Livestream, Webinar},
    WaitingRoomType::{self, Skip, SkipOnAccept},
};

/// A role: what tells one of the first presets from another.
struct Role {
    name: &'static str,
    view_type: ViewType,
    /// Microphone, camera and screen.
    produce: [MediaPermission; 3],
    /// Whether it moderates, records, streams, asks and opens plugins.
    host: bool,
    /// Who may go on stage, where there is one.
    stage: Option<MediaPermission>,
    waiting_room: WaitingRoomType,
}

#[rustfmt::skip]
const ROLES: [Role; 7] = [
    Role { name: "group_call_host", view_type: GroupCall, produce: [Allowed; 3], host: true, stage: None, waiting_room: Skip },
    Role { name: "group_call_participant", view_type: GroupCall, produce: [Allowed; 3], host: false, stage: None, waiting_room: Skip },
    Role { name: "group_call_guest", view_type: GroupCall, produce: [Allowed, Allowed, NotAllowed], host: false, stage: None, waiting_room: SkipOnAccept },
    Role { name: "webinar_presenter", view_type: Webinar, produce: [Allowed; 3], host: true, stage: Some(Allowed), waiting_room: Skip },
    Role { name: "webinar_viewer", view_type: Webinar, produce: [CanRequest; 3], host: false, stage: Some(CanRequest), waiting_room: Skip },
    Role { name: "livestream_host", view_type: Livestream, produce: [Allowed; 3], host: true, stage: Some(Allowed), waiting_room: Skip },
    Role { name: "livestream_viewer", view_type: Livestream, produce: [NotAllowed; 3], host: false, stage: Some(CanRequest), waiting_room: Skip },
];

impl Role {
    fn preset(&self) -> PresetBody {
        PresetBody {
            config: PresetConfig {
                view_type: self.view_type,
                ..PresetConfig::default()
            },
            permissions: self.permissions(),
            ..PresetBody::named(self.name)
        }
    }

    fn permissions(&self) -> Permissions {
        let host = self.host;
        let [audio, video, screenshare] = self.produce;
        Permissions {
            accept_waiting_requests: host,
            accept_stage_requests: host,
            can_accept_production_requests: host,
            can_change_participant_permissions: host,
            can_livestream: host,
            can_record: host,
            can_spotlight: host,
            disable_participant_audio: host,
            disable_participant_screensharing: host,
            disable_participant_video: host,
            kick_participant: host,
            pin_participant: host,
            stage_enabled: self.stage.is_some(),
            stage_access: self.stage,
            waiting_room_type: self.waiting_room,
            media: MediaPermissions::producing(audio, video, screenshare),
            chat: ChatPermissions {
                private: PrivateChatPermissions {
                    can_send: host,
                    can_receive: host,
                    text: host,
                    files: host,
                },
                ..ChatPermissions::default()
            },
            polls: PollPermissions {
                can_create: host,
                ..PollPermissions::default()
            },
            plugins: PluginPermissions {
                can_close: host,
                can_start: host,
                ..PluginPermissions::default()
            },
            ..Permissions::default()
        }
    }
}

impl PresetBody {
    /// The presets every new app has.
    pub fn seeds() -> Vec<Self> {
        ROLES.iter().map(Role::preset).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_roles_with_their_rights() {
        let seeds = PresetBody::seeds();
        let names: Vec<&str> = seeds.iter().map(|seed| seed.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "group_call_host",
                "group_call_participant",
                "group_call_guest",
                "webinar_presenter",
                "webinar_viewer",
                "livestream_host",
                "livestream_viewer",
            ]
        );
        for seed in &seeds {
            let may = &seed.permissions;
            let host = ["group_call_host", "webinar_presenter", "livestream_host"].contains(&&*seed.name);
            assert_eq!(may.kick_participant, host, "{}", seed.name);
            assert_eq!(may.can_accept_production_requests, host, "{}", seed.name);
            assert_eq!(
                (may.can_record, may.can_livestream),
                (host, host),
                "{}",
                seed.name
            );
            assert_eq!(may.chat.private.can_send, host, "{}", seed.name);
            assert!(may.chat.public.can_send && may.polls.can_vote && may.show_participant_list);
            assert!(!may.hidden_participant);
            let staged = !seed.name.starts_with("group_call");
            assert_eq!(may.stage_enabled, staged, "{}", seed.name);
            assert_eq!(may.stage_access.is_some(), staged, "{}", seed.name);
        }
        let guest = &seeds[2].permissions;
        assert_eq!(guest.waiting_room_type, SkipOnAccept);
        assert_eq!(guest.media.screenshare.can_produce, NotAllowed);
        assert_eq!(seeds[4].permissions.media.audio.can_produce, CanRequest);
        assert_eq!(seeds[6].permissions.media.audio.can_produce, NotAllowed);
    }
}

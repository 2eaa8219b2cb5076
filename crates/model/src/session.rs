//! Sessions: the stretches of time in which meetings were live, and who was there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AppId, MeetingId, ParticipantId, PeerId, SessionId, Timestamp};

/// Declares an enumeration whose words are the same in answers and in the store.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),*
        }

        impl $name {
            /// Every word, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// As in answers and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Whether a session goes on.
    SessionStatus {
        /// It does.
        Live = "LIVE",
        /// It is over.
        Ended = "ENDED",
    }
}

words! {
    /// What a session was for.
    SessionKind {
        /// People meeting.
        Meeting = "meeting",
        /// A livestream.
        Livestream = "livestream",
        /// In the published contract; never made here.
        Participant = "participant",
    }
}

/// One stretch of time in which a meeting was live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The app of its meeting.
    pub app_id: AppId,
    /// Its meeting, which may be gone by now.
    pub meeting_id: MeetingId,
    /// The session this one is a breakout room of.
    pub parent: Option<SessionId>,
    /// What it was for.
    pub kind: SessionKind,
    /// Whether it goes on.
    pub status: SessionStatus,
    /// The meeting's title when it began.
    pub title: Option<String>,
    /// Peers inside.
    pub live_participants: i64,
    /// The most peers there were at once.
    pub max_concurrent_participants: i64,
    /// The stays of all peers added up, in microseconds; of those inside, up to the heartbeat.
    pub connected_micros: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When its room was last known to be alive.
    pub heartbeat_at: Timestamp,
    /// When its record was made.
    pub created_at: Timestamp,
    /// When its record was last changed.
    pub updated_at: Timestamp,
}

/// One connection of a participant to a session. What it says of the participant is as of then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub id: PeerId,
    /// The session.
    pub session_id: SessionId,
    /// The participant, which may be gone by now.
    pub participant_id: ParticipantId,
    /// The caller's own name for the person.
    pub custom_participant_id: String,
    /// Display name.
    pub display_name: Option<String>,
    /// Name of the preset.
    pub preset_name: String,
    /// When it came.
    pub joined_at: Timestamp,
    /// When it went.
    pub left_at: Option<Timestamp>,
    /// The length of the stay in microseconds; of one inside, up to the session's heartbeat.
    pub connected_micros: i64,
    /// When its record was made.
    pub created_at: Timestamp,
    /// When its record was last changed.
    pub updated_at: Timestamp,
}

words! {
    /// What happened to a peer.
    PeerEventName {
        /// Its connection was accepted.
        Created = "PEER_CREATED",
        /// It entered the room.
        Joining = "PEER_JOINING",
        /// It went.
        Leaving = "PEER_LEAVING",
    }
}

words! {
    /// The kind of room a peer saw.
    PeerViewType {
        /// People talking.
        GroupCall = "GROUP_CALL",
        /// A stage and an audience.
        Webinar = "WEBINAR",
        /// Voices only.
        AudioRoom = "AUDIO_ROOM",
        /// A stage and its stream.
        Livestream = "LIVESTREAM",
        /// Text only.
        Chat = "CHAT",
    }
}

/// Something that happened to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerEvent {
    /// Its id, a UUID.
    pub id: String,
    /// The peer.
    pub peer_id: PeerId,
    /// What happened.
    pub name: PeerEventName,
    /// The participant.
    pub participant_id: Option<ParticipantId>,
    /// The session.
    pub session_id: Option<SessionId>,
    /// The connection it came by.
    pub socket_session_id: Option<String>,
    /// The kind of room the peer saw.
    pub preset_view_type: Option<PeerViewType>,
    /// How long the peer had been inside, in microseconds.
    pub connected_micros: Option<i64>,
    /// When it happened.
    pub created_at: Timestamp,
    /// When its record was last changed.
    pub updated_at: Timestamp,
}

/// What a peer's client told of its machine, its network and the quality it saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PeerReport {
    /// Devices, network, events.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
    /// Samples and aggregates for each kind of media.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub quality: Map<String, Value>,
}

words! {
    /// A part of a [`PeerReport`].
    ReportPart {
        /// The machine, the program and the devices.
        DeviceInfo = "device_info",
        /// Where the peer connected from.
        IpInformation = "ip_information",
        /// What was learnt of the network.
        PrecallNetworkInformation = "precall_network_information",
        /// What happened in the client.
        Events = "events",
        /// The quality of the media.
        QualityStats = "quality_stats",
    }
}

impl ReportPart {
    const fn metadata(self) -> &'static [&'static str] {
        match self {
            Self::DeviceInfo => &[
                "device_info",
                "browser_metadata",
                "native_metadata",
                "sdk_name",
                "sdk_type",
                "sdk_version",
                "room_view_type",
                "audio_devices_updates",
                "video_devices_updates",
                "speaker_devices_updates",
                "selected_device_updates",
            ],
            Self::IpInformation => &["ip_information"],
            Self::PrecallNetworkInformation => &["candidate_pairs", "pc_metadata"],
            Self::Events => &["events"],
            Self::QualityStats => &[],
        }
    }
}

impl PeerReport {
    /// The report with nothing but these parts; the whole when none is named.
    #[must_use]
    pub fn only(mut self, parts: &[ReportPart]) -> Self {
        if parts.is_empty() {
            return self;
        }
        self.metadata
            .retain(|name, _| parts.iter().any(|part| part.metadata().contains(&name.as_str())));
        if !parts.contains(&ReportPart::QualityStats) {
            self.quality.clear();
        }
        self
    }
}

/// Microseconds as minutes, rounded to four decimals as answers show them.
pub fn minutes(micros: i64) -> f64 {
    let ten_thousandths = micros.saturating_add(3_000).div_euclid(6_000);
    #[allow(clippy::cast_precision_loss)] // exact below 1,700 years
    let value = ten_thousandths as f64 / 10_000.0;
    value
}

/// Microseconds as whole seconds, rounded.
pub const fn whole_seconds(micros: i64) -> i64 {
    micros.saturating_add(500_000).div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn minutes_have_four_decimals() {
        assert_eq!(minutes(348_580_000).to_string(), "5.8097");
        assert_eq!(minutes(0).to_string(), "0");
        assert_eq!(minutes(60_000_000).to_string(), "1");
        assert_eq!(minutes(2_999).to_string(), "0");
        assert_eq!((whole_seconds(499_999), whole_seconds(500_000)), (0, 1));
    }

    #[test]
    fn reports_are_cut_to_the_parts_named() {
        let report: PeerReport = serde_json::from_value(json!({
            "metadata": {"device_info": {"cpus": 8}, "ip_information": {}, "events": [], "sdk_name": "x"},
            "quality": {"audio_producer": []},
        }))
        .unwrap();
        assert_eq!(report.clone().only(&[]), report);
        let cut = report.clone().only(&[ReportPart::DeviceInfo]);
        assert_eq!(
            cut.metadata.keys().collect::<Vec<_>>(),
            ["device_info", "sdk_name"]
        );
        assert!(cut.quality.is_empty());
        let cut = report.only(&[ReportPart::QualityStats]);
        assert!(cut.metadata.is_empty() && !cut.quality.is_empty());
    }

    #[test]
    fn words_read_back() {
        for word in SessionKind::WORDS {
            assert_eq!(SessionKind::from_word(word).unwrap().as_str(), *word);
        }
        assert_eq!(SessionStatus::from_word("OVER"), None);
    }
}

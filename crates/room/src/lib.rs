//! What a meeting is: who is inside, who waits, who is on stage, what is said, asked, kept and moved.
//!
//! PURE: no sockets, no clock, no tasks. [`Room::handle`] takes the time and one [`Input`] and gives
//! back [`Effect`]s; [`Room::next_deadline`] says when it wants [`Input::Timeout`]. Every action of a
//! person is checked here against what its preset permits.

mod broadcast;
mod chat;
mod connected;
mod effect;
mod input;
mod leaving;
mod limits;
mod media;
mod moderation;
mod moving;
mod people;
mod permissions;
mod polls;
mod presence;
mod room;
mod session;
mod stage;
mod stores;
mod waiting;

pub use effect::{
    Answer, CloseReason, CommandError, Effect, Event, MediaEffect, PeerPermissions, PeerView, PollView,
    Refusal, RoomInfo, Stage, StageRequest, StoreChange, StoreItem, WaitingPerson,
};
pub use input::{
    Broadcast, ChatFilter, ChatPage, Command, CommandId, Connect, Connected, ConnectedRoom, ConnectionId,
    Disconnect, Family, Input, LivestreamPhase, LivestreamState, MediaKinds, NewPoll, PermissionPatch,
    Person, RecordingPhase, RecordingState, Request, RequestId,
};
pub use limits::Limits;
pub use room::{Room, RoomSettings};
pub use session::Resumed;

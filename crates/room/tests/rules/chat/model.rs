//! Random doings in a chat, held against a plain list.

use std::sync::Arc;

use muster_model::{
    ChatMessageId, ParticipantId, PeerId,
    chat::{ChatMessage, ChatPayloadKind::Text},
    event::DomainEvent,
};
use muster_room::{ChatFilter, ChatPage, Effect, Event, Limits, Request, RoomSettings};
use proptest::prelude::*;
use uuid::Uuid;

use crate::harness::{Meeting, Outcome, P, SECOND, person_who, settings};

/// Participants 0 to 3; each has two peers: peer `n` is of participant `n / 2`. The first participant
/// moderates; the last cannot be written to in private.
const PEERS: usize = 8;
const PEOPLE: usize = PEERS / 2;
/// Messages that the room keeps.
const KEPT: usize = 12;
const WORDS: [&str; 6] = ["tea", "TEA and cake", "Kuchen", "cup", "Äpfel", "äpfel, tea"];

/// What somebody does. `by` is a peer; `message` counts back from the newest ever written.
#[derive(Debug, Clone)]
enum Act {
    Say {
        by: usize,
        word: usize,
    },
    Whisper {
        by: usize,
        to: Vec<usize>,
        word: usize,
    },
    Edit {
        by: usize,
        message: usize,
        word: Option<usize>,
        pinned: Option<bool>,
    },
    Delete {
        by: usize,
        message: usize,
    },
    Pin {
        by: usize,
        message: usize,
        pinned: bool,
    },
    Page {
        by: usize,
        page: Page,
    },
    Search {
        by: usize,
        term: usize,
        page: Page,
    },
    Pass(i64),
}

/// A page; its time is that of a message and a few milliseconds more or less.
#[derive(Debug, Clone)]
struct Page {
    time: Option<(usize, i64)>,
    size: usize,
    from: usize,
    reversed: bool,
    /// None: public; up to 3: with that participant; 4 and 5: pinned or not.
    filter: Option<usize>,
}

const TERMS: [&str; 6] = ["", "tEa", "KUCHEN", "ÄPFEL", "c", "nowhere"];

fn page() -> impl Strategy<Value = Page> {
    (
        proptest::option::of((0..KEPT + 4, -2..3_i64)),
        0..6_usize,
        prop_oneof![2 => Just(0), 1 => 0..5_usize],
        any::<bool>(),
        proptest::option::of(0..PEOPLE + 2),
    )
        .prop_map(|(time, size, from, reversed, filter)| Page {
            time,
            size,
            from,
            reversed,
            filter,
        })
}

fn act() -> impl Strategy<Value = Act> {
    let by = || 0..PEERS;
    let message = || 0..KEPT + 4;
    let word = || 0..WORDS.len();
    prop_oneof![
        6 => (by(), word()).prop_map(|(by, word)| Act::Say { by, word }),
        6 => (by(), proptest::collection::vec(by(), 0..4), word())
            .prop_map(|(by, to, word)| Act::Whisper { by, to, word }),
        5 => (by(), message(), proptest::option::of(word()), proptest::option::of(any::<bool>()))
            .prop_map(|(by, message, word, pinned)| Act::Edit { by, message, word, pinned }),
        2 => (by(), message()).prop_map(|(by, message)| Act::Delete { by, message }),
        4 => (by(), message(), any::<bool>())
            .prop_map(|(by, message, pinned)| Act::Pin { by, message, pinned }),
        8 => (by(), page()).prop_map(|(by, page)| Act::Page { by, page }),
        4 => (by(), 0..TERMS.len(), page()).prop_map(|(by, term, page)| Act::Search { by, term, page }),
        3 => (0..5_000_i64).prop_map(Act::Pass),
    ]
}

struct Both {
    meeting: Meeting,
    peers: Vec<P>,
    /// The account: what is kept, oldest first.
    list: Vec<ChatMessage>,
    /// Every message there ever was, oldest first.
    ever: Vec<ChatMessageId>,
    turns: u32,
}

impl Both {
    fn new() -> Self {
        let mut meeting = Meeting::with(RoomSettings {
            limits: Limits {
                chat_messages: KEPT,
                ..Limits::default()
            },
            ..settings()
        });
        let peers = (0..PEERS).map(|peer| {
            let number = peer / 2;
            meeting.join(&person_who(number as u128, &format!("P{number}"), |may| {
                may.chat.private.can_send = true;
                may.chat.private.text = true;
                may.chat.private.can_receive = number < PEOPLE - 1;
                may.kick_participant = number == 0;
                may.pin_participant = number == 0;
            }))
        });
        Self {
            peers: peers.collect(),
            meeting,
            list: Vec::new(),
            ever: Vec::new(),
            turns: 0,
        }
    }

    fn user(&self, peer: usize) -> ParticipantId {
        self.peers[peer].user
    }

    /// A message by how far back it is; one that never was where there are not so many.
    fn id(&self, message: usize) -> ChatMessageId {
        let index = self.ever.len().checked_sub(message + 1);
        index.map_or(Uuid::nil().into(), |index| self.ever[index])
    }

    /// The place in the account of a message that somebody may see.
    fn seen(&self, by: usize, id: ChatMessageId) -> Option<usize> {
        let user = self.user(by);
        let place = self.list.iter().position(|message| message.id == id)?;
        may_see(&self.list[place], user).then_some(place)
    }

    /// Everybody who is to hear of a message, but one.
    fn audience(&self, message: &ChatMessage, but: Option<usize>) -> Vec<PeerId> {
        (0..PEERS)
            .filter(|peer| Some(*peer) != but && may_see(message, self.user(*peer)))
            .map(|peer| self.peers[peer].id)
            .collect()
    }

    fn step(&mut self, act: &Act) {
        // Limits of requests are not what this is about; some messages are of the same moment.
        self.turns += 1;
        if self.turns.is_multiple_of(2) {
            self.meeting.pass(3 * SECOND);
        }
        match act {
            Act::Pass(micros) => {
                self.meeting.pass(*micros);
            }
            Act::Say { by, word } => {
                let request = Request::SendChat {
                    kind: Text,
                    payload: WORDS[*word].to_owned(),
                };
                self.write(*by, request, vec![], *word);
            }
            Act::Whisper { by, to, word } => {
                let request = Request::SendPrivateChat {
                    peers: to.iter().map(|peer| self.peers[*peer].id).collect(),
                    kind: Text,
                    payload: WORDS[*word].to_owned(),
                };
                let others = to.iter().map(|peer| peer / 2);
                let mut people: Vec<usize> = others
                    .filter(|one| *one != by / 2 && *one != PEOPLE - 1)
                    .collect();
                if people.is_empty() {
                    let outcome = self.meeting.ask(self.peers[*by], request);
                    self.refused(*by, &outcome);
                } else {
                    people.push(by / 2);
                    people.sort_unstable();
                    people.dedup();
                    let recipients = people.iter().map(|one| self.user(one * 2)).collect();
                    self.write(*by, request, recipients, *word);
                }
            }
            Act::Edit {
                by,
                message,
                word,
                pinned,
            } => self.edit(*by, *message, *word, *pinned),
            Act::Delete { by, message } => self.delete(*by, *message),
            Act::Pin { by, message, pinned } => self.pin(*by, *message, *pinned),
            Act::Page { by, page } => self.page(*by, page),
            Act::Search { by, term, page } => self.search(*by, TERMS[*term], page),
        }
        for peer in 0..PEERS {
            let who = self.peers[peer];
            let visible = self.list.iter().filter(|message| may_see(message, who.user));
            let visible: Vec<_> = visible.cloned().map(Arc::new).collect();
            let told = self.meeting.ask(who, Request::ChatMessages).reply(who);
            assert_eq!(told, Event::ChatMessages(visible), "{act:?}");
        }
    }

    #[track_caller]
    fn refused(&self, by: usize, outcome: &Outcome) {
        outcome.refusal(self.peers[by]);
        assert_eq!(outcome.0.len(), 1);
    }

    fn write(&mut self, by: usize, request: Request, recipients: Vec<ParticipantId>, word: usize) {
        let outcome = self.meeting.ask(self.peers[by], request).granted();
        let [Effect::Record(DomainEvent::ChatSaved { message, .. }), sent] = &outcome.0[..] else {
            panic!("{outcome:?}")
        };
        let expected = ChatMessage {
            id: message.id,
            peer_id: self.peers[by].id,
            participant_id: self.user(by),
            display_name: format!("P{}", by / 2),
            kind: Text,
            payload: WORDS[word].to_owned(),
            recipients,
            pinned: false,
            edited: false,
            created_at: self.meeting.now,
        };
        assert_eq!(*message, expected);
        let to = self.audience(&expected, None);
        let told = Arc::new(expected.clone());
        let event = if expected.recipients.is_empty() {
            Event::ChatSent(told)
        } else {
            Event::PrivateChatSent(told)
        };
        assert_eq!(*sent, Effect::Send { to, event });
        assert!(!self.ever.contains(&expected.id));
        self.ever.push(expected.id);
        self.list.push(expected);
        if self.list.len() > KEPT {
            self.list.remove(0);
        }
    }

    /// A change that was granted: what is recorded, replied and told.
    fn changed(
        &mut self,
        by: usize,
        place: usize,
        new: ChatMessage,
        outcome: &Outcome,
        event: fn(Arc<ChatMessage>) -> Event,
    ) {
        let who = self.peers[by];
        let told = event(Arc::new(new.clone()));
        assert_eq!(outcome.reply(who), told);
        let mut sends = outcome.0.iter().filter_map(|effect| match effect {
            Effect::Send { to, event } => Some((to, event)),
            _ => None,
        });
        if new == self.list[place] {
            assert_eq!(outcome.0.len(), 1, "no change");
            return;
        }
        assert!(matches!(
            outcome.records().as_slice(),
            [DomainEvent::ChatSaved { message, .. }] if *message == new
        ));
        assert!(matches!(outcome.0[0], Effect::Record(_)));
        assert_eq!(sends.next(), Some((&self.audience(&new, Some(by)), &told)));
        assert_eq!(outcome.0.len(), 3);
        self.list[place] = new;
    }

    fn edit(&mut self, by: usize, message: usize, word: Option<usize>, pinned: Option<bool>) {
        let id = self.id(message);
        let request = Request::EditChat {
            message: id,
            kind: None,
            payload: word.map(|word| WORDS[word].to_owned()),
            pinned,
        };
        let outcome = self.meeting.ask(self.peers[by], request);
        let Some(place) = self.seen(by, id) else {
            return self.refused(by, &outcome);
        };
        let mut new = self.list[place].clone();
        let author = new.participant_id == self.user(by);
        let pins = pinned.is_some_and(|pinned| pinned != new.pinned);
        let nothing = word.is_none() && pinned.is_none();
        if nothing || (word.is_some() && !author) || (pins && !author && by / 2 != 0) {
            return self.refused(by, &outcome);
        }
        new.pinned = pinned.unwrap_or(new.pinned);
        if let Some(word) = word {
            WORDS[word].clone_into(&mut new.payload);
            new.edited = true;
        }
        self.changed(by, place, new, &outcome, Event::ChatEdited);
    }

    fn pin(&mut self, by: usize, message: usize, pinned: bool) {
        let id = self.id(message);
        let request = Request::PinChat { message: id, pinned };
        let outcome = self.meeting.ask(self.peers[by], request);
        match self.seen(by, id) {
            Some(place) if by / 2 == 0 || self.list[place].participant_id == self.user(by) => {
                let mut new = self.list[place].clone();
                new.pinned = pinned;
                self.changed(by, place, new, &outcome, Event::ChatPinned);
            }
            _ => self.refused(by, &outcome),
        }
    }

    fn delete(&mut self, by: usize, message: usize) {
        let id = self.id(message);
        let who = self.peers[by];
        let outcome = self.meeting.ask(who, Request::DeleteChat(id));
        match self.seen(by, id) {
            Some(place) if by / 2 == 0 || self.list[place].participant_id == who.user => {
                let old = self.list.remove(place);
                assert_eq!(outcome.reply(who), Event::ChatDeleted(id));
                assert!(matches!(
                    outcome.records().as_slice(),
                    [DomainEvent::ChatDeleted { message, .. }] if *message == id
                ));
                for peer in 0..PEERS {
                    let other = self.peers[peer];
                    let hears = usize::from(may_see(&old, other.user));
                    assert_eq!(outcome.told(other).len(), hears);
                }
            }
            _ => self.refused(by, &outcome),
        }
    }

    fn ask_for(&self, page: &Page) -> ChatPage {
        let start = self.meeting.now;
        let time = page.time.map(|(message, more)| {
            let id = self.id(message);
            let written = self.list.iter().find(|one| one.id == id);
            written.map_or(start, |one| one.created_at).as_micros() / 1000 + more
        });
        ChatPage {
            time_ms: time.map_or(0, i64::unsigned_abs),
            size: page.size,
            from: page.from,
            reversed: page.reversed,
            filter: match page.filter {
                None => ChatFilter::Public,
                Some(pinned) if pinned >= PEOPLE => ChatFilter::Pinned(pinned == PEOPLE),
                Some(person) => ChatFilter::With(self.user(person * 2)),
            },
        }
    }

    /// The page of the account, and whether there is more.
    fn expected(
        &self,
        by: usize,
        page: &ChatPage,
        wanted: impl Fn(&ChatMessage) -> bool,
    ) -> (Vec<Arc<ChatMessage>>, bool) {
        let mut all: Vec<Arc<ChatMessage>> = Vec::new();
        for message in &self.list {
            let at = message.created_at.as_micros().unsigned_abs() / 1000;
            let early = page.time_ms != 0 && !page.reversed && at < page.time_ms;
            let late = page.time_ms != 0 && page.reversed && at > page.time_ms;
            if may_see(message, self.user(by)) && wanted(message) && !early && !late {
                all.push(Arc::new(message.clone()));
            }
        }
        if page.reversed {
            all.reverse();
        }
        let begin = page.from.min(all.len());
        let end = (begin + page.size.max(1)).min(all.len());
        (all[begin..end].to_vec(), end < all.len())
    }

    fn page(&mut self, by: usize, page: &Page) {
        let page = self.ask_for(page);
        let me = self.user(by);
        let (messages, more) = self.expected(by, &page, |message| match page.filter {
            ChatFilter::Public => message.recipients.is_empty(),
            ChatFilter::Pinned(pinned) => message.pinned == pinned,
            ChatFilter::With(other) => {
                let mut two = [me, other];
                two.sort_unstable();
                message.recipients == two
            }
        });
        let who = self.peers[by];
        let told = self.meeting.ask(who, Request::ChatPage(page.clone())).reply(who);
        assert_eq!(told, Event::ChatPage { messages, more }, "{page:?}");
    }

    fn search(&mut self, by: usize, term: &str, page: &Page) {
        let page = self.ask_for(page);
        let found = |message: &ChatMessage| message.payload.to_lowercase().contains(&term.to_lowercase());
        let (messages, _) = self.expected(by, &page, found);
        let who = self.peers[by];
        let request = Request::SearchChat {
            term: term.to_owned(),
            page,
        };
        let told = self.meeting.ask(who, request).reply(who);
        assert_eq!(told, Event::ChatFound(messages), "{term}");
    }
}

fn may_see(message: &ChatMessage, user: ParticipantId) -> bool {
    message.recipients.is_empty() || message.recipients.contains(&user)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chat_agrees_with_the_plain_list(acts in proptest::collection::vec(act(), 1..120)) {
        let mut both = Both::new();
        for act in &acts {
            both.step(act);
        }
    }
}

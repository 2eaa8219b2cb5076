//! Polls (PROTOCOL f.5).
//!
//! Only those who may view polls hear of them. An anonymous poll tells who voted, and not for what. One
//! that hides its votes tells each person the results once that person has voted; who asked is no
//! exception.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use muster_model::{
    ParticipantId, PeerId, PollId, Timestamp,
    event::DomainEvent,
    poll::{Poll, PollOption, PollVote},
};

use crate::{
    effect::{Event, PollView, Refusal},
    input::{NewPoll, RequestId},
    limits::{Limits, Rate},
    room::{Handled, Room},
};

/// The polls of the session.
#[derive(Debug, Default)]
pub(crate) struct Polls {
    /// Oldest first.
    entries: Vec<Entry>,
    places: BTreeMap<PollId, usize>,
    /// Of questions and answers.
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    poll: Arc<Poll>,
    voted: BTreeSet<ParticipantId>,
}

fn text_bytes<'a>(question: &str, options: impl Iterator<Item = &'a String>) -> usize {
    question.len() + options.map(String::len).sum::<usize>()
}

impl Polls {
    /// Takes up the polls of before, oldest first.
    pub(crate) fn resume(&mut self, polls: Vec<Poll>) {
        for poll in polls {
            self.add(Arc::new(poll));
        }
    }

    /// Forgets everything, when a session ends.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, poll: Arc<Poll>) {
        let votes = poll.options.iter().flat_map(|option| &option.votes);
        let voted = votes.map(|vote| vote.participant_id).collect();
        self.bytes += text_bytes(&poll.question, poll.options.iter().map(|option| &option.text));
        self.places.insert(poll.id, self.entries.len());
        self.entries.push(Entry { poll, voted });
    }

    fn get(&self, id: PollId) -> Option<&Entry> {
        self.entries.get(*self.places.get(&id)?)
    }

    fn get_mut(&mut self, id: PollId) -> Option<&mut Entry> {
        self.entries.get_mut(*self.places.get(&id)?)
    }
}

impl Entry {
    /// Whether a participant may see the results.
    fn shows_results_to(&self, participant: ParticipantId) -> bool {
        !self.poll.hide_votes || self.voted.contains(&participant)
    }

    /// The poll with its results, or without.
    fn view(&self, results: bool) -> PollView {
        let names = results && !self.poll.anonymous;
        let options = &self.poll.options;
        PollView {
            poll: if names {
                self.poll.clone()
            } else {
                Arc::new(without_votes(&self.poll))
            },
            counts: results.then(|| options.iter().map(|option| option.votes.len() as u64).collect()),
            voted: self.voted.iter().copied().collect(),
            names,
        }
    }
}

fn without_votes(poll: &Poll) -> Poll {
    let options = poll.options.iter().map(|option| PollOption {
        text: option.text.clone(),
        votes: Vec::new(),
    });
    Poll {
        id: poll.id,
        question: poll.question.clone(),
        options: options.collect(),
        anonymous: poll.anonymous,
        hide_votes: poll.hide_votes,
        created_by: poll.created_by.clone(),
        created_by_participant: poll.created_by_participant,
        created_at: poll.created_at,
    }
}

fn check(poll: &NewPoll, limits: &Limits) -> Handled {
    let invalid = |why: String| Err(Refusal::Invalid(why));
    if poll.options.len() < 2 {
        return invalid("a poll needs at least two options".to_owned());
    }
    if poll.options.len() > limits.poll_options {
        return invalid(format!("a poll has at most {} options", limits.poll_options));
    }
    for text in std::iter::once(&poll.question).chain(&poll.options) {
        if text.trim().is_empty() {
            return invalid("the question and the options of a poll must not be empty".to_owned());
        }
        if text.chars().count() > limits.poll_text {
            return invalid(format!(
                "the question and the options of a poll have at most {} characters",
                limits.poll_text
            ));
        }
        // No database keeps it in a text.
        if text.contains('\0') {
            return invalid("the poll has a character that cannot be kept".to_owned());
        }
    }
    Ok(())
}

impl Room {
    /// Makes a poll in the name of somebody outside (REST), and tells everybody inside.
    pub(crate) fn create_poll(
        &mut self,
        now: Timestamp,
        poll: NewPoll,
        created_by: String,
    ) -> Result<Arc<Poll>, Refusal> {
        self.add_poll(now, poll, created_by, None)
    }

    /// Makes a poll. There is no reply: who asks is told as all others are.
    pub(crate) fn create_poll_by(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        _id: &RequestId,
        poll: NewPoll,
    ) -> Handled {
        let asker = self.member_who_may(peer, "create polls", |may| may.polls.can_create)?;
        let (name, participant) = (asker.display_name.clone(), asker.person.participant);
        self.take(peer, Rate::Other, now)?;
        self.add_poll(now, poll, name, Some(participant))?;
        Ok(())
    }

    fn add_poll(
        &mut self,
        now: Timestamp,
        poll: NewPoll,
        created_by: String,
        created_by_participant: Option<ParticipantId>,
    ) -> Result<Arc<Poll>, Refusal> {
        check(&poll, &self.settings.limits)?;
        if self.polls.entries.len() >= self.settings.limits.polls {
            return Err(Refusal::Full("no more polls in this session"));
        }
        // Clients ask for all polls at once.
        let bytes = self.polls.bytes + text_bytes(&poll.question, poll.options.iter());
        if bytes > self.settings.limits.poll_bytes {
            return Err(Refusal::Full("the polls of this session are full"));
        }
        let options = poll.options.into_iter().map(|text| PollOption {
            text,
            votes: Vec::new(),
        });
        let poll = Arc::new(Poll {
            id: self.new_id(),
            question: poll.question,
            options: options.collect(),
            anonymous: poll.anonymous,
            hide_votes: poll.hide_votes,
            created_by,
            created_by_participant,
            created_at: now,
        });
        self.polls.add(poll.clone());
        self.save_poll(poll.id, Event::PollCreated)?;
        Ok(poll)
    }

    /// Votes, once. There is no reply: who votes is told as all others are.
    pub(crate) fn vote(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        _id: &RequestId,
        poll: PollId,
        option: usize,
    ) -> Handled {
        let voter = self.member_who_may(peer, "vote", |may| may.polls.can_vote)?;
        let vote = PollVote {
            participant_id: voter.person.participant,
            name: voter.display_name.clone(),
        };
        self.take(peer, Rate::Other, now)?;
        let entry = self.polls.get_mut(poll).ok_or(Refusal::NotFound("poll"))?;
        if option >= entry.poll.options.len() {
            return Err(Refusal::NotFound("option"));
        }
        if !entry.voted.insert(vote.participant_id) {
            return Err(Refusal::Invalid("you have voted already".to_owned()));
        }
        Arc::make_mut(&mut entry.poll).options[option].votes.push(vote);
        self.save_poll(poll, Event::PollVoted)
    }

    /// Keeps a poll, and tells those who may see it; each what it may know.
    fn save_poll(&mut self, id: PollId, event: fn(PollView) -> Event) -> Handled {
        let session = self.session().ok_or(Refusal::NotJoined)?;
        let entry = self.polls.get(id).ok_or(Refusal::NotFound("poll"))?;
        let viewers = self
            .people
            .all_inside()
            .filter(|peer| peer.permissions.polls.can_view);
        let (shown, hidden): (Vec<_>, Vec<_>) =
            viewers.partition(|peer| entry.shows_results_to(peer.person.participant));
        let [shown, hidden] = [(shown, true), (hidden, false)].map(|(peers, results)| {
            let to: Vec<PeerId> = peers.iter().map(|peer| peer.id).collect();
            (!to.is_empty()).then(|| (to, entry.view(results)))
        });
        let poll = Poll::clone(&entry.poll);
        self.record(DomainEvent::PollSaved { session, poll });
        for (to, view) in [shown, hidden].into_iter().flatten() {
            self.send(to, event(view));
        }
        Ok(())
    }

    /// Every poll, as the asker may see it; none for those who may not view polls or are not inside.
    pub(crate) fn tell_polls(&mut self, now: Timestamp, peer: PeerId, id: &RequestId) -> Handled {
        let viewer = self
            .people
            .inside(peer)
            .filter(|peer| peer.permissions.polls.can_view);
        let mut polls = Vec::new();
        if let Some(participant) = viewer.map(|viewer| viewer.person.participant) {
            self.take(peer, Rate::Reads, now)?;
            let entries = self.polls.entries.iter();
            polls = entries
                .map(|entry| entry.view(entry.shows_results_to(participant)))
                .collect();
        }
        self.reply(peer, id, Event::Polls(polls));
        Ok(())
    }
}

//! Delivers what webhooks are to be told: claims what is due, sends it signed, notes what came of it.
//!
//! One attempt at a time for each webhook and session, a few for each webhook, a bounded number in all. While
//! nothing is due, one small read a second finds what another process has queued.

use std::{
    collections::{BTreeMap, HashMap},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures::FutureExt;
use muster_model::{Timestamp, WebhookId};
use muster_store::{
    Store, StoreError,
    deliveries::turns::{self, Claim, Outcome, Room, Slowing, Verdict},
};
use reqwest::{Client, Response, StatusCode, header};
use tokio::{task, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    app::App,
    outbound::{self, http},
};

/// Attempts at once.
const AT_ONCE: usize = 64;
/// Attempts at once for one webhook.
const AT_ONCE_PER_WEBHOOK: usize = 4;
/// When an attempt without an answer has failed.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// When a claim lapses whose process has died and not come back. Longer than an attempt and its writing down.
const CLAIM_FOR: Duration = Duration::from_secs(20);
/// How long the writing down is tried.
const NOTE_WITHIN: Duration = Duration::from_secs(10);
/// How often to look for what other processes have queued.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long attempts under way may take once the server stops.
const FINISH_WITHIN: Duration = Duration::from_secs(8);
/// The longest wait that an endpoint can ask for with Retry-After.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// Bytes of an answer that are read, so that the connection can serve again.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of an answer that are kept.
const KEEP_BYTES: usize = 1024;
/// How an endpoint that keeps failing is slowed down.
const SLOWING: Slowing = Slowing {
    bears: 10,
    first: Duration::from_secs(5),
    longest: Duration::from_secs(600),
};

/// Runs until `stop`, then lets attempts that are under way finish (8 s at most).
pub async fn run(app: &App, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let ended = AssertUnwindSafe(work(app, stop)).catch_unwind().await;
        match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::error!("webhooks are not delivered; trying again: {error:#}"),
            Err(_) => tracing::error!("the delivery of webhooks panicked and begins anew"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn work(app: &App, stop: &CancellationToken) -> anyhow::Result<()> {
    let (name, now) = (app.rooms.node().to_owned(), app.now());
    app.store
        .write(move |conn| Box::pin(async move { turns::release(conn, &name, now).await }))
        .await?;
    let mut runner = Runner {
        app,
        client: None,
        tasks: JoinSet::new(),
        under_way: HashMap::new(),
    };
    while !stop.is_cancelled() {
        let wait = runner.take_what_is_due().await.unwrap_or_else(|error| {
            if let Some(error) = error.downcast_ref::<StoreError>() {
                super::notice(app, error);
            }
            tracing::warn!("no deliveries were claimed: {error:#}");
            LOOK_EVERY
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.deliveries_wanted.notified() => {}
            Some(ended) = runner.tasks.join_next_with_id() => runner.ended(ended),
            () = tokio::time::sleep(wait) => {}
        }
    }
    if timeout(FINISH_WITHIN, async {
        while runner.tasks.join_next().await.is_some() {}
    })
    .await
    .is_err()
    {
        tracing::warn!(
            open = runner.tasks.len(),
            "deliveries were cut; they will be made again"
        );
        runner.tasks.shutdown().await;
    }
    Ok(())
}

struct Runner<'a> {
    app: &'a App,
    client: Option<Client>,
    tasks: JoinSet<()>,
    under_way: HashMap<task::Id, WebhookId>,
}

type Ended = Result<(task::Id, ()), task::JoinError>;

impl Runner<'_> {
    fn ended(&mut self, ended: Ended) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "the delivery to a webhook ended badly");
                error.id()
            }
        };
        self.under_way.remove(&id);
    }

    /// Starts what is due and has room; answers how long nothing further can be due, as far as is known.
    async fn take_what_is_due(&mut self) -> anyhow::Result<Duration> {
        loop {
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                self.ended(ended);
            }
            let free = AT_ONCE.saturating_sub(self.tasks.len());
            if free == 0 {
                return Ok(LOOK_EVERY);
            }
            let now = self.app.now();
            match self.app.store.next_delivery_at().await? {
                None => return Ok(LOOK_EVERY),
                Some(at) if at > now => {
                    let wait = u64::try_from(at.as_micros() - now.as_micros()).unwrap_or(0);
                    return Ok(Duration::from_micros(wait).min(LOOK_EVERY));
                }
                Some(_) => {}
            }
            let client = self.client().await?;
            let claims = self.claim(free, now).await?;
            if claims.is_empty() {
                // What is due belongs to webhooks that have their fill: the end of an attempt tells more.
                return Ok(LOOK_EVERY);
            }
            for claim in claims {
                let webhook = claim.webhook;
                let task = self.tasks.spawn(deliver(self.app.clone(), client.clone(), claim));
                self.under_way.insert(task.id(), webhook);
            }
        }
    }

    async fn claim(&self, total: usize, now: Timestamp) -> Result<Vec<Claim>, StoreError> {
        let mut in_flight: BTreeMap<WebhookId, usize> = BTreeMap::new();
        for webhook in self.under_way.values() {
            *in_flight.entry(*webhook).or_default() += 1;
        }
        let room = Room {
            total,
            per_webhook: AT_ONCE_PER_WEBHOOK,
            in_flight,
        };
        let node = self.app.rooms.node().to_owned();
        self.app
            .store
            .write(move |conn| {
                Box::pin(async move { turns::claim(conn, &node, room, now, now.plus(CLAIM_FOR)).await })
            })
            .await
    }

    /// The HTTP client, made at the first delivery: reading the system's certificates takes a while.
    async fn client(&mut self) -> anyhow::Result<Client> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let allowed = self.app.config.allow_outbound.clone();
        let client =
            task::spawn_blocking(move || http::client(http::SystemLookup, &allowed, ANSWER_WITHIN)).await??;
        Ok(self.client.insert(client).clone())
    }
}

/// Makes one attempt and notes what came of it.
async fn deliver(app: App, client: Client, claim: Claim) {
    let began = Instant::now();
    let answered = AssertUnwindSafe(attempt(&app, &client, &claim))
        .catch_unwind()
        .await;
    let answer = answered.unwrap_or_else(|_| {
        tracing::error!(delivery = %claim.delivery, "an attempt panicked");
        Answer::failed("internal error", true)
    });
    let now = app.now();
    let verdict = match answer.kind {
        Kind::Taken => Verdict::Delivered,
        Kind::Refused => Verdict::Failed {
            endpoint_failed: false,
        },
        Kind::Trouble { retry_after } => {
            match app.config.webhook_retry_schedule.get(claim.failures as usize) {
                Some(delay) => Verdict::Retry(now.plus(jittered(*delay).max(retry_after))),
                None => Verdict::Failed {
                    endpoint_failed: true,
                },
            }
        }
    };
    let outcome = Outcome {
        verdict,
        duration: began.elapsed(),
        response_status: answer.status.map(|status| status.as_u16()),
        response_body: answer.body,
        error: answer.error,
    };
    note(&app, &app.store, claim, outcome).await;
}

/// Writes an outcome down, again and again until the claim lapses: otherwise it would be sent twice.
async fn note(app: &App, store: &Store, claim: Claim, outcome: Outcome) {
    let give_up = Instant::now() + NOTE_WITHIN;
    let (claim, outcome) = (Arc::new(claim), Arc::new(outcome));
    loop {
        let (ours, result, now) = (Arc::clone(&claim), Arc::clone(&outcome), app.now());
        let written = store
            .write(move |conn| {
                Box::pin(async move { turns::finish(conn, &ours, &result, SLOWING, now).await })
            })
            .await;
        let Err(error) = written else { return };
        super::notice(app, &error);
        if Instant::now() >= give_up {
            tracing::error!(delivery = %claim.delivery, %error, "the outcome of a delivery was not noted");
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What an endpoint made of a request.
struct Answer {
    kind: Kind,
    status: Option<StatusCode>,
    body: Option<String>,
    error: Option<String>,
}

enum Kind {
    /// 2xx.
    Taken,
    /// It would not do better another time.
    Refused,
    /// It may do better later, and not before that time.
    Trouble { retry_after: Duration },
}

impl Answer {
    /// No answer at all.
    fn failed(error: impl Into<String>, again: bool) -> Self {
        let kind = if again {
            Kind::Trouble {
                retry_after: Duration::ZERO,
            }
        } else {
            Kind::Refused
        };
        Self {
            kind,
            status: None,
            body: None,
            error: Some(error.into()),
        }
    }
}

async fn attempt(app: &App, client: &Client, claim: &Claim) -> Answer {
    // A literal address does not go through the resolver.
    let url = match outbound::check(&claim.url, &app.config.allow_outbound) {
        Ok(url) => url,
        Err(refusal) => return Answer::failed(format!("the address {refusal}"), false),
    };
    let signed = async {
        let key = app.webhook_keys.get().await?;
        let (body, now) = (claim.body.clone(), app.now());
        task::spawn_blocking(move || key.signatures(&body, now)).await?
    };
    let signatures = match signed.await {
        Ok(signatures) => signatures,
        Err(error) => {
            tracing::error!("a delivery could not be signed: {error:#}");
            return Answer::failed("internal error", true);
        }
    };
    let sent = client
        .post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("rtk-signature", signatures.of_body)
        .header("rtk-uuid", claim.delivery.to_string())
        .header("rtk-webhook-id", claim.webhook.to_string())
        .header("muster-signature", signatures.with_time)
        .body(claim.body.clone())
        .send()
        .await;
    match sent {
        Ok(response) => judge(response).await,
        Err(error) => {
            let why = http::explain(&error);
            Answer::failed(why, why != http::NOT_PUBLIC)
        }
    }
}

async fn judge(response: Response) -> Answer {
    let status = response.status();
    let kind = if status.is_success() {
        Kind::Taken
    } else if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let asked = response.headers().get(header::RETRY_AFTER);
        let wait = asked.and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        Kind::Trouble {
            retry_after: wait.unwrap_or_default(),
        }
    } else {
        Kind::Refused
    };
    let error = (!status.is_success()).then(|| format!("answered {}", status.as_u16()));
    Answer {
        kind,
        status: Some(status),
        body: beginning(response).await,
        error,
    }
}

/// Reads an answer's body up to a bound, so that its connection can be used again; answers how it begins.
async fn beginning(mut response: Response) -> Option<String> {
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        let room = KEEP_BYTES - kept.len();
        kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if read > READ_BYTES {
            break;
        }
    }
    snippet(&kept)
}

/// Bytes as text that both databases store, at most [`KEEP_BYTES`] long; none where there is nothing.
fn snippet(bytes: &[u8]) -> Option<String> {
    // PostgreSQL has no NUL in texts.
    let mut text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    text.truncate(text.floor_char_boundary(KEEP_BYTES));
    (!text.is_empty()).then_some(text)
}

/// Retry-After as seconds or as a date, bounded.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let wait = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text.trim())
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// A fifth more or less, so that what failed together is not tried together again.
fn jittered(delay: Duration) -> Duration {
    let chance = u32::from(Uuid::new_v4().as_bytes()[0]);
    delay * (4 * 255 + 2 * chance) / (5 * 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_differ_by_a_fifth_at_most() {
        let delay = Duration::from_secs(10);
        for _ in 0..1000 {
            let jittered = jittered(delay);
            assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&jittered));
        }
    }

    #[test]
    fn retry_after_is_read_and_bounded() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let of = |text: &str| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(of(" 7 "), Some(7));
        assert_eq!(of("99999999"), Some(3600));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(of("Sat, 06 Nov 1993 08:49:47 GMT"), Some(0));
        assert_eq!(of("soon"), None);
        assert_eq!(of("-1"), None);
    }

    #[test]
    fn snippets_are_short_and_storable() {
        assert_eq!(snippet(b""), None);
        assert_eq!(snippet(b"a\0b").as_deref(), Some("a\u{fffd}b"));
        let long = "é".repeat(KEEP_BYTES);
        let kept = snippet(&long.as_bytes()[..KEEP_BYTES]).unwrap();
        assert!(kept.len() <= KEEP_BYTES && long.starts_with(&kept));
        assert!(snippet(&[0xff; KEEP_BYTES]).unwrap().len() <= KEEP_BYTES);
    }
}

//! A receiver of webhooks that notes what it gets and answers as it is told.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// How the sink answers a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With this status.
    Status(u16),
    /// With this status and a Retry-After of so many seconds.
    RetryAfter(u16, u64),
    /// With a redirect to there.
    Redirect(String),
    /// With 200 and this body.
    Body(String),
    /// With 200 after so long.
    Slow(Duration),
    /// Not at all: the connection breaks.
    Break,
}

/// A request that the sink got.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it was there whole.
    pub at: Instant,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Bytes,
    /// The status that was answered; none while, or where, there was no answer.
    pub answered: Option<u16>,
}

impl Received {
    /// A header's text.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}"));
        value.to_str().expect("a text")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

type Script = dyn Fn(&Received) -> Reply + Send + Sync;

struct Shared {
    received: Mutex<Vec<Received>>,
    script: Mutex<Arc<Script>>,
    busy: AtomicUsize,
    busiest: AtomicUsize,
}

/// A receiver of webhooks on a free port of this machine; it ends with this handle.
pub struct WebhookSink {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for WebhookSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookSink({})", self.address)
    }
}

impl WebhookSink {
    /// Starts one that answers 200.
    pub async fn start() -> Self {
        Self::with(|_| Reply::Status(200)).await
    }

    /// Starts one that answers as `script` says.
    pub async fn with(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            script: Mutex::new(Arc::new(script)),
            busy: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        Self {
            address,
            shared,
            task,
        }
    }

    /// Answers as `script` says from now on.
    pub fn script(&self, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *self.shared.script.lock().expect("the script") = Arc::new(script);
    }

    /// An address of the sink.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it got, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("the log").clone()
    }

    /// How many requests it got.
    pub fn count(&self) -> usize {
        self.shared.received.lock().expect("the log").len()
    }

    /// How many requests it was answering at once, at most.
    pub fn busiest(&self) -> usize {
        self.shared.busiest.load(Ordering::SeqCst)
    }
}

impl Drop for WebhookSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let received = Received {
        at: Instant::now(),
        path: uri.to_string(),
        headers,
        body,
        answered: None,
    };
    let script = Arc::clone(&shared.script.lock().expect("the script"));
    let index = {
        let mut log = shared.received.lock().expect("the log");
        log.push(received.clone());
        log.len() - 1
    };
    let busy = shared.busy.fetch_add(1, Ordering::SeqCst) + 1;
    shared.busiest.fetch_max(busy, Ordering::SeqCst);
    let reply = script(&received);
    let response = match reply {
        Reply::Status(status) => status_of(status).into_response(),
        Reply::RetryAfter(status, seconds) => {
            (status_of(status), [(RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Reply::Redirect(to) => (status_of(302), [(LOCATION, to)]).into_response(),
        Reply::Body(text) => text.into_response(),
        Reply::Slow(time) => {
            tokio::time::sleep(time).await;
            StatusCode::OK.into_response()
        }
        Reply::Break => {
            shared.busy.fetch_sub(1, Ordering::SeqCst);
            // Ends the connection's task, without the noise of a panic.
            std::panic::resume_unwind(Box::new("as told"));
        }
    };
    shared.busy.fetch_sub(1, Ordering::SeqCst);
    shared.received.lock().expect("the log")[index].answered = Some(response.status().as_u16());
    response
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}

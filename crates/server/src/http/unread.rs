//! Request bodies that are answered before they were read.
//!
//! What the client still sends would be taken for its next request, so the connection ends after such
//! an answer (RFC 9112, section 9.6); the answer must say so, or the client sends on it and fails.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// Tells whether a request's body was read to its end.
#[derive(Debug, Clone, Default)]
pub struct BodyRead(Option<Arc<AtomicBool>>);

impl BodyRead {
    /// Watches the body of a request.
    pub fn watch(request: Request) -> (Request, Self) {
        if request.body().is_end_stream() {
            return (request, Self(None));
        }
        let ended = Arc::new(AtomicBool::new(false));
        let watched = request.map(|inner| {
            Body::new(Watched {
                inner,
                ended: ended.clone(),
            })
        });
        (watched, Self(Some(ended)))
    }

    /// Whether something of it is still to come.
    pub fn is_unfinished(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|ended| !ended.load(Ordering::Relaxed))
    }
}

struct Watched {
    inner: Body,
    ended: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut frame = self.inner.frame();
        let polled = Pin::new(&mut frame).poll(context);
        if matches!(polled, Poll::Ready(None)) || self.inner.is_end_stream() {
            self.ended.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

//! What a load makes on the server for itself, by the management API, and deletes again.

use std::{cell::RefCell, time::Duration};

use anyhow::{Context, anyhow};
use futures::{StreamExt, TryStreamExt, stream};
use muster_client::{Target, load::Meeting};
use reqwest::{Method, RequestBuilder};
use rustls::ClientConfig;
use serde_json::{Value, json};

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Requests at a time.
const AT_ONCE: usize = 16;

/// The management API.
pub struct Rest {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// Where meetings are made, and which there are.
pub struct Place {
    root: String,
    app: String,
    own: bool,
    made: RefCell<Vec<String>>,
}

impl Rest {
    /// Connects to nothing but the addresses of the target.
    pub fn new(target: &Target, token: &str, tls: ClientConfig) -> anyhow::Result<Self> {
        let host = target.origin.host_str().unwrap_or_default();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .resolve_to_addrs(host, &target.addresses)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .context("the HTTP client")?;
        Ok(Self {
            http,
            base: format!("{}/client/v4", target.origin.as_str().trim_end_matches('/')),
            token: token.to_owned(),
        })
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request: RequestBuilder = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| anyhow!("{method} {path}: {}", crate::outbound::http::explain(&error)))?;
        let status = response.status();
        let answer: Value = response.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let why = answer["errors"][0]["message"]
            .as_str()
            .unwrap_or("no reason was given");
        Err(anyhow!("{method} {path} was answered with {status}: {why}"))
    }

    /// The app in which meetings are made.
    pub async fn place(&self, account: Option<&str>, app: Option<&str>) -> anyhow::Result<Place> {
        let account = if let Some(account) = account {
            account.to_owned()
        } else {
            let accounts = self.call(Method::GET, "/accounts", None).await?;
            text(&accounts["result"][0]["id"]).context("the token belongs to no account")?
        };
        let kit = format!("/accounts/{account}/realtime/kit");
        let (app, own) = if let Some(app) = app {
            (app.to_owned(), false)
        } else {
            let body = json!({"name": "muster load"});
            let made = self
                .call(Method::POST, &format!("{kit}/apps"), Some(body))
                .await?;
            (
                text(&made["data"]["app"]["id"]).context("the new app has no id")?,
                true,
            )
        };
        Ok(Place {
            root: format!("{kit}/{app}"),
            app: format!("{kit}/apps/{app}"),
            own,
            made: RefCell::default(),
        })
    }

    /// Makes meetings with so many publishers and subscribers each.
    pub async fn meetings(
        &self,
        place: &Place,
        count: usize,
        (publishers, subscribers): (usize, usize),
        preset: &str,
    ) -> anyhow::Result<Vec<Meeting>> {
        let mut meetings = Vec::with_capacity(count);
        for _ in 0..count {
            let meetings_path = format!("{}/meetings", place.root);
            let body = json!({"title": "muster load"});
            let made = self.call(Method::POST, &meetings_path, Some(body)).await?;
            let meeting = text(&made["data"]["id"]).context("the new meeting has no id")?;
            place.made.borrow_mut().push(meeting.clone());
            let path = format!("{meetings_path}/{meeting}/participants");
            let tokens: Vec<String> = stream::iter(0..publishers + subscribers)
                .map(|at| self.participant(&path, at, preset))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            let (publishers, subscribers) = tokens.split_at(publishers);
            meetings.push(Meeting {
                publishers: publishers.to_vec(),
                subscribers: subscribers.to_vec(),
            });
        }
        Ok(meetings)
    }

    async fn participant(&self, path: &str, at: usize, preset: &str) -> anyhow::Result<String> {
        let body = json!({
            "custom_participant_id": format!("load-{at}"),
            "name": format!("Load {at}"),
            "preset_name": preset,
        });
        let made = self.call(Method::POST, path, Some(body)).await?;
        text(&made["data"]["token"]).context("the new participant has no token")
    }

    /// Deletes what was made.
    pub async fn tidy(&self, place: &Place) -> anyhow::Result<()> {
        let made = place.made.take();
        let deletions = made.iter().map(|meeting| {
            let path = format!("{}/meetings/{meeting}?disconnect=true", place.root);
            async move { self.call(Method::DELETE, &path, None).await }
        });
        let deleted: Vec<anyhow::Result<Value>> =
            stream::iter(deletions).buffer_unordered(AT_ONCE).collect().await;
        let failed = deleted.into_iter().filter_map(Result::err).collect::<Vec<_>>();
        if let Some(first) = failed.first() {
            return Err(anyhow!("{} meetings could not be deleted: {first}", failed.len()));
        }
        if place.own {
            self.call(Method::DELETE, &place.app, None).await?;
        }
        Ok(())
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

//! A small client of the management API. It checks nothing by itself; [`Answer`] does when asked.

use std::time::Duration;

use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// An HTTP client that keeps connections and never waits for long.
pub fn new_http_client() -> reqwest::Client {
    // Reading the system's certificates for each client would cost more than most tests.
    let tls =
        rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(Duration::from_secs(30))
        .no_proxy()
        .build()
        .expect("an HTTP client")
}

/// A caller with credentials, at a place in the API: paths are relative to that place.
///
/// ```ignore
/// let app = server.api().await.app().await;
/// let meeting = app.meeting().await;
/// meeting.get("/participants?page_no=2").await.ok();
/// ```
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    /// `http://host:port`.
    pub origin: String,
    /// The secret of the API token; no credentials are sent without one.
    pub token: Option<String>,
    /// The account of the token.
    pub account: String,
    /// What paths begin with.
    pub root: String,
    /// Id of the record at `root` (the account's, when there is none).
    pub id: String,
}

impl Api {
    /// A caller at the root of the API.
    pub fn new(origin: impl Into<String>, account: impl Into<String>, token: impl Into<String>) -> Self {
        let account = account.into();
        Self {
            http: new_http_client(),
            origin: origin.into(),
            token: Some(token.into()),
            root: "/client/v4".into(),
            id: account.clone(),
            account,
        }
    }

    /// The same caller at another place: `path` is taken from here.
    pub fn at(&self, path: &str) -> Self {
        Self {
            root: format!("{}{path}", self.root),
            ..self.clone()
        }
    }

    /// The same caller at a path from the root of the server.
    pub fn at_root(&self, path: &str) -> Self {
        Self {
            root: path.into(),
            ..self.clone()
        }
    }

    /// The same place with another token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// The same place without credentials.
    pub fn without_token(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// The same place on another server over the same records.
    pub fn on(&self, origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            ..self.clone()
        }
    }

    /// A request to be completed and sent.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut request = self
            .http
            .request(method, format!("{}{}{path}", self.origin, self.root));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Call(request)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Answer {
        self.call(Method::POST, path).send().await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path).json(&body).send().await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    /// The place of the account's apps: `…/realtime/kit`.
    pub fn kit(&self) -> Self {
        Self {
            root: format!("/client/v4/accounts/{}/realtime/kit", self.account),
            id: self.account.clone(),
            ..self.clone()
        }
    }

    /// The place of an app.
    pub fn at_app(&self, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..self.kit().at(&format!("/{id}"))
        }
    }

    /// The place of a meeting, from an app's place.
    pub fn at_meeting(&self, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..self.at(&format!("/meetings/{id}"))
        }
    }

    /// Makes an app; answers its place.
    pub async fn app(&self) -> Self {
        let made = self.kit().post("/apps", json!({"name": "a test"})).await.ok();
        self.at_app(text(&made["app"]["id"]))
    }

    /// Makes a meeting, from an app's place; answers its place.
    pub async fn meeting(&self) -> Self {
        let made = self
            .post("/meetings", json!({"title": "a test"}))
            .await
            .expect(201)
            .ok();
        self.at_meeting(text(&made["id"]))
    }

    /// Adds a participant, from a meeting's place; answers it with its token.
    pub async fn participant(&self, custom_id: &str) -> Value {
        let body = json!({
            "custom_participant_id": custom_id,
            "preset_name": "group_call_participant",
            "name": format!("Name of {custom_id}"),
        });
        self.post("/participants", body).await.expect(201).ok()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// A request to be completed and sent.
#[derive(Debug)]
#[must_use]
pub struct Call(reqwest::RequestBuilder);

impl Call {
    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// With these bytes as its body.
    pub fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self(self.0.body(body.into()))
    }

    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// With an idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sends it; the error is one of the connection.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.0.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        })
    }

    /// Sends it.
    pub async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as JSON; null when it is not.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The `data` of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        assert_eq!(self.body["success"], true, "{}", self.text);
        self.body["data"].clone()
    }

    /// Fails unless this is a failure of that status in the form every failure has; answers its message.
    #[track_caller]
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let body = &self.body;
        assert_eq!(body["success"], false, "{}", self.text);
        assert_eq!(body["error"]["code"], status, "{}", self.text);
        assert!(body.get("data").is_none(), "{}", self.text);
        assert_eq!(body["messages"], json!([]), "{}", self.text);
        let errors = body["errors"].as_array().expect("errors");
        assert!(!errors.is_empty(), "{}", self.text);
        for error in errors {
            assert!(
                error["code"].is_number() && error["message"].is_string(),
                "{}",
                self.text
            );
        }
        text(&body["error"]["message"]).to_owned()
    }

    /// A failure's fields, sorted.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().expect("errors");
        let mut fields: Vec<_> = errors
            .iter()
            .filter_map(|error| error["field"].as_str().map(str::to_owned))
            .collect();
        fields.sort();
        fields
    }

    /// `errors[0].code`.
    pub fn code(&self) -> u64 {
        self.body["errors"][0]["code"].as_u64().unwrap_or_default()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `total_count`, `start_offset` and `end_offset`.
    #[track_caller]
    pub fn paging(&self) -> (i64, i64, i64) {
        let of = |name: &str| {
            self.body["paging"][name]
                .as_i64()
                .unwrap_or_else(|| panic!("no {name}: {}", self.text))
        };
        (of("total_count"), of("start_offset"), of("end_offset"))
    }

    /// One text field of each record of a list.
    #[track_caller]
    pub fn each(&self, field: &str) -> Vec<String> {
        let list = self.body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("no list: {}", self.text));
        list.iter().map(|item| text(&item[field]).to_owned()).collect()
    }
}

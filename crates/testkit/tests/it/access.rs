//! Who may call what: each route of the table the router is built from, under each wrong credential and
//! under each foreign id, is refused and tells nothing of the other tenant.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use muster_model::token::Permission;
use muster_server::{
    api::{
        route::{Access, Route},
        router::routes,
    },
    auth::api_token::hex,
};
use muster_testkit::{Answer, Api, Database, Server, both};
use serde_json::{Value, json};

both!(every_route_is_closed_to_strangers);

/// In every text of the tenant whose data must not be told.
const MARK: &str = "mark-of-the-tenant";

/// A tenant with a record of each kind, by the name of its parameter in paths.
struct Tenant {
    owner: Api,
    ids: BTreeMap<&'static str, String>,
    participant_token: String,
}

impl Tenant {
    async fn settle(server: &Server) -> Self {
        let owner = server.api().await;
        let made = owner.kit().post("/apps", json!({"name": MARK})).await.ok();
        let app = owner.at_app(made["app"]["id"].as_str().unwrap());
        let made = app.post("/meetings", json!({"title": MARK})).await.ok();
        let meeting = app.at_meeting(made["id"].as_str().unwrap());
        let body =
            json!({"custom_participant_id": MARK, "preset_name": "group_call_participant", "name": MARK});
        let participant = meeting.post("/participants", body).await.expect(201).ok();
        let tokens = owner.at(&format!("/accounts/{}/realtime/tokens", owner.account));
        let token = tokens
            .post("", json!({"permission": "realtime", "name": MARK}))
            .await
            .ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut tenant = Self {
            ids: BTreeMap::from([
                ("account_id", owner.account.clone()),
                ("app_id", app.id.clone()),
                ("meeting_id", meeting.id.clone()),
                ("participant_id", text(&participant["id"])),
                ("token_id", text(&token["id"])),
            ]),
            participant_token: text(&participant["token"]),
            owner,
        };
        for name in routes()
            .iter()
            .flat_map(|route| route.path_params().collect::<Vec<_>>())
        {
            if !tenant.ids.contains_key(name) {
                let id = tenant.add(server, name, &app, &meeting).await;
                tenant.ids.insert(name, id);
            }
        }
        tenant
    }

    /// Makes the record that a parameter of a path names. Rooms do not exist yet, so what comes of
    /// them is written by SQL.
    async fn add(&self, server: &Server, parameter: &'static str, app: &Api, meeting: &Api) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        let (app_id, meeting_id) = (&app.id, &meeting.id);
        let participant = &self.ids["participant_id"];
        let sealed = server
            .app()
            .master_key
            .seal("stream-key", MARK.as_bytes())
            .unwrap();
        let sealed = hex(&sealed);
        let bytes = match server.database().address() {
            muster_store::Address::Sqlite(_) => format!("x'{sealed}'"),
            muster_store::Address::Postgres(_) => format!("'\\x{sealed}'::bytea"),
        };
        let session = |id: &str| {
            format!(
                "INSERT INTO sessions (id, app_id, meeting_id, type, status, title, search_text, live_participants, \
                 max_concurrent_participants, connected_micros, started_at, ended_at, heartbeat_at, created_at, \
                 updated_at) VALUES ('{id}', '{app_id}', '{meeting_id}', 'meeting', 'ENDED', '{MARK}', '{MARK}', \
                 0, 1, 5, 1, 6, 6, 1, 6)"
            )
        };
        let livestream = |id: &str| {
            format!(
                "INSERT INTO livestreams (id, app_id, meeting_id, name, status, disabled, ingest_server, stream_key, \
                 playback_url, created_at, updated_at) VALUES ('{id}', '{app_id}', '{meeting_id}', '{MARK}', 'IDLE', \
                 FALSE, 'rtmps://{MARK}', {bytes}, 'https://{MARK}', 1, 1)"
            )
        };
        let fresh = uuid::Uuid::new_v4().to_string();
        let statements = match parameter {
            "preset_id" => {
                let made = app.post("/presets", preset()).await.expect(201).ok();
                return made["id"].as_str().unwrap().to_owned();
            }
            "webhook_id" => {
                let made = app.post("/webhooks", webhook()).await.expect(201).ok();
                return made["id"].as_str().unwrap().to_owned();
            }
            "delivery_id" => vec![format!(
                "INSERT INTO deliveries (id, app_id, webhook_id, session_id, seq, event, body, status, created_at, \
                 updated_at) VALUES ('{id}', '{app_id}', '{}', '', 1, 'meeting.started', '{{\"a\": \"{MARK}\"}}', \
                 'DELIVERED', 1, 1)",
                self.ids["webhook_id"]
            )],
            "session_id" => vec![session(&id)],
            "peer_id" => vec![
                session(&fresh),
                format!(
                    "INSERT INTO peers (id, session_id, participant_id, custom_participant_id, display_name, \
                     preset_name, search_text, joined_at, left_at, connected_micros, created_at, updated_at) VALUES \
                     ('{id}', '{fresh}', '{participant}', '{MARK}', '{MARK}', 'p', '{MARK}', 1, 6, 5, 1, 6)"
                ),
            ],
            "recording_id" => vec![format!(
                "INSERT INTO recordings (id, app_id, meeting_id, kind, status, output_file_name, search_text, \
                 invoked_at, created_at, updated_at) VALUES \
                 ('{id}', '{app_id}', '{meeting_id}', 'COMPOSITE', 'ERRORED', '{MARK}', '{MARK}', 1, 1, 1)"
            )],
            "livestream_id" => vec![livestream(&id)],
            "livestream-session-id" => vec![
                livestream(&fresh),
                format!(
                    "INSERT INTO livestream_sessions (id, app_id, livestream_id, err_message, invoked_at, \
                     ingest_micros, viewer_micros, created_at, updated_at) VALUES \
                     ('{id}', '{app_id}', '{fresh}', '{MARK}', 1, 5, 5, 1, 1)"
                ),
            ],
            unknown => panic!("no record for {{{unknown}}} in a path: tell this test how to make one"),
        };
        for sql in statements {
            server.database().execute(sql).await;
        }
        id
    }

    /// A route's path with this tenant's ids, but for those given.
    fn path(&self, route: &Route, but: &[(&str, &str)]) -> String {
        let mut path = route.path.to_owned();
        for name in route.path_params() {
            let id = but
                .iter()
                .find(|(other, _)| *other == name)
                .map_or(self.ids[name].as_str(), |(_, id)| id);
            path = path.replace(&format!("{{{name}}}"), id);
        }
        path
    }

    /// What the tenant itself reads on every route, without what changes by reading.
    async fn everything(&self) -> BTreeMap<String, (u16, Value)> {
        let mut all = BTreeMap::new();
        for route in routes().iter().filter(|route| route.method == Method::GET) {
            let answer = self.owner.get(&self.path(route, &[])).await;
            assert!(matches!(answer.status, 200 | 404), "{route:?}: {}", answer.text);
            let mut body = answer.body;
            if let Some(tokens) = body["data"].as_array_mut() {
                for token in tokens.iter_mut().filter_map(Value::as_object_mut) {
                    token.remove("last_used_at");
                }
            }
            all.insert(format!("{route:?}"), (answer.status, body));
        }
        all
    }

    /// Fails if an answer tells anything of this tenant that its path did not.
    fn told_nothing(&self, answer: &Answer, path: &str, case: &str) {
        let secrets = self.ids.values().map(String::as_str).chain([MARK]);
        for secret in secrets.filter(|secret| !path.contains(secret)) {
            assert!(!answer.text.contains(secret), "{case}: {}", answer.text);
        }
    }
}

fn preset() -> Value {
    json!({"name": MARK, "config": {}, "permissions": {}, "ui": {}})
}

fn webhook() -> Value {
    json!({"name": MARK, "url": format!("https://{MARK}.example/hook"), "events": ["meeting.started"]})
}

/// A body that a route accepts, so that a foreign id is looked up rather than a body refused.
fn body(route: &Route, ids: &BTreeMap<&'static str, String>) -> Option<Value> {
    let whole = matches!(route.method, Method::POST | Method::PUT);
    if !whole {
        return (route.method == Method::PATCH).then(|| json!({"name": "mine"}));
    }
    let person = json!({"custom_participant_id": "mine", "preset_name": "group_call_host"});
    let last = route.path.rsplit('/').next().unwrap_or_default();
    Some(match last {
        "apps" => json!({"name": "mine"}),
        "tokens" => json!({"permission": "realtime"}),
        "participants" | "{participant_id}" => person,
        "presets" | "{preset_id}" => preset(),
        "webhooks" | "{webhook_id}" => webhook(),
        "recordings" => json!({"meeting_id": ids["meeting_id"]}),
        "track" => json!({"meeting_id": ids["meeting_id"], "layers": {"default": {"media_kind": "audio"}}}),
        "{recording_id}" => json!({"action": "stop"}),
        "kick" => json!({"participant_ids": [ids["participant_id"]], "custom_participant_ids": []}),
        "mute-all" => json!({"allow_unmute": true}),
        "mute" => json!({"participant_ids": [ids["participant_id"]]}),
        "poll" => json!({"question": "q", "options": ["a", "b"], "anonymous": false, "hide_votes": false}),
        _ => json!({}),
    })
}

/// Everybody who is not the tenant, or not with the right.
struct Strangers {
    /// Who shows nothing that counts.
    unauthenticated: Vec<(&'static str, Api)>,
    /// Who shows a token of the tenant's account without the right to its tokens.
    plain: Api,
    /// Another account, with an app of its own.
    other: Api,
    other_app: String,
    /// Another app of the tenant's account.
    sibling_app: String,
}

impl Strangers {
    async fn gather(server: &Server, tenant: &Tenant) -> Self {
        let owner = &tenant.owner;
        let token = async |permission, life| server.token(&owner.account, permission, life).await;
        let (_, plain) = token(Permission::Realtime, None).await;
        let (_, expired) = token(Permission::RealtimeAdmin, Some(Duration::from_millis(1))).await;
        let (id, revoked) = token(Permission::RealtimeAdmin, None).await;
        let tokens = owner.at(&format!("/accounts/{}/realtime/tokens", owner.account));
        tokens.delete(&format!("/{id}")).await.expect(200);
        let other = server.api().await;
        let unknown = format!("muster_{}", "A".repeat(43));
        Self {
            unauthenticated: vec![
                ("no credentials", owner.without_token()),
                ("an unknown token", owner.with_token(unknown)),
                ("an expired token", owner.with_token(expired)),
                ("a revoked token", owner.with_token(revoked)),
            ],
            plain: owner.with_token(plain),
            other_app: other.app().await.id,
            sibling_app: owner.app().await.id,
            other,
        }
    }
}

/// A way to call a route, and the one status that is right.
struct Case {
    about: &'static str,
    caller: Api,
    path: String,
    status: u16,
}

fn cases(route: &Route, tenant: &Tenant, strangers: &Strangers) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |about, caller: &Api, path: &str, status| {
        let (caller, path) = (caller.clone(), path.to_owned());
        cases.push(Case {
            about,
            caller,
            path,
            status,
        });
    };
    let (owner, other) = (&tenant.owner, &strangers.other);
    let path = tenant.path(route, &[]);
    for (about, caller) in &strangers.unauthenticated {
        add(about, caller, &path, 401);
        add(about, &caller.at_root(""), &path, 401);
    }
    add(
        "a participant's token",
        &owner.with_token(&tenant.participant_token),
        &path,
        403,
    );
    if route.access == Access::AnyToken {
        add("another account", other, &path, 200);
        return cases;
    }
    add("another account's token", other, &path, 403);
    if route.access == Access::AccountAdmin {
        add("a token without the right", &strangers.plain, &path, 403);
    }
    let account = ("account_id", other.account.as_str());
    let names: Vec<_> = route.path_params().collect();
    if names.contains(&"app_id") {
        add(
            "a foreign app in one's own account",
            other,
            &tenant.path(route, &[account]),
            404,
        );
    }
    // In an account and an app of one's own only further ids are foreign; where there are none, only
    // reading could tell something.
    let deep = names.iter().any(|name| !matches!(*name, "account_id" | "app_id")) || names_meeting(route);
    let status = match route.method {
        _ if deep => 404,
        Method::GET => 200,
        _ => return cases,
    };
    let mine = tenant.path(route, &[account, ("app_id", &strangers.other_app)]);
    add("foreign ids in one's own app", other, &mine, status);
    if names.contains(&"app_id") {
        let beside = tenant.path(route, &[("app_id", &strangers.sibling_app)]);
        add("another app of the account", owner, &beside, status);
    }
    cases
}

/// Whether the body of a route names the meeting it is about.
fn names_meeting(route: &Route) -> bool {
    route.method == Method::POST && matches!(route.path.rsplit('/').next(), Some("recordings" | "track"))
}

async fn every_route_is_closed_to_strangers(db: Database) {
    let server = Server::start(db).await;
    let tenant = Tenant::settle(&server).await;
    let strangers = Strangers::gather(&server, &tenant).await;
    let before = tenant.everything().await;
    let mut wrong = Vec::new();
    for route in routes() {
        assert_ne!(
            route.access,
            Access::Public,
            "{route:?}: nothing of the API is public"
        );
        for Case {
            about,
            caller,
            path,
            status,
        } in cases(&route, &tenant, &strangers)
        {
            let call = caller.call(route.method.clone(), &path);
            let answer = match body(&route, &tenant.ids) {
                Some(body) => call.json(&body).send().await,
                None => call.send().await,
            };
            let case = format!("{about} at {route:?}");
            tenant.told_nothing(&answer, &path, &case);
            if answer.status != status {
                wrong.push(format!("{case}: {} {}", answer.status, answer.text));
            } else if status >= 400 {
                answer.refused(status);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let after = tenant.everything().await;
    for (route, told) in &before {
        assert_eq!(told, &after[route], "{route}: a stranger changed it");
    }
    let marked = |(_, body): &(u16, Value)| body.to_string().contains(MARK);
    assert!(before.values().any(marked), "the mark is where it can be read");
}

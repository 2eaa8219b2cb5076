//! The web page as a running server serves it. What is in the page, `e2e/web` asks in a browser.

use http::Method;
use muster_testkit::{Api, Database, Muster, Server};
use serde_json::json;

#[tokio::test]
async fn pages_are_told_of_their_server() {
    let server = Server::builder(Database::Sqlite)
        .with(|settings| {
            settings.base_domain = Some("rtk.test:8443".into());
            settings.public_url = Some("https://meet.example.org/".parse().unwrap());
        })
        .start()
        .await;
    let anybody = server.api().await.at_root("");
    let told = anybody.get("/settings.json").await.expect(200);
    assert_eq!(
        told.body,
        json!({"public_url": "https://meet.example.org", "base_domain": "rtk.test:8443", "dev": false})
    );
    // Only muster dev leads requests elsewhere.
    anybody.get("/dev-origin.js").await.refused(404);
    // Whether the page was built beside these tests or not.
    for path in ["/", "/console/apps", "/meet/0", "/meet"] {
        let page = anybody.get(path).await;
        assert!(matches!(page.status, 200 | 501), "{path}: {}", page.text);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        anybody.call(Method::POST, path).send().await.refused(405);
    }
    anybody.get("/consoles").await.refused(404);
    anybody.get("/meet/0/1").await.refused(404);
    anybody.get("/assets/none.js").await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn the_first_command_prints_links_that_hold() {
    let muster = Muster::new(Database::Sqlite).await;
    let server = muster.dev();
    let anybody = Api::new(&server.origin, "", "").at_root("");
    let meeting = server.told("meeting").unwrap();
    for (who, name) in [("host", "Ada"), ("guest", "Grace")] {
        let link = server.told(who).unwrap();
        let (address, token) = link.split_once("#token=").unwrap();
        assert!(address.ends_with(&format!("/meet/{meeting}")), "{link}");
        let details = anybody
            .with_token(token)
            .get("/v2/internals/participant-details")
            .await;
        assert_eq!(details.ok()["participant"]["name"], name);
    }
    let script = anybody.get("/dev-origin.js").await.expect(200);
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert!(
        script.text.contains("const base = 'localhost';"),
        "{}",
        script.text
    );
    assert_eq!(anybody.get("/settings.json").await.body["dev"], true);
    // Whoever was removed has no link any more, and comes not back by a restart.
    let owner = Api::new(
        &server.origin,
        server.told("account").unwrap(),
        server.told("token").unwrap(),
    );
    let people = owner.at_app(server.told("app").unwrap()).at_meeting(meeting);
    let guest = people
        .get("/participants?custom_participant_id=guest")
        .await
        .each("id");
    people
        .delete(&format!("/participants/{}", guest[0]))
        .await
        .expect(200);
    assert_eq!(server.terminate(), Some(0));
    let again = muster.dev();
    assert!(again.told("host").is_some());
    assert_eq!(again.told("guest"), None);
    assert_eq!(again.terminate(), Some(0));
}

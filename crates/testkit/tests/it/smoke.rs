//! The testkit itself: a server in the test and a server as a process, on both databases.

use muster_testkit::{Database, Muster, Server, both};

both!(a_server_in_the_test_answers, a_server_process_answers,);

async fn a_server_in_the_test_answers(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    let ada = meeting.participant("ada").await;
    let list = meeting.get("/participants").await.expect(200);
    assert_eq!(list.paging(), (1, 1, 1));
    assert_eq!(list.each("id"), [ada["id"].as_str().unwrap()]);
    assert_eq!(
        server
            .database()
            .number("SELECT COUNT(*) FROM participants")
            .await,
        1
    );
    server.stop().await;
}

async fn a_server_process_answers(db: Database) {
    let muster = Muster::new(db).await;
    let server = muster.serve(&[]);
    let meeting = muster.api(&server).app().await.meeting().await;
    meeting.participant("ada").await;
    assert_eq!(meeting.get("/participants").await.paging().0, 1);
    assert_eq!(server.terminate(), Some(0));
}

//! Key-value stores: read before coming in, written for everybody, bounded.

use muster_testkit::{Database, Guest, both};
use muster_wire::{
    event,
    socket::plugin::{
        PluginStoreDeleteKeysRequest, PluginStoreGetKeysRequest, PluginStoreInsertKeysRequest,
        PluginStoreItem, PluginStoreResponse, StoreKeys,
    },
};

use super::{Stage, kit::kick_all};

both!(
    a_store_is_read_before_coming_in,
    what_is_written_reaches_everybody,
    keys_are_deleted_for_everybody,
    a_store_is_bounded,
    a_store_as_long_as_may_be_is_read_whole,
    stores_end_with_their_session,
);

const STORE: &str = "__rtk_plugins__";

fn keys(names: &[&str]) -> Vec<StoreKeys> {
    let key = |name: &&str| StoreKeys {
        store_key: (*name).to_owned(),
        payload: None,
    };
    names.iter().map(key).collect()
}

async fn read(guest: &mut Guest, names: &[&str]) -> PluginStoreResponse {
    let wish = PluginStoreGetKeysRequest {
        plugin_id: guest.meeting.clone(),
        store_name: STORE.to_owned(),
        get_keys: keys(names),
    };
    guest.request(event::STORE_GET_KEYS, &wish).await
}

fn insert(guest: &Guest, items: &[(&str, &str)]) -> PluginStoreInsertKeysRequest {
    let item = |(key, payload): &(&str, &str)| StoreKeys {
        store_key: (*key).to_owned(),
        payload: Some(payload.as_bytes().to_vec().into()),
    };
    PluginStoreInsertKeysRequest {
        plugin_id: guest.meeting.clone(),
        store_name: STORE.to_owned(),
        insert_keys: items.iter().map(item).collect(),
    }
}

fn delete(guest: &Guest, names: &[&str]) -> PluginStoreDeleteKeysRequest {
    PluginStoreDeleteKeysRequest {
        plugin_id: guest.meeting.clone(),
        store_name: STORE.to_owned(),
        delete_keys: keys(names),
    }
}

fn pairs(items: &[PluginStoreItem]) -> Vec<(&str, &str)> {
    items
        .iter()
        .map(|item| {
            (
                item.store_key.as_str(),
                std::str::from_utf8(&item.payload).unwrap(),
            )
        })
        .collect()
}

async fn a_store_is_read_before_coming_in(db: Database) {
    let stage = Stage::new(db).await;
    // The SDK's init() waits for this one, long before it asks to come in.
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    let told = read(&mut ana, &[]).await;
    assert_eq!(
        (told.plugin_id.as_str(), told.store_name.as_str()),
        (stage.meeting.id.as_str(), STORE)
    );
    assert!(told.store_items.is_empty());
    let early = insert(&ana, &[("a", "1")]);
    ana.refused(event::STORE_INSERT_KEYS, &early).await;
    ana.come_in().await;
    assert!(read(&mut ana, &[]).await.store_items.is_empty());
}

async fn what_is_written_reaches_everybody(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut outside = Guest::connect(&stage.origin(), &stage.participant("Out").await).await;
    let writer = bo.peer.clone();
    let items = insert(&bo, &[("b", "{\"x\":[1]}"), ("a", "null")]);
    bo.tell(event::STORE_INSERT_KEYS, &items).await;
    for guest in [&mut ana, &mut bo] {
        let told: PluginStoreResponse = guest.hear(event::STORE_INSERT_KEYS).await;
        assert_eq!(told.plugin_id, stage.meeting.id);
        assert_eq!(told.store_name, STORE);
        let mut written = pairs(&told.store_items);
        written.sort_unstable();
        assert_eq!(written, [("a", "null"), ("b", "{\"x\":[1]}")]);
        assert!(told.store_items.iter().all(|item| item.peer_id == writer));
    }
    // A later value takes the place of an earlier one.
    let items = insert(&ana, &[("a", "\"anew\"")]);
    ana.tell(event::STORE_INSERT_KEYS, &items).await;
    let told: PluginStoreResponse = bo.hear(event::STORE_INSERT_KEYS).await;
    assert_eq!(pairs(&told.store_items), [("a", "\"anew\"")]);
    assert_eq!(told.store_items[0].peer_id, ana.peer);

    let mut late = Guest::join(&stage.origin(), &stage.participant("Late").await).await;
    let told = read(&mut late, &[]).await;
    assert_eq!(
        pairs(&told.store_items),
        [("a", "\"anew\""), ("b", "{\"x\":[1]}")]
    );
    let told = read(&mut late, &["b", "nothing", "b"]).await;
    assert_eq!(pairs(&told.store_items), [("b", "{\"x\":[1]}")]);
    assert!(!outside.pushed_events().await.contains(&event::STORE_INSERT_KEYS));
    assert!(read(&mut outside, &[]).await.store_items.is_empty());
}

async fn keys_are_deleted_for_everybody(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let items = insert(&ana, &[("a", "1"), ("b", "2"), ("c", "3")]);
    ana.tell(event::STORE_INSERT_KEYS, &items).await;
    bo.hear::<PluginStoreResponse>(event::STORE_INSERT_KEYS).await;
    let gone = delete(&bo, &["c", "a", "nothing"]);
    bo.tell(event::STORE_DELETE_KEYS, &gone).await;
    for guest in [&mut ana, &mut bo] {
        let told: PluginStoreResponse = guest.hear(event::STORE_DELETE_KEYS).await;
        assert_eq!(pairs(&told.store_items), [("a", ""), ("c", "")]);
    }
    let told = read(&mut ana, &[]).await;
    assert_eq!(pairs(&told.store_items), [("b", "2")]);
}

async fn a_store_is_bounded(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let broken = insert(&ana, &[("good", "1"), ("bad", "{")]);
    ana.refused(event::STORE_INSERT_KEYS, &broken).await;
    let names: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "0")).collect();
    let too_many = insert(&ana, &many);
    ana.refused(event::STORE_INSERT_KEYS, &too_many).await;
    assert!(
        read(&mut ana, &[]).await.store_items.is_empty(),
        "all of it or nothing"
    );
    let enough = insert(&ana, &many[..1000]);
    ana.tell(event::STORE_INSERT_KEYS, &enough).await;
    let told: PluginStoreResponse = bo.hear(event::STORE_INSERT_KEYS).await;
    assert_eq!(told.store_items.len(), 1000);
    let one_more = insert(&ana, &[("one more", "0")]);
    ana.refused(event::STORE_INSERT_KEYS, &one_more).await;
    let there = insert(&ana, &[("7", "1")]);
    ana.tell(event::STORE_INSERT_KEYS, &there).await;
    let told: PluginStoreResponse = bo.hear(event::STORE_INSERT_KEYS).await;
    assert_eq!(pairs(&told.store_items), [("7", "1")]);
}

async fn stores_end_with_their_session(db: Database) {
    let stage = Stage::new(db).await;
    let token = stage.host("Ana").await;
    let mut ana = Guest::join(&stage.origin(), &token).await;
    let items = insert(&ana, &[("a", "1")]);
    ana.tell(event::STORE_INSERT_KEYS, &items).await;
    assert_eq!(read(&mut ana, &[]).await.store_items.len(), 1);
    kick_all(&stage).await.expect(200);
    ana.closed().await;
    let mut ana = Guest::join(&stage.origin(), &token).await;
    assert!(read(&mut ana, &[]).await.store_items.is_empty());
}

async fn a_store_as_long_as_may_be_is_read_whole(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let value = format!("\"{}\"", "x".repeat(1_000_000));
    for key in ["a", "b", "c", "d"] {
        let wish = insert(&ana, &[(key, &value)]);
        ana.tell(event::STORE_INSERT_KEYS, &wish).await;
        ana.hear::<PluginStoreResponse>(event::STORE_INSERT_KEYS).await;
    }
    let rest = format!("\"{}\"", "y".repeat(190_000));
    let wish = insert(&ana, &[("e", &rest)]);
    ana.tell(event::STORE_INSERT_KEYS, &wish).await;
    ana.hear::<PluginStoreResponse>(event::STORE_INSERT_KEYS).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let found = read(&mut bo, &[]).await;
    assert_eq!(found.store_items.len(), 5);
}

//! The saved inputs of the fuzz target `room_story`, and random ones.

use proptest::prelude::*;

#[path = "../../../../fuzz/story.rs"]
mod story;

#[test]
fn saved_stories_end_well() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/room_story");
    let mut told = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        story::tell(&std::fs::read(entry.expect("an entry").path()).expect("a story"));
        told += 1;
    }
    assert!(told >= 20, "{told} stories");
}

proptest! {
    #[test]
    fn any_story_ends_well(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        story::tell(&data);
    }
}

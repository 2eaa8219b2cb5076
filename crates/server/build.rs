//! Has the program built anew when the web page was: `web/dist` is embedded by `src/web/`.

fn main() {
    let built = "../../web/dist";
    // A folder that is not there would have this crate built anew each time; an empty one is the same to all
    // who look into it. Where it cannot be made, nothing can be built into it either.
    if std::path::Path::new(built).is_dir() || std::fs::create_dir_all(built).is_ok() {
        println!("cargo::rerun-if-changed={built}");
    } else {
        println!("cargo::rerun-if-changed=build.rs");
    }
}

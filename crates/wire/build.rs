//! Turns `proto/*.proto` into Rust; protox needs no `protoc`.

use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<_> = fs::read_dir("proto")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    prost_build::Config::new()
        .bytes(["."])
        .include_file("protocol.rs")
        .compile_fds(descriptors)?;
    Ok(())
}

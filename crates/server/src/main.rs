//! The `muster` program.

use std::process::ExitCode;

/// glibc's allocator gives memory back and takes it again with every larger answer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    muster_server::cli::main()
}

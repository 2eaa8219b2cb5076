//! The `muster` program.

use std::process::ExitCode;

/// glibc's allocator gives memory back and takes it again with every larger answer. Without huge pages: each
/// thread would hold 2 MB for its few small things, and more for those of participants who left.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    muster_server::cli::main()
}

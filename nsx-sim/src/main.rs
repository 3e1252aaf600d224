//! The `nsx-sim` binary: see `nsx-sim --help`.

fn main() -> std::process::ExitCode {
    nsx_sim::cli::run()
}

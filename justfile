# Recipes for daily work: `just` lists them.

set positional-arguments

[private]
default:
    @just --list --unsorted

# Build everything
build:
    cargo build --workspace --all-targets

# Run all tests, and each bench once
test *args:
    cargo test --workspace "$@"

# The manager without the lab, in target/release
manager:
    cargo build --release --locked --package nsx-sim --no-default-features

# Formatting, lints and documentation, without a warning
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Run a manager; options as for `nsx-sim serve`
serve *args:
    cargo run --release -- serve "$@"

# Follow the micro-segmentation guide; options as for `nsx-sim guide`
guide *args:
    cargo run --release -- guide "$@"

# Measure
bench *args:
    cargo bench --package benches "$@"

# Run clients that others wrote against the simulator (needs Go and Python)
clients:
    tests/clients/run

# Run the tests of rows that threads share and that are read unchecked under Miri (needs a nightly toolchain with miri)
miri *args:
    MIRIFLAGS="-Zmiri-disable-isolation" cargo +nightly miri test --package dataplane --lib --test suite -- bitmap:: publishing:: at_size:: "$@"

# Run all of the dataplane's tests under AddressSanitizer (needs a nightly toolchain)
asan *args:
    RUSTFLAGS="-Zsanitizer=address" cargo +nightly test --package dataplane --lib --tests --target x86_64-unknown-linux-gnu --target-dir target/asan "$@"

# Fuzz each target of the dataplane for so many seconds (needs a nightly toolchain and cargo-fuzz)
fuzz seconds="60":
    cd dataplane && for target in frame filter edits; do cargo +nightly fuzz run --fuzz-dir fuzz "$target" -- -max_total_time="$1"; done

# Make every call of the conformance run: some hundred thousand, in about a minute
conformance:
    cargo test --package tests --test it conformance -- --include-ignored --nocapture

# Everything that a change must pass
ci:
    .ci/run

# A static binary in target/x86_64-unknown-linux-musl/release (needs musl-gcc)
static:
    rustup target add x86_64-unknown-linux-musl
    cargo build --release --locked --package nsx-sim --target x86_64-unknown-linux-musl

# A container image
image tag="nsx-sim":
    docker build --tag "$1" .

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

# A static binary in an empty image: no shell, no libraries, no root.

FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/*
# The image's own toolchain, without the components that only developers need.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN rustup target add x86_64-unknown-linux-musl
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package nsx-sim --target x86_64-unknown-linux-musl

FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-musl/release/nsx-sim /nsx-sim
USER 65532:65532
ENV NSX_SIM_LISTEN=0.0.0.0:8443
EXPOSE 8443
# Asks https://127.0.0.1:8443 with the user and password of the environment. Whoever changes port or
# protocol says so in NSX_SIM_URL.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/nsx-sim", "health"]
ENTRYPOINT ["/nsx-sim"]
CMD ["serve"]

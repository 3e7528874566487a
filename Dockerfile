# weir in a container, serving conf/weir.ini on port 9000:
#
#     docker build -t weir . && docker run --rm --read-only -p 9000:9000 weir
#
# With a configuration of your own: -v "$PWD/my.ini:/etc/weir/weir.ini:ro". docs/deploy.md says more.
# SPDX-License-Identifier: MIT
ARG BASE=debian:trixie-slim

FROM ${BASE} AS builder
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        gcc make pkg-config libc6-dev check \
        libcivetweb-dev libssl-dev zlib1g-dev libjansson-dev libedit-dev uthash-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# `make install` also installs the headers, for images that compile plug-ins in this stage.
RUN make -j "$(nproc)" all build-tests && make check-unit && make install

FROM ${BASE}
# The suffix in parentheses: Debian 13 appends t64 to some package names.
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        libcivetweb1 '^libssl3(t64)?$' zlib1g libjansson4 libedit2 && \
    apt-get clean && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local/bin/weir /usr/local/bin/weir
COPY conf/weir.ini /etc/weir/weir.ini
COPY LICENSE /usr/share/doc/weir/copyright
LABEL org.opencontainers.image.title="weir" \
      org.opencontainers.image.description="A WebSocket server whose handlers may block" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
USER 10001:10001
# Health and metrics. The admin API on the same port needs a token: WEIR_ADMIN_TOKEN_FILE.
ENV WEIR_ADMIN_LISTEN=0.0.0.0:9001
EXPOSE 9000 9001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/weir", "health", "-c", "/etc/weir/weir.ini"]
ENTRYPOINT ["/usr/local/bin/weir"]
CMD ["serve", "-c", "/etc/weir/weir.ini"]

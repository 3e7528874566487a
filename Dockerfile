# weir in a container, serving conf/weir.ini on port 9000:
#
#     docker build -t weir . && docker run -p 9000:9000 weir
#
# With a configuration of your own: docker run -p 9000:9000 -v $PWD/my.ini:/etc/weir/weir.ini:ro weir
# SPDX-License-Identifier: MIT
ARG BASE=debian:trixie-slim

FROM ${BASE} AS builder
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        gcc make libc6-dev libcivetweb-dev libini-config-dev libssl-dev zlib1g-dev libjansson-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make -j "$(nproc)" all

FROM ${BASE}
# Two names are regular expressions: Debian 13 has appended t64 to them.
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        libcivetweb1 '^libini-config5(t64)?$' '^libssl3(t64)?$' zlib1g && \
    apt-get clean && rm -rf /var/lib/apt/lists/*
COPY --from=builder /src/build/release/weir /usr/local/bin/weir
COPY conf/weir.ini /etc/weir/weir.ini
USER 10001:10001
EXPOSE 9000
STOPSIGNAL SIGTERM
ENTRYPOINT ["weir"]
CMD ["serve", "-c", "/etc/weir/weir.ini"]

# syntax=docker/dockerfile:1

# Release only: no test tools, and no PostgreSQL or Redis, which the compose file has beside it.
FROM debian:12-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        gcc libc6-dev cmake ninja-build pkg-config python3 \
        libh2o-evloop-dev libssl-dev libpq-dev libhiredis-dev libjansson-dev libjwt-dev \
        libpcre2-dev libargon2-dev libcurl4-openssl-dev libutf8proc-dev libexpat1-dev libidn2-dev libyaml-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release \
    && cmake --build build/release \
    && cmake --install build/release --prefix /opt/spark --strip

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl libh2o-evloop0.13 libssl3 libpq5 libhiredis0.14 libjansson4 libjwt0 \
        libpcre2-8-0 libargon2-1 libcurl4 libutf8proc2 libexpat1 libidn2-0 libyaml-0-2 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin spark
COPY --from=build /opt/spark /opt/spark
ENV PATH=/opt/spark/bin:$PATH HOST=0.0.0.0 PORT=8055
USER 10001:10001
EXPOSE 8055
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/bin/sh", "-c", "exec curl --fail --silent --output /dev/null http://127.0.0.1:$PORT/server/health"]
ENTRYPOINT ["spark"]
CMD ["server"]

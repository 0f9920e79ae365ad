# nginx-cors alone, for a container beside nginx. From the top of the repository:
#
#   docker build -f deploy/docker/nginx-cors.Dockerfile -t nginx-cors .
#
# The two containers share a volume, to which only this one needs to write: see compose.yaml.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
ENV PATH=/root/.cargo/bin:$PATH
RUN apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates curl gcc libc6-dev libprotobuf-dev protobuf-compiler
RUN command -v cargo || curl --proto '=https' --tlsv1.2 -fsS https://sh.rustup.rs | sh -s -- -y --profile minimal
COPY . /source
WORKDIR /source
RUN cargo build --locked -p nginx-cors --profile tool

FROM ${BASE}
# The authorities that sign certificates of servers.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/target/tool/nginx-cors /usr/bin/
# A volume takes over whose the directory is that it is mounted on.
RUN install -d -o 65532 -g 65532 /lists
USER 65532:65532
ENTRYPOINT ["/usr/bin/nginx-cors"]
CMD ["--help"]

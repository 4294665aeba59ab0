# Tallow's image: the server, the command-line peers and the heartbeat checker.
#
#   docker build -t tallow .                          without WebRTC: transfers between peers go over the relay
#   docker build -t tallow --build-arg WEBRTC=1 .     with WebRTC
#
# Builds with the classic builder and with BuildKit. Without a network: put the wheels of the requirements into
# wheels/ first (scripts/wheels).
ARG PYTHON_IMAGE=python:3.13.9-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG WEBRTC=0
WORKDIR /build
COPY requirements/image.txt requirements/run.txt wheels* ./wheels/
RUN set -eu; \
    case "$WEBRTC" in \
        0) requirements=image.txt ;; \
        1) requirements=run.txt ;; \
        *) echo "WEBRTC is '$WEBRTC'; accepted: 0 or 1" >&2; exit 1 ;; \
    esac; \
    offline=; \
    if ls wheels/*.whl >/dev/null 2>&1; then offline=--no-index; fi; \
    python -m venv --without-pip /opt/tallow; \
    python -m pip --python /opt/tallow/bin/python --no-cache-dir --disable-pip-version-check install \
        --no-deps --require-hashes --only-binary :all: --find-links wheels $offline -r "wheels/$requirements"
COPY src/tallow ./tallow
COPY docs/runbooks ./tallow/stack/heartbeat/runbooks
# The root file system is read-only when the image runs: what is not compiled now is compiled at every start.
RUN set -eu; \
    packages=$(/opt/tallow/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
    cp -r tallow "$packages/"; \
    printf '#!/opt/tallow/bin/python\nimport sys\nfrom tallow.cli import main\nsys.exit(main())\n' > /opt/tallow/bin/tallow; \
    chmod 0755 /opt/tallow/bin/tallow; \
    chmod -R go=u-w /opt/tallow; \
    /opt/tallow/bin/python -m compileall -q "$packages"; \
    mkdir -p /folders/var/lib/tallow /folders/var/lib/log-shipper /folders/var/log/tallow; \
    chmod 0700 /folders/var/lib/tallow /folders/var/lib/log-shipper /folders/var/log/tallow

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Tallow" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/tallow /opt/tallow
# New volumes that are mounted there get this owner.
COPY --from=build --chown=10001:10001 /folders/ /
COPY LICENSE /usr/share/doc/tallow/LICENSE
ENV PATH=/opt/tallow/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
# A number: Kubernetes cannot tell whether a name is root's.
USER 10001:10001
WORKDIR /var/lib/tallow
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/api/health/readiness', timeout=4)"]
ENTRYPOINT ["tallow"]
CMD ["serve", "--host", "0.0.0.0", "--port", "3000", "--data-dir", "/var/lib/tallow"]

# One image for every role: worker (default), gateway, Flower, sandbox.

FROM python:3.11.14-slim-bookworm AS build
# Without pip: what is not needed at run time is not in the image.
RUN python -m venv --without-pip /venv
COPY requirements.txt requirements-s3.txt ./
# s3: what s3:// needs as a storage, 47 MB: docker build --build-arg EXTRAS=s3 .
ARG EXTRAS=
RUN pip --python /venv install --no-cache-dir --no-input --require-hashes --no-deps --only-binary :all: -r requirements.txt ${EXTRAS:+-r requirements-$EXTRAS.txt}
RUN printf '#!/bin/sh\nexec python -P /app/renderline/command.py "$@"\n' > /venv/bin/renderline \
    && chmod +x /venv/bin/renderline

FROM python:3.11.14-slim-bookworm
# That of pyproject.toml (a test compares them), and the commit: docker build --build-arg REVISION="$(git rev-parse HEAD)" .
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Renderline" \
      org.opencontainers.image.description="Turns render requests into finished AI Studios videos" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="python:3.11.14-slim-bookworm"
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin renderline \
    && install -d -m 0700 -o renderline -g renderline /var/lib/renderline \
    && install -d -m 0750 -o renderline -g renderline /srv/videos /srv/uploads /srv/uploads/tmp
COPY --from=build /venv /venv
WORKDIR /app
COPY config config
COPY renderline renderline
COPY tasks tasks
COPY workers workers
COPY gunicorn.conf.py pyproject.toml ./
USER 10001
ENV RENDERLINE_DATA_DIR=/var/lib/renderline RENDERLINE_LOG_FORMAT=json RENDERLINE_METRICS_BIND=127.0.0.1:9464
# For the worker, at the address of its metrics; docker-compose.yml has one for each role.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "workers.liveness"]
# The exec form: Celery is process 1 and gets the signals itself.
CMD ["celery", "-A", "workers.app", "worker", "-Q", "requests,submit,poll,hooks"]

# One image for every role: worker (default), gateway, Flower, sandbox.

FROM python:3.11-slim AS build
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --no-input --require-hashes --no-deps -r requirements.txt
RUN printf '#!/bin/sh\nexec python -P /app/renderline/command.py "$@"\n' > /venv/bin/renderline \
    && chmod +x /venv/bin/renderline

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin renderline \
    && install -d -o renderline -g renderline /var/lib/renderline /srv/videos
COPY --from=build /venv /venv
WORKDIR /app
COPY config config
COPY renderline renderline
COPY tasks tasks
COPY workers workers
USER renderline
ENV RENDERLINE_DATA_DIR=/var/lib/renderline RENDERLINE_LOG_FORMAT=json
# The exec form: Celery is process 1 and gets the signals itself.
CMD ["celery", "-A", "workers.app", "worker", "-Q", "requests,submit,poll,hooks"]

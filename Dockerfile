# docker build -t foreshock . && docker run --env-file .env -v foreshock:/data foreshock
# Nothing is written into the image: it runs with --read-only. Stop it with `docker stop`: SIGTERM, ended within 8 s.

FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv .venv && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY run.py ./
COPY actors/ actors/
COPY charts/ charts/
COPY commands/ commands/
COPY config/ config/
COPY intelligence/ intelligence/
COPY simulator/ simulator/
COPY supervisors/ supervisors/
RUN .venv/bin/python -m compileall -q run.py actors charts commands config intelligence simulator supervisors

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin foreshock && install -d -o foreshock /data
COPY --from=build /app /app
WORKDIR /app
USER foreshock
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FORESHOCK_DATA_DIR=/data
VOLUME /data
# 0 healthy, 1 degraded: both watch the markets. Docker knows only 0 and 1, and 1 is unhealthy there.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["sh", "-c", "python run.py status >/dev/null 2>&1 || [ $? -eq 1 ]"]
CMD ["python", "run.py"]

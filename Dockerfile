FROM python:3.11-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY bot ./bot
RUN python -m venv /opt/bot \
    && /opt/bot/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /app bot \
    && install --directory --owner=bot --group=bot --mode=0700 /app/data
COPY --from=build /opt/bot /opt/bot
ENV PATH=/opt/bot/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 BOT_HEALTH__FILE=/app/data/bot.alive
WORKDIR /app
USER bot
# The database, its key and the heartbeat file live here.
VOLUME /app/data
# SIGTERM lets replies under way come to their end; give it longer than relay.drain_seconds, twice, and ten seconds more:
#   docker stop --time 90, or stop_grace_period: 90s in a compose file.
STOPSIGNAL SIGTERM
# The event loop touches the file every ten seconds, wherever the database lies.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, sys, time; sys.exit(time.time() - os.stat(os.environ['BOT_HEALTH__FILE']).st_mtime > 60)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]

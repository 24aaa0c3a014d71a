# The demo in a container: docker build -t rebuy . && docker run --rm -it --network host rebuy
# The local AWS listens on the loopback address alone, so the container shares the host's network.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends make openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home rebuy
USER rebuy
WORKDIR /home/rebuy/checkout
COPY --chown=rebuy . .
RUN make .venv/local && rm -rf ~/.cache
CMD ["sh", "-c", "make demo ARGS=--no-open && exec sleep infinity"]

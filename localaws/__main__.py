"""`python -m localaws`: the AWS API on a loopback port, with its state under one folder."""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

DEFAULT_PORT = 4566


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="localaws", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".localaws"), help="the state folder")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument(
        "--wait-scale", type=float, default=1.0, help="multiplies workflow waits: 0 skips them"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    from localaws.core import server
    from localaws.core.aws import start
    from localaws.services import factories

    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"Another local AWS runs on {home}.", file=sys.stderr)
        return 1
    try:
        listener = server.bind(options.port)
    except (OSError, SystemExit):
        print(f"Port {options.port} is taken; choose another with --port.", file=sys.stderr)
        return 1
    url = f"http://{server.HOST}:{listener.server_port}"
    aws = start(
        home,
        factories(),
        url=url,
        region=options.region,
        wait_scale=options.wait_scale,
    )
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    note = home / "server.json"
    with server.BackgroundServer(listener, aws.gateway):
        note.write_text(
            json.dumps({"pid": os.getpid(), "url": url, "wait_scale": options.wait_scale})
        )
        print(f"localaws is ready at {url}, state in {home}", flush=True)
        done.wait()
        note.unlink(missing_ok=True)
        aws.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

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


PORT_FILE = "port"


def port_of(home: Path, wanted: int | None) -> int:
    """The port to bind. Stacks of a home know their addresses, so a home stays with its port.

    Raises ValueError for another port than the home's.
    """
    file = home / PORT_FILE
    own = int(file.read_text()) if file.exists() else None
    if own is None:
        return DEFAULT_PORT if wanted is None else wanted
    if wanted in (None, 0, own):
        return own
    raise ValueError(
        f"{home} was made with port {own}, which addresses in it (API, site) carry; start it with"
        f" --port {own}, use another --home, or reset it."
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="localaws", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".localaws"), help="the state folder")
    parser.add_argument(
        "--port",
        type=int,
        help=f"0: any free one; default: the home's own, or {DEFAULT_PORT} for a new home",
    )
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument(
        "--wait-scale", type=float, default=1.0, help="multiplies workflow waits: 0 skips them"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    from localaws.core import server
    from localaws.core.aws import start
    from localaws.services import SERVICES

    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"Another local AWS runs on {home}.", file=sys.stderr)
        return 1
    try:
        port = port_of(home, options.port)
        listener = server.bind(port)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, SystemExit):
        print(f"Port {port} is taken; choose another with --port.", file=sys.stderr)
        return 1
    (home / PORT_FILE).write_text(str(listener.server_port))
    url = f"http://{server.HOST}:{listener.server_port}"
    aws = start(
        home,
        SERVICES,
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
        for name, service in aws.gateway.services.items():
            if service.failure is not None:
                print(f"{name} did not start: {service.failure}", file=sys.stderr, flush=True)
        done.wait()
        note.unlink(missing_ok=True)
        aws.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

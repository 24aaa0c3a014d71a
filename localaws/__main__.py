"""`python -m localaws`: the AWS API on a loopback port, with its state under one folder."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from localaws.core.home import claim, locked, write_whole
from localaws.core.jobs.limits import Limits, default, memory
from localaws.identity.authorization import Mode

DEFAULT_PORT = 4566
PORT_FILE = "port"


class PortTaken(ValueError):
    """The port cannot be had; the message says which, and what to do."""


def port_of(home: Path, wanted: int | None) -> int:
    """The port to bind. Stacks of a home know their addresses, so a home stays with its port.

    Raises PortTaken for another port than the home's, ValueError for a damaged file.
    """
    file = home / PORT_FILE
    text = file.read_text("latin-1").strip() if file.exists() else None
    if text is not None and not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(
            f"{file} is damaged: {text[:40]!r} is no port. Write the port into it that the home's"
            f" addresses carry (the first line of server.log has it; {DEFAULT_PORT} if none was"
            " chosen), or delete it if no stack is deployed here."
        )
    own = None if text is None else int(text)
    if own is None:
        return DEFAULT_PORT if wanted is None else wanted
    if wanted in (None, 0, own):
        return own
    raise PortTaken(
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
    parser.add_argument(
        "--job-memory",
        default=os.environ.get("LOCALAWS_JOB_MEMORY"),
        metavar="2GB",
        help="the most that one query, recipe or crawl may have; default: a fifth of the machine's"
        " memory, or what LOCALAWS_JOB_MEMORY says",
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help="accept any credentials: whoever reaches the port may do everything",
    )
    parser.add_argument(
        "--policies",
        choices=[mode.value for mode in Mode],
        default=Mode.ENFORCE.value,
        help="what becomes of IAM's policies: enforce them, observe (refusals are noted and not"
        " made), or off",
    )
    options = parser.parse_args(argv)
    # A person's; what works here has keys of its own, and fails for a profile that no file has.
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        os.environ.pop(name, None)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    home: Path = options.home.resolve()
    limits = default()
    try:
        if options.job_memory:
            limits = replace(limits, memory_bytes=memory(options.job_memory))
        claim(home)
        with locked(home):
            return serve(
                *(home, options.port, options.region, options.wait_scale, limits),
                *(options.open, Mode(options.policies)),
            )
    except BlockingIOError:
        print(f"Another local AWS runs on {home}.", file=sys.stderr)
    except ValueError as error:  # NotAHome, PortTaken, an amount that is none
        print(error, file=sys.stderr)
    return 1


def listen_for_the_end() -> int:
    """A pipe in which a byte comes when the server is told to end, or its terminal was closed.

    A pipe, as the system may give a signal to any thread, and only the main one runs handlers: it
    must wake.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
            signal.signal(number, lambda *_: None)
    return told


def serve(
    home: Path,
    wanted: int | None,
    region: str,
    wait_scale: float,
    limits: Limits,
    accept_any_key: bool,
    policies: Mode,
) -> int:
    """Runs the server of the home until it is told to end. Raises PortTaken."""
    from localaws.core import server
    from localaws.core.aws import start
    from localaws.services import SERVICES

    port = port_of(home, wanted)
    try:
        listener = server.bind(port)
    except (OSError, SystemExit):
        raise PortTaken(f"Port {port} is taken; choose another with --port.") from None
    write_whole(home / PORT_FILE, str(listener.server_port))
    url = f"http://{server.HOST}:{listener.server_port}"
    aws = start(
        home,
        SERVICES,
        url=url,
        region=region,
        wait_scale=wait_scale,
        limits=limits,
        accept_any_key=accept_any_key,
        policies=policies,
        power_safe=True,
    )
    told = listen_for_the_end()
    note = home / "server.json"
    with server.BackgroundServer(listener, aws.gateway):
        about = {"pid": os.getpid(), "url": url, "wait_scale": wait_scale}
        write_whole(note, json.dumps(about))
        print(f"localaws is ready at {url}, state in {home}", flush=True)
        for name, service in aws.gateway.services.items():
            if service.failure is not None:
                print(f"{name} did not start: {service.failure}", file=sys.stderr, flush=True)
        os.read(told, 1)
        note.unlink(missing_ok=True)
        aws.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The local AWS as a background process: up, down, status, reset."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from configuration.errors import InputError, RebuyError
from localaws.core import orphans
from localaws.core.code import fingerprint
from localaws.core.home import NotAHome, claim, holder, remove
from localaws.identity.authorization import Mode
from rebuy.cli.background import POLL_SECONDS, Background, end, get_json

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """A local AWS that runs: written to `<home>/server.json` while it does."""

    pid: int
    url: str
    wait_scale: float


def find(home: Path) -> Server | None:
    """The server of this home, if it answers."""
    return _process(home).find()


def up(
    home: Path,
    port: int | None,
    wait_scale: float,
    *,
    accept_any_key: bool = False,
    policies: str = Mode.ENFORCE.value,
) -> Server:
    """Starts the server of this home, or finds the one that runs already.

    It takes the keys that the home issued, or any, where whoever reaches the port may do all.
    `policies`: what becomes of IAM's (enforce, observe, off).

    Raises InputError for a folder that cannot be a home, RebuyError with the end of its log when
    it does not come up, or with its process when it runs and does not answer.
    """
    process = _process(home)
    try:
        claim(home)
    except NotAHome as error:
        raise InputError(str(error)) from error
    if policies not in (known := [mode.value for mode in Mode]):
        raise InputError(f"--policies is one of {', '.join(known)}, not {policies!r}.")
    running = _wait_for(home, process)
    if running is not None:
        return running
    options = ["--home", str(home), "--wait-scale", str(wait_scale), "--policies", policies]
    if port is not None:
        options += ["--port", str(port)]
    if accept_any_key:
        options.append("--open")
    return process.up("localaws", *options)


@dataclass(frozen=True)
class Troubles:
    """What is wrong with a server that runs: services that did not start, with what to do about
    it, and whether it runs other code than is here."""

    failed: dict[str, str]
    other_code: bool

    def sentences(self) -> Iterator[str]:
        for service, reason in self.failed.items():
            yield f"{service} did not start: {reason}"
        if self.other_code:
            yield (
                "it runs other code than is here now: `rebuy local down` ends it, and the next"
                " start takes what is here"
            )


def troubles(server: Server) -> Troubles:
    health = get_json(f"{server.url}/_aws/health")
    if not isinstance(health, dict):
        return Troubles({}, other_code=False)
    return Troubles(dict(health["failed"]), health.get("code") != fingerprint())


def down(home: Path) -> bool:
    """Stops the server and everything it started; False when none was running.

    It runs while it holds the home, even if it starts, hangs or was suspended. A console beside it
    ends by itself a moment later.
    """
    pid = holder(home)
    while pid is not None and holder(home) == pid:
        end(pid, STOP_SECONDS)
    (home / "server.json").unlink(missing_ok=True)
    orphans.end_of_home(home)
    return pid is not None


def reset(home: Path) -> None:
    """Stops the server and deletes what the home made, nothing else in the folder.

    Raises InputError for a folder that is no local AWS's home.
    """
    if not home.exists():
        return
    down(home)
    try:
        remove(home)
    except NotAHome as error:
        raise InputError(str(error)) from error
    except BlockingIOError:
        raise InputError(f"A local AWS was just started on {home}; nothing was deleted.") from None


def describe(home: Path) -> dict[str, object]:
    """{running, home} and, while it runs, what it wrote of itself, with the services that did not
    start (`failed`) and whether it runs `other_code` than is here, if so.

    One that does not answer has only its `pid`, and `answers` false.
    """
    server = find(home)
    if server is not None:
        found = {name: value for name, value in asdict(troubles(server)).items() if value}
        return {"running": True, "home": str(home), **asdict(server), **found}
    pid = holder(home)
    about = {} if pid is None else {"pid": pid, "answers": False}
    return {"running": pid is not None, "home": str(home), **about}


def _wait_for(home: Path, process: Background[Server]) -> Server | None:
    """The server that holds the home, once it answers; None when none does."""
    deadline = time.monotonic() + START_SECONDS
    while (pid := holder(home)) is not None:
        server = process.find()
        if server is not None:
            return server
        if time.monotonic() > deadline:
            raise RebuyError(
                f"The local AWS of {home} runs (process {pid}) and does not answer;"
                " `rebuy local down` ends it."
            )
        time.sleep(POLL_SECONDS)
    return None


def _process(home: Path) -> Background[Server]:
    def answers(server: Server) -> bool:
        health = get_json(f"{server.url}/_aws/health")
        return isinstance(health, dict) and health.get("home") == str(home.resolve())

    return Background(
        title="The local AWS",
        record=home / "server.json",
        log=home / "server.log",
        kind=Server,
        answers=answers,
        start_seconds=START_SECONDS,
        stop_seconds=STOP_SECONDS,
    )

"""The local AWS as a background process: up, down, status, reset."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from rebuy.cli.background import Background, get_json
from rebuy.errors import InputError

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


def up(home: Path, port: int | None, wait_scale: float) -> Server:
    """Starts the server of this home, or finds the one that runs already.

    Raises RebuyError with the end of its log when it does not come up.
    """
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "localaws", "--home", str(home)]
    command += ["--wait-scale", str(wait_scale)]
    if port is not None:
        command += ["--port", str(port)]
    return _process(home).up(command)


def down(home: Path) -> bool:
    """Stops the server and everything it started; False when none was running.

    A console beside it ends by itself a moment later.
    """
    return _process(home).down()


def reset(home: Path) -> None:
    """Stops the server and deletes its state. Refuses a folder that is no local AWS's home."""
    down(home)
    if not home.exists():
        return
    if not (home / "documents.sqlite").exists() and any(home.iterdir()):
        raise InputError(f"{home} is not the home of a local AWS; nothing was deleted.")
    shutil.rmtree(home)


def describe(home: Path) -> dict[str, object]:
    """{running, home} and, while it runs, what it wrote of itself."""
    server = find(home)
    about = asdict(server) if server is not None else {}
    return {"running": server is not None, "home": str(home), **about}


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

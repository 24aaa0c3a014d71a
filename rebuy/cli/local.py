"""The local AWS as a background process: up, down, status, reset."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from rebuy.errors import InputError, RebuyError

DEFAULT_HOME = Path(".localaws")
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
    file = home / "server.json"
    if not file.exists():
        return None
    try:
        server = Server(**json.loads(file.read_text()))
    except (ValueError, TypeError):
        return None
    return server if _answers(server.url, home) else None


def up(home: Path, port: int | None, wait_scale: float) -> Server:
    """Starts the server of this home, or finds the one that runs already.

    Raises RebuyError with the end of its log when it does not come up.
    """
    running = find(home)
    if running is not None:
        return running
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    command = [sys.executable, "-m", "localaws", "--home", str(home)]
    command += ["--wait-scale", str(wait_scale)]
    if port is not None:
        command += ["--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        server = find(home)
        if server is not None and server.pid == process.pid:
            return server
        if process.poll() is not None:
            break
        time.sleep(0.05)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise RebuyError(f"The local AWS did not start. The end of {log}:\n{tail}")


def down(home: Path) -> bool:
    """Stops the server, everything it started, and its console; False when none was running."""
    from rebuy.cli import beside

    beside.down(home)
    server = find(home)
    if server is None:
        return False
    os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not alive(server.pid):
            return True
        time.sleep(0.05)
    os.kill(server.pid, signal.SIGKILL)
    return True


def reset(home: Path) -> None:
    """Stops the server and deletes its state. Refuses a folder that is no local AWS's home."""
    down(home)
    if not home.exists():
        return
    if not (home / "documents.sqlite").exists() and any(home.iterdir()):
        raise InputError(f"{home} is not the home of a local AWS; nothing was deleted.")
    shutil.rmtree(home)


def describe(home: Path) -> dict[str, object]:
    from rebuy.cli import beside

    server = find(home)
    if server is None:
        return {"running": False, "home": str(home)}
    console = beside.find(home)
    told = {"running": True, "home": str(home), **asdict(server)}
    return {**told, "console_url": console.url if console else None}


def _answers(url: str, home: Path) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_aws/health", timeout=2) as answer:
            return Path(json.load(answer)["home"]) == home.resolve()
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return False


def alive(pid: int) -> bool:
    """Whether the process works; one that has ended may wait for its parent to notice."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False

"""The console beside a local AWS: a process of its own that lives as long as that does.

`python -m rebuy.cli.beside HOME` is that process. A home keeps its console's port in
`<home>/console.port`; where it is while it runs stands in `<home>/console.json`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from rebuy.cli import local
from rebuy.errors import RebuyError
from rebuy.settings import read

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between two looks whether the local AWS is still there
MOST_PORTS = 20  # tried one after the other when the home's own is taken


@dataclass(frozen=True)
class Beside:
    """A console that runs."""

    pid: int
    url: str
    endpoint_url: str

    def of_execution(self, arn: str) -> str:
        """The address of an execution."""
        return f"{self.url}#/execution/{quote(arn, safe='')}"


def find(home: Path) -> Beside | None:
    """The console of this home's local AWS, if it answers."""
    try:
        found = Beside(**json.loads((home / "console.json").read_text()))
        with urllib.request.urlopen(f"{found.url}api/connection", timeout=2) as answer:
            return found if json.load(answer)["endpoint"] == found.endpoint_url else None
    except (OSError, ValueError, TypeError, KeyError, urllib.error.URLError):
        return None


def up(home: Path) -> Beside:
    """Starts the console over the local AWS of this home, or finds the one that runs already.

    Raises RebuyError with the end of its log when it does not come up.
    """
    running = find(home)
    if running is not None:
        return running
    log = home / "console.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rebuy.cli.beside", str(home)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = find(home)
        if found is not None:
            return found
        time.sleep(0.05)
    process.terminate()
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise RebuyError(f"The console did not start. The end of {log}:\n{tail}")


def down(home: Path) -> bool:
    """Ends the console; False when none was running."""
    found = find(home)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while local.alive(found.pid):
        if time.monotonic() > deadline:
            os.kill(found.pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    (home / "console.json").unlink(missing_ok=True)
    return True


def serve(home: Path) -> None:
    """Serves until the local AWS of this home is gone."""
    from console.aws import Target
    from console.server import DEFAULT_PORT
    from console.server import serve as serve_console

    server = local.find(home)
    if server is None:
        raise RebuyError(f"No local AWS runs in {home}.")
    kept = home / "console.port"
    first = int(kept.read_text()) if kept.exists() else DEFAULT_PORT

    def ready(url: str) -> None:
        kept.write_text(url.rstrip("/").rpartition(":")[2])
        file = home / "console.json"
        part = file.with_suffix(".part")
        part.write_text(json.dumps(asdict(Beside(os.getpid(), url, server.url))))
        part.replace(file)
        threading.Thread(target=_end_with, args=(server.pid,), daemon=True).start()

    for port in range(first, first + MOST_PORTS):
        try:
            serve_console(Target(server.url, read().region), port=port, ready=ready)
            return
        except OSError:
            continue
    raise RebuyError(f"Ports {first} to {first + MOST_PORTS - 1} are taken.")


def _end_with(pid: int) -> None:
    """Ends this process when that one has ended."""
    while local.alive(pid):
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

"""The console beside a local AWS: a process of its own that lives as long as that does.

`python -m rebuy.cli.console_process HOME` is that process. A home keeps its console's port in
`<home>/console.port`; where it is while it runs stands in `<home>/console.json`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from configuration.errors import RebuyError
from configuration.settings import read
from localaws.core.home import write_whole
from rebuy.cli import local
from rebuy.cli.background import Background, alive, get_json

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between two looks whether the local AWS is still there
MOST_PORTS = 20  # tried one after the other when the home's own is taken


@dataclass(frozen=True)
class ConsoleProcess:
    """A console that runs."""

    pid: int
    url: str
    endpoint_url: str

    def of_execution(self, arn: str) -> str:
        """The address of an execution."""
        return f"{self.url}#/execution/{quote(arn, safe='')}"


def find(home: Path) -> ConsoleProcess | None:
    """The console of this home's local AWS, if it answers."""
    return _process(home).find()


def up(home: Path) -> ConsoleProcess:
    """Starts the console over the local AWS of this home, or finds the one that runs already.

    Raises RebuyError with the end of its log when it does not come up.
    """
    return _process(home).up("rebuy.cli.console_process", str(home))


def down(home: Path) -> bool:
    """Ends the console; False when none was running."""
    return _process(home).down()


def _process(home: Path) -> Background[ConsoleProcess]:
    def answers(console: ConsoleProcess) -> bool:
        connection = get_json(f"{console.url}api/connection")
        return isinstance(connection, dict) and connection.get("endpoint") == console.endpoint_url

    return Background(
        title="The console",
        record=home / "console.json",
        log=home / "console.log",
        kind=ConsoleProcess,
        answers=answers,
        start_seconds=START_SECONDS,
        stop_seconds=STOP_SECONDS,
    )


def serve(home: Path) -> None:
    """Serves until the local AWS of this home is gone."""
    from console import server as page
    from executions.clients import Clients, Target

    server = local.find(home)
    if server is None:
        raise RebuyError(f"No local AWS runs in {home}.")
    clients = Clients(Target(server.url, read().region))
    kept = home / "console.port"
    try:
        first = int(kept.read_text())
    except (OSError, ValueError):  # none yet, or a damaged one
        first = page.DEFAULT_PORT

    def ready(url: str) -> None:
        write_whole(kept, url.rstrip("/").rpartition(":")[2])
        about = ConsoleProcess(os.getpid(), url, server.url)
        write_whole(home / "console.json", json.dumps(asdict(about)))
        threading.Thread(target=_end_with, args=(server.pid,), daemon=True).start()

    for port in range(first, first + MOST_PORTS):
        try:
            page.serve(clients, port=port, ready=ready)
            return
        except OSError:
            continue
    raise RebuyError(f"Ports {first} to {first + MOST_PORTS - 1} are taken.")


def _end_with(pid: int) -> None:
    """Ends this process when that one has ended."""
    while alive(pid):
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

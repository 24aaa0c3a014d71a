"""A PostgreSQL server of the tests' own: Debian's, or whichever this machine has."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

PASSWORD = "secret"


@contextlib.contextmanager
def server() -> Iterator[int]:
    """The port of 127.0.0.1 that it listens on; its user `postgres` has PASSWORD."""
    initdb = _program("initdb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # It refuses to run as root: Debian's package has made the user `postgres`.
    user = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        word = folder / "password"
        word.write_text(PASSWORD)
        if user is not None:
            for path in (folder, word):
                os.chown(path, user, -1)
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={word}",
             "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
        control = [str(initdb.with_name("pg_ctl")), "-D", str(data), "-w", "-s"]
        log = ["-l", str(folder / "log"), "-o", options]
        subprocess.run([*control, *log, "start"], check=True, user=user, cwd=folder)
        try:
            yield port
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, user=user, cwd=folder)
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> Path:
    on_path = shutil.which(name)
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert on_path or found, (
        "PostgreSQL is not installed: apt-get install postgresql (make does it)"
    )
    return found[-1] if found else Path(str(on_path))

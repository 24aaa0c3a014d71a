"""In a client's Python: no name but this machine's is looked up; others are written down, refused.
And nobody sleeps for long: what clients look at again after half a minute is done here in a moment.

Python imports a module of this name by itself where its folder is on PYTHONPATH.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

HERE = ("127.0.0.1", "::1", "localhost")
LONGEST_SLEEP_SECONDS = 1.0
_look_up, _sleep = socket.getaddrinfo, time.sleep


def look_up(host: Any, *arguments: Any, **named: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name not in HERE:
        with Path(os.environ["NAMES_LOOKED_UP"]).open("a") as file:
            file.write(f"{name}\n")
        raise socket.gaierror(f"{name} is not this machine")
    return _look_up(host, *arguments, **named)


socket.getaddrinfo = look_up
time.sleep = lambda seconds: _sleep(min(seconds, LONGEST_SLEEP_SECONDS))

"""What a worker has found out about a file, for the others of its server: a note for each question.

Workers end when they have been idle; what took a look at a whole large file is not asked again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

VARIABLE = "LOCALAWS_SEEN"  # the folder of notes; the server empties it when it starts


def remembered(question: tuple[object, ...], look: Callable[[], bool]) -> bool:
    """What `look` found when the question was first asked. A question names all that its answer
    depends on. Nothing is noted of a look that raises, nor outside of a worker."""
    folder = os.environ.get(VARIABLE)
    if folder is None:
        return look()
    note = Path(folder, hashlib.sha256(repr(question).encode()).hexdigest())
    with contextlib.suppress(OSError):
        return note.read_bytes() == b"yes"
    found = look()
    with contextlib.suppress(OSError):  # a full disk is no reason to fail
        fresh = note.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(b"yes" if found else b"no")
        fresh.replace(note)
    return found

"""The worker's side: takes a request, does the work, answers, and takes the next.

    python -m localaws.core.jobs.child '{"memory_bytes": ..., "threads": ...}'

A request names a function, `localaws.crawler.work:run`, that gets the request's value and the
limits and returns JSON. SIGINT ends the work under way, not the worker.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback

from localaws.core.jobs import frames
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.limits import Limits, apply, limit_processor, peak_bytes
from localaws.shapes import Json

RETIRE_SHARE = 0.25  # of the memory: who has held more hands on no fragments of it to the next job


class Interrupts:
    """SIGINT counts only while there is work to interrupt."""

    def __init__(self) -> None:
        self.working = False
        self.seen = False
        signal.signal(signal.SIGINT, self._come)

    def _come(self, *_: object) -> None:
        if self.working:
            self.seen = True
            raise KeyboardInterrupt


def perform(request: Json, limits: Limits, interrupts: Interrupts) -> Json:
    """{"result"}, {"interrupted"} or {"error": {code, message}}."""
    module, _, name = request["work"].partition(":")
    try:
        limit_processor(request["processor_seconds"])
        function = getattr(importlib.import_module(module), name)
        interrupts.seen, interrupts.working = False, True
        try:
            result = function(request["value"], limits)
        finally:
            interrupts.working = False
    except (Exception, KeyboardInterrupt) as error:
        if interrupts.seen:
            return {"interrupted": True}
        if isinstance(error, MemoryError):
            error = OutOfMemory()
        if isinstance(error, WorkFailed):
            return {"error": {"code": error.code, "message": error.message}}
        traceback.print_exc()
        return {"error": {"code": "", "message": f"{type(error).__name__}: {error}"}}
    return {"result": result}


def main(text: str) -> None:
    limits = Limits(**json.loads(text))
    apply(limits)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # what a library prints is no answer
    interrupts = Interrupts()
    while True:
        try:
            request = frames.read(requests)
        except EOFError:
            return
        answer = perform(request, limits, interrupts)
        last = peak_bytes() > limits.memory_bytes * RETIRE_SHARE
        frames.write(answers, answer | {"last": last})
        if last:
            return


if __name__ == "__main__":
    main(sys.argv[1])

"""What a crawl does in a worker: it reads files and says what each one is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from localaws.core.jobs.failures import WorkFailed
from localaws.core.jobs.limits import Limits
from localaws.crawler.inference import READ_ERRORS, infer
from localaws.crawler.schema import received
from localaws.shapes import Json


def schemas(request: Json, _: Limits) -> list[Json | None]:
    """The Schema of each of `files` ({path, uri}), by `rules` (Rules) and what is built in.

    None where no classifier fits. Raises WorkFailed for a file that cannot be read.
    """
    rules = [received(rule) for rule in request["rules"]]
    found = []
    for file in request["files"]:
        try:
            schema = infer(Path(file["path"]), rules)
        except READ_ERRORS as error:
            raise WorkFailed(
                "InvalidInputException", f"{file['uri']} cannot be read: {error}"
            ) from error
        found.append(None if schema is None else asdict(schema))
    return found

"""Job arguments.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

_BOOKMARK = "job-bookmark-option"
_FROM, _TO = "job-bookmark-from", "job-bookmark-to"
_BOOKMARKS = ("job-bookmark-enable", "job-bookmark-disable", "job-bookmark-pause")
# Taken by the service: scripts may not ask for these.
RESERVED = (_BOOKMARK, "continuation-option", _FROM, _TO, "encryption-type", "enable-data-lineage")
# Always in the result, None where they are not given (awslabs/aws-glue-libs).
ALWAYS = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION")
_TEMPORARY = ("TempDir", "RedshiftTempDir")  # one stands for the other


class GlueArgumentError(Exception):
    """An argument that was asked for is not there."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(
    args: Sequence[str], options: Sequence[str], allow_abbrev: bool = False
) -> dict[str, Any]:
    """The values of the named arguments, all texts, and Glue's own, None where not given.

    Every name in `options` must be in `args` (as `--name value`), others are ignored. Raises
    GlueArgumentError naming what is missing, RuntimeError for a reserved name.
    """
    for name in options:
        if name.replace("_", "-") in RESERVED:
            raise RuntimeError(f"Using reserved arguments {name}")
    parser = _Parser(add_help=False, allow_abbrev=allow_abbrev)
    parser.add_argument(f"--{_BOOKMARK}", choices=_BOOKMARKS, default="job-bookmark-disable")
    for name in (_FROM, _TO, "encryption-type", "enable-data-lineage", *_TEMPORARY):
        parser.add_argument(f"--{name}")
    for name in ALWAYS:
        if name not in options:
            parser.add_argument(f"--{name}")
    for name in options:
        if name not in _TEMPORARY:
            parser.add_argument(f"--{name}", required=True)
    found: dict[str, Any] = vars(parser.parse_known_args(list(args[1:]))[0])
    _check_bookmark(found)
    temporary = found["TempDir"] or found["RedshiftTempDir"]
    return found | dict.fromkeys(_TEMPORARY, temporary)


def _check_bookmark(found: dict[str, Any]) -> None:
    """A pause may be between two runs; then both are named, and nothing else may name one."""
    given = [name for name in (_FROM, _TO) if found[name.replace("-", "_")] is not None]
    if found[_BOOKMARK.replace("-", "_")] != "job-bookmark-pause":
        if given:
            names = " ".join(f"--{name}" for name in given)
            raise RuntimeError(f"Invalid option(s){names}")
    elif len(given) == 1:
        missing = _TO if given[0] == _FROM else _FROM
        raise RuntimeError(f"Missing option or value for --{missing}")

"""Job arguments.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

# Taken by the service: scripts may not ask for these.
RESERVED = (
    "job-bookmark-option",
    "continuation-option",
    "job-bookmark-from",
    "job-bookmark-to",
    "encryption-type",
)
# Read when they are there, never required.
OPTIONAL = ("JOB_NAME", "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "TempDir")


class GlueArgumentError(Exception):
    """An argument that was asked for is not there."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802
    """The values of the named arguments, all texts.

    Every name in `options` must be in `args` (as `--name value`), others are ignored. Raises
    GlueArgumentError naming what is missing, RuntimeError for a reserved name. As in Glue this
    is argparse: an argument that is the beginning of exactly one name counts as that name.
    """
    for name in options:
        if name in RESERVED or name.replace("_", "-") in RESERVED:
            raise RuntimeError(f"Using reserved arguments {name}")
    parser = _Parser(add_help=False)
    for name in RESERVED:
        parser.add_argument(f"--{name}", required=False)
    for name in OPTIONAL:
        if name not in options:
            parser.add_argument(f"--{name}", required=False)
    for name in options:
        parser.add_argument(f"--{name}", required=True)
    found, _ = parser.parse_known_args(list(args[1:]))
    return {name: value for name, value in vars(found).items() if value is not None}

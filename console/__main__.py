"""`python -m console`: the console on a loopback port."""

from __future__ import annotations

import argparse
import os
import sys

from console.aws import Target
from console.server import DEFAULT_PORT, serve


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="console", description=__doc__)
    parser.add_argument(
        "--endpoint-url",
        default=os.environ.get("AWS_ENDPOINT_URL"),
        help="where the AWS API is; default: AWS_ENDPOINT_URL, else AWS itself",
    )
    parser.add_argument("--region", default=None)
    parser.add_argument("--profile", default=None)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any free one")
    parser.add_argument("--read-only", action="store_true", help="look, start and stop nothing")
    options = parser.parse_args(argv)
    target = Target(options.endpoint_url, options.region, options.profile)
    try:
        serve(
            target,
            port=options.port,
            read_only=options.read_only,
            ready=lambda url: print(f"console is ready at {url}", flush=True),
        )
    except OSError as error:
        print(
            f"Port {options.port}: {error.strerror}; choose another with --port.", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

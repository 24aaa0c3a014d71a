"""`python -m console`: the console on a loopback port."""

from __future__ import annotations

import argparse
import os
import sys

from console.server import DEFAULT_PORT, serve
from executions.clients import Clients, NoRegion, Target


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="console", description=__doc__)
    parser.add_argument(
        "--endpoint-url",
        default=os.environ.get("AWS_ENDPOINT_URL"),
        help="where the AWS API is; default: AWS_ENDPOINT_URL, else AWS itself",
    )
    parser.add_argument("--region", default=None, help="default: the profile's own")
    parser.add_argument("--profile", default=None)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any free one")
    parser.add_argument("--read-only", action="store_true", help="look, start and stop nothing")
    options = parser.parse_args(argv)
    clients = Clients(Target(options.endpoint_url, options.region, options.profile))
    try:
        _ = clients.region  # says at once when there is none
        serve(
            clients,
            port=options.port,
            read_only=options.read_only,
            ready=lambda url: print(f"console is ready at {url}", flush=True),
        )
    except NoRegion as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        problem = f"Port {options.port}: {error.strerror}; choose another with --port."
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

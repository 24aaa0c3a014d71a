"""What keeps a proxy of the environment out of talks with the local AWS."""

from __future__ import annotations

from collections.abc import Mapping

ADDRESS = "127.0.0.1"
NAMES = ("http_proxy", "https_proxy", "all_proxy")


def passed_by(environment: Mapping[str, str]) -> dict[str, str]:
    """NO_PROXY, in both of its spellings, with this machine's own address, which a proxy elsewhere
    does not reach. Nothing where no proxy is set."""
    if not any(name.lower() in NAMES and value for name, value in environment.items()):
        return {}
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in given.split(",") if name.strip()]
    joined = ",".join(dict.fromkeys((*names, ADDRESS)))
    return {"NO_PROXY": joined, "no_proxy": joined}

"""The page: index.html, which also names every module that it will ask for."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
IMPORT = re.compile(r'^import .*from "\./([\w-]+\.js)";$', re.MULTILINE)


def modules(first: str) -> list[str]:
    """`first` and the modules beside it that it imports, directly or not, in the order of need."""
    found: list[str] = []
    ahead = [first]
    while ahead:
        name = ahead.pop(0)
        if name not in found:
            found.append(name)
            ahead += IMPORT.findall((STATIC / name).read_text())
    return found


def page() -> str:
    """HTML whose modules load side by side, and not each after the one that imports it."""
    links = "".join(
        f'    <link rel="modulepreload" href="/static/{name}">\n' for name in modules("app.js")
    )
    return (STATIC / "index.html").read_text().replace("  </head>", f"{links}  </head>")

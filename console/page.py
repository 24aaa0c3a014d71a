"""The page's own files: index.html, and which modules import which."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"

IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
IMPORT_DEFAULT = re.compile(r'^import (\w+) from "([^"]+)";$', re.MULTILINE)
RE_EXPORT = re.compile(r'^export \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)


def imported(source: str) -> list[str]:
    """The modules that a module's text names, as it writes them."""
    return [m[2] for kind in (IMPORT, IMPORT_DEFAULT, RE_EXPORT) for m in kind.finditer(source)]


def modules(first: str) -> list[str]:
    """`first` and the modules beside it that it imports, directly or not, in the order of need."""
    found: list[str] = []
    ahead = [first]
    while ahead:
        name = ahead.pop(0)
        if name not in found:
            found.append(name)
            given = imported((STATIC / name).read_text())
            ahead += [other.removeprefix("./") for other in given if other.startswith("./")]
    return found


def page() -> str:
    """HTML whose modules load side by side, and not each after the one that imports it."""
    links = "".join(
        f'    <link rel="modulepreload" href="/static/{name}">\n' for name in modules("app.js")
    )
    return (STATIC / "index.html").read_text().replace("  </head>", f"{links}  </head>")

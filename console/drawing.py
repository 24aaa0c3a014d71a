"""The page's own drawing without a browser: its modules and its ELK in an embedded V8.

What a definition looks like is decided once, in console/static: the page lays out in a worker,
this module runs the same files and takes the text that they write.
"""

from __future__ import annotations

import atexit
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from console.page import IMPORT, IMPORT_DEFAULT, RE_EXPORT, STATIC, imported

Json = dict[str, Any]

ENTRY = "draw.js"
LAYOUT_SECONDS = 120
# Where the page's import map and its parts for the browser lead to here.
MODULES = {"htm": "vendor/htm.mjs", "./ui.js": "markup.js"}

SCRIPT = re.compile(r'^import "\./([^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)
EXPORT_DEFAULT = re.compile(r"export default (.+)$", re.MULTILINE)
NOT_UNDERSTOOD = re.compile(r"(import|export)\b(?!\s*\()")


class DrawingError(Exception):
    """The definition cannot be drawn; says why."""


class Engine:
    """One V8 with the page's modules loaded; calls come one after the other.

    It has a thread of its own, in which it begins and ends: where an event loop runs already, as in
    a notebook, V8's binding would take that one and wait for itself; and on processors that protect
    memory by keys, V8's is out of other threads' reach. It is no thread of a pool, which would be
    gone when the engine is closed at the interpreter's end.
    """

    def __init__(self) -> None:
        self._due: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._work, name="drawing", daemon=True).start()
        self._v8: Any = self._do(self._start)
        # Left to the interpreter's end, its binding waits for a thread that is gone already.
        atexit.register(self._do, self._v8.close)

    def _do(self, act: Callable[[], Any]) -> Any:
        """What `act` answers in the engine's thread."""
        answer: Future[Any] = Future()
        self._due.put((answer, act))
        return answer.result()

    def _work(self) -> None:
        while True:
            answer, act = self._due.get()
            try:
                answer.set_result(act())
            except Exception as error:
                answer.set_exception(error)

    def _start(self) -> Any:
        from py_mini_racer import MiniRacer

        v8 = MiniRacer()
        # ELK's worker thinks that it is one: messages go in and out by function call.
        v8.eval(
            "var self = globalThis, answers = [];"
            "var postMessage = (message) => answers.push(message);"
            "var setTimeout = (act) => act();"
        )
        v8.eval((STATIC / "vendor" / "elk-worker.min.js").read_text())
        v8.eval("var modules = {};")
        for name, source in _modules(ENTRY).items():
            v8.eval(f"modules[{json.dumps(name)}] = (() => {{\n{source}\n}})();")
        return v8

    def call(self, function: str, given: Any) -> Any:
        """What `function` of draw.js answers; both ways as JSON."""
        text = json.dumps(json.dumps(given, default=_milliseconds))
        return self.evaluate(f"modules['{ENTRY}'].{function}(JSON.parse({text}))")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression over `modules`, by way of JSON."""
        from py_mini_racer import JSEvalException, JSTimeoutException

        code = f"JSON.stringify({expression})"
        try:
            answer = self._do(partial(self._v8.eval, code, timeout_sec=LAYOUT_SECONDS))
        except JSTimeoutException as error:
            raise DrawingError(f"Not drawn within {LAYOUT_SECONDS} s.") from error
        except JSEvalException as error:
            raise DrawingError(str(error).splitlines()[0]) from error
        return json.loads(str(answer))


def _milliseconds(value: Any) -> Any:
    """Times as the page has them, milliseconds since 1970; what JSON has no word for, as text."""
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else str(value)


def _modules(
    name: str, found: dict[str, str] | None = None, folder: Path = STATIC
) -> dict[str, str]:
    """The module and all that it imports, in the order to run them, each as a function's body."""
    found = {} if found is None else found
    source = (folder / name).read_text()
    for script in SCRIPT.findall(source):  # not a module: it sets a global
        found[script] = (folder / script).read_text()
    source = SCRIPT.sub("", source)
    path = {given: MODULES.get(given, given.removeprefix("./")) for given in imported(source)}
    for module in path.values():
        if module not in found:
            _modules(module, found, folder)

    def module_of(given: str) -> str:
        return f"modules[{json.dumps(path[given])}]"

    source = IMPORT.sub(
        lambda m: f"const {{{m[1].replace(' as ', ': ')}}} = {module_of(m[2])};", source
    )
    source = IMPORT_DEFAULT.sub(lambda m: f"const {m[1]} = {module_of(m[2])}.default;", source)
    again = [(m[1], module_of(m[2])) for m in RE_EXPORT.finditer(source)]
    source = RE_EXPORT.sub("", source)
    names = EXPORT.findall(source)
    exported = EXPORT_DEFAULT.sub("", EXPORT.sub("", source))
    for line in exported.splitlines():
        if NOT_UNDERSTOOD.match(line):
            raise DrawingError(
                f"{name}: {line.strip()!r} has no form that is read here: see {ENTRY}."
            )
    source = EXPORT.sub(lambda m: m[0].removeprefix("export "), source)
    source, defaults = EXPORT_DEFAULT.subn(r"const defaultExport = \1", source)
    members = [*names, *(["default: defaultExport"] if defaults else [])]
    members += [f"{n.strip()}: {module}.{n.strip()}" for ns, module in again for n in ns.split(",")]
    found[name] = f"{source}\nreturn {{ {', '.join(members)} }};"
    return found


@cache
def engine() -> Engine:
    """One for the process: it takes 0.5 s to make."""
    return Engine()


@cache
def colours() -> dict[str, dict[str, str]]:
    """{light, dark}: the page's colours by name."""
    style = (STATIC / "style.css").read_text()
    light = re.search(r"^:root \{(.*?)^\}", style, re.DOTALL | re.MULTILINE)
    dark = re.search(r'^:root\[data-theme="dark"\] \{(.*?)^\}', style, re.DOTALL | re.MULTILINE)
    assert light and dark
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", block[1]))
        for name, block in (("light", light), ("dark", dark))
    }
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


def svg(
    definition: str | Json,
    *,
    title: str | None = None,
    events: list[Json] | None = None,
    theme: str | None = None,
    states: bool = False,
) -> str:
    """The workflow as one SVG with its own styles, light and dark as its viewer has it: its stages,
    where its states say them, or with `states` every state.

    `events` (a history, oldest first) colours it by how they went; `theme` ("light",
    "dark") leaves only one. DrawingError for what is no definition.
    """
    given: Json = {"title": title, "events": events, "theme": theme, "states": states}
    given["colours"] = colours()
    return str(engine().call("svg", {"definition": as_text(definition), **given}))


def mermaid(definition: str | Json) -> str:
    """The workflow as a Mermaid flowchart."""
    return str(engine().call("mermaidText", {"definition": as_text(definition)}))


def dot(definition: str | Json) -> str:
    """The workflow in Graphviz's language."""
    return str(engine().call("dotText", {"definition": as_text(definition)}))


def as_text(definition: str | Json) -> str:
    """A definition as JSON text; DrawingError when it has no states."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DrawingError(f"The definition is no JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("States"), dict):
        raise DrawingError("The definition has no States.")
    return text

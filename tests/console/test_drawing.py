"""A definition as SVG, Mermaid and DOT: read again by XML, Chromium, Mermaid and a DOT parser."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pydot
import pytest
from playwright.sync_api import Browser, Page

from console import drawing
from tests.console import machines
from workflows import purchase_prediction

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
# State names that a careless writer of any of the three formats would stumble over.
HOSTILE = [
    "quote \" and '",
    "<script>alert(1)</script>",
    "new\nline",
    "\u65e5\u672c\u8a9e \U0001f680",
    "end",
    "a]b[c{d}e(f)g|h",
    "`code` **bold** _x_ #quot; &amp;",
    "back\\slash\\n",
    "x--> y",
    "%% comment; $.path",
    "1. list",
    "- dash",
    "subgraph",
    "https://example.com",
    "style s0 fill:red",
    "\u202ertl",
    "a" * 80,
]


def hostile() -> Json:
    states: Json = {
        name: {"Type": "Pass", "Next": following} for name, following in pairwise(HOSTILE)
    }
    states[HOSTILE[-1]] = {"Type": "Succeed"}
    rule = {"Variable": "$['a\"b<c']", "StringMatches": '*|"]}>*', "Next": HOSTILE[6]}
    states[HOSTILE[3]] = {"Type": "Choice", "Choices": [rule], "Default": HOSTILE[4]}
    inner = {"Type": "Task", "Resource": 'arn:aws:lambda:r:1:function:x"<y', "End": True}
    states[HOSTILE[5]] = {
        "Type": "Parallel",
        "Branches": [{"StartAt": 'in"ner', "States": {'in"ner': inner}}],
        "Catch": [{"ErrorEquals": ['A"<B'], "Next": HOSTILE[8]}],
        "Next": HOSTILE[6],
    }
    return {"Comment": '<&"]]>\n\\', "StartAt": HOSTILE[0], "States": states}


def chain(length: int) -> Json:
    """Tasks in a row that share a handler, and a choice back to the first."""
    names = [f"Step {number}" for number in range(length)]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Bad"}]
    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Catch": catch}
    states: Json = {
        name: {**task, "Next": following}
        for name, following in zip(names, [*names[1:], "Again?"], strict=True)
    }
    rule = {"Variable": "$.n", "NumericLessThan": 3, "Next": names[0]}
    states["Again?"] = {"Type": "Choice", "Choices": [rule], "Default": "Good"}
    return {
        "StartAt": names[0],
        "States": {**states, "Good": {"Type": "Succeed"}, "Bad": {"Type": "Fail"}},
    }


def nested(depth: int) -> Json:
    """Map in Parallel in Map, and so on."""
    level: Json = {"StartAt": "Leaf", "States": {"Leaf": {"Type": "Pass", "End": True}}}
    for number in range(depth):
        name, beside = f"Level {number}", f"Beside {number}"
        other = {"StartAt": beside, "States": {beside: {"Type": "Pass", "End": True}}}
        kind: Json = {"Type": "Map", "ItemProcessor": level}
        if number % 2:
            kind = {"Type": "Parallel", "Branches": [level, other]}
        level = {"StartAt": name, "States": {name: {**kind, "End": True}}}
    return level


DEFINITIONS: dict[str, Json] = {
    "ours": purchase_prediction.definition(),
    "small": json.loads(machines.small()),
    "10 states": chain(10),
    "200 states": chain(200),
    "nested": nested(4),
    "hostile names": hostile(),
}
each = pytest.mark.parametrize("name", DEFINITIONS)


def names_of(level: Json) -> list[str]:
    """Every state's name, in branches and item processors too."""
    found: list[str] = []
    for name, state in level["States"].items():
        found.append(name)
        inner = [state["ItemProcessor"]] if "ItemProcessor" in state else []
        for branch in [*state.get("Branches", ()), *inner]:
            found += names_of(branch)
    return found


def boxes(group: ElementTree.Element) -> tuple[float, ...]:
    box = next(rect for rect in group.iter(f"{SVG}rect") if rect.get("class") == "box")
    return tuple(float(box.get(side) or 0) for side in ("x", "y", "width", "height"))


@each
def test_svg_has_every_state_once_and_none_on_another(name: str) -> None:
    definition = DEFINITIONS[name]
    tree = ElementTree.fromstring(drawing.svg(definition, states=True))

    groups = [g for g in tree.iter(f"{SVG}g") if (g.get("class") or "").endswith(" state")]
    containers = [g for g in tree.iter(f"{SVG}g") if (g.get("class") or "").endswith(" container")]
    shown = [(g.findtext(f"{SVG}title") or "") for g in groups + containers]
    assert sorted(title.partition(":")[0] for title in shown) == sorted(
        name.partition(":")[0] for name in names_of(definition)
    )
    found = [boxes(group) for group in groups]
    for at, (x, y, width, height) in enumerate(found):
        for other in found[at + 1 :]:
            apart = x + width <= other[0] or other[0] + other[2] <= x
            assert apart or y + height <= other[1] or other[1] + other[3] <= y


def test_svg_needs_nothing_and_says_in_words_what_it_shows() -> None:
    text = drawing.svg(hostile(), title="A <picture>")
    tree = ElementTree.fromstring(text)

    assert {element.tag for element in tree.iter()}.isdisjoint({f"{SVG}script", f"{SVG}image"})
    assert "href" not in text and "@import" not in text and "url(http" not in text
    assert "prefers-color-scheme:dark" in text
    assert tree.get("role") == "img"
    assert tree.findtext(f"{SVG}title") == "A <picture>"
    words = tree.findtext(f"{SVG}desc") or ""
    assert words.startswith("18 states") and "<script>alert(1)</script> (Pass)" in words


def test_choices_are_labelled_and_the_page_and_the_picture_have_one_layout(
    page: Page, console: str, machine: Any
) -> None:
    arn = machine("small", machines.small())
    page.goto(f"{console}/#/definition/{arn}")
    page.locator('[data-state="Done"]').wait_for()
    shown = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.canvas > .state')].map(e =>"
        " [e.dataset.state, [e.style.left, e.style.top, e.style.width].map(parseFloat)]))"
    )
    tree = ElementTree.fromstring(drawing.svg(machines.small()))
    drawn = {
        group.findtext(f"{SVG}title"): list(boxes(group)[:3])
        for group in tree.iter(f"{SVG}g")
        if (group.get("class") or "").endswith(" state")
    }

    assert drawn == {name: pytest.approx(box) for name, box in shown.items()}
    assert {"round ≥ 3", "otherwise"} <= {text.text for text in tree.iter(f"{SVG}text")}


def test_what_is_no_definition_is_refused_with_the_reason() -> None:
    with pytest.raises(drawing.DrawingError, match="no JSON"):
        drawing.svg("{")
    with pytest.raises(drawing.DrawingError, match="no States"):
        drawing.dot({"StartAt": "x"})


def test_a_definition_that_leads_nowhere_is_drawn_as_far_as_it_goes() -> None:
    broken = {"StartAt": "none", "States": {"A": {"Type": "Pass", "Next": "B"}}}

    assert ">A</text>" in drawing.svg(broken)
    assert "s0[" in drawing.mermaid(broken)
    assert "s0 [" in drawing.dot(broken)


def test_picture_in_the_readme_is_the_definition_of_today() -> None:
    image = ROOT / "docs" / "images" / "purchase_prediction.svg"

    assert image.read_text() == drawing.svg(purchase_prediction.definition_bytes().decode()), (
        "rebuy definition --write"
    )
    assert "docs/images/purchase_prediction.svg" in (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def mermaid(browser: Browser) -> Iterator[Page]:
    """A page with the Mermaid that renders in its strict mode, as GitHub's does."""
    page = browser.new_page()
    library = Path(__file__).parent / "vendor" / "mermaid.min.js.gz"
    page.add_script_tag(content=gzip.decompress(library.read_bytes()).decode())
    yield page
    page.close()


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", [name for name in DEFINITIONS if name != "200 states"])
def test_mermaid_renders_every_name_as_it_is(mermaid: Page, name: str) -> None:
    labels = mermaid.evaluate(
        """async text => {
            mermaid.initialize({startOnLoad: false, securityLevel: "strict"});
            document.body.innerHTML = (await mermaid.render("drawn", text)).svg;
            return [...document.querySelectorAll(".nodeLabel")].map(e => e.textContent);
        }""",
        drawing.mermaid(DEFINITIONS[name]),
    )

    told = [squeezed(label) for label in labels]
    for state in names_of(DEFINITIONS[name]):
        assert any(label.startswith(squeezed(state)) for label in told), state


@each
def test_dot_is_read_with_every_name_as_it_is(name: str) -> None:
    text = drawing.dot(DEFINITIONS[name])
    graphs = pydot.graph_from_dot_data(text)
    assert graphs and len(graphs) == 1

    def labels(graph: Any) -> list[str]:
        own = [item.get_label() or "" for item in [*graph.get_nodes(), graph]]
        return own + [label for inner in graph.get_subgraphs() for label in labels(inner)]

    told = {
        label.strip('"').replace('\\"', '"').replace("\\\\", "\\") for label in labels(graphs[0])
    }
    for state in names_of(DEFINITIONS[name]):
        line = " ".join(state.split())
        assert any(label.startswith(line) for label in told), state


def test_stages_are_frames_around_their_states() -> None:
    ours = purchase_prediction.definition_bytes().decode()
    (graph,) = pydot.graph_from_dot_data(drawing.dot(ours)) or ()
    clusters = {inner.get_label().strip('"'): inner for inner in graph.get_subgraphs()}
    mermaid = drawing.mermaid(ours)

    assert len(clusters) == 10
    assert mermaid.count("    subgraph stage") == 10
    assert 'subgraph stage7["8 Better than the live model?"]' in mermaid
    join = clusters["6 Join features"]
    assert [node.get_label().split("\\n")[0].strip('"') for node in join.get_nodes()] == [
        "Join features",
        "Train a model?",
    ]


@pytest.mark.parametrize(
    "line", ["import { a,", "export { a as b };", 'import * as all from "./b.js";']
)
def test_an_import_of_another_form_is_refused_by_name(line: str, tmp_path: Path) -> None:
    (tmp_path / "draw.js").write_text(f"{line}\n")
    (tmp_path / "b.js").write_text("")

    with pytest.raises(drawing.DrawingError, match=r"draw\.js: .* no form that is read here"):
        drawing._modules("draw.js", folder=tmp_path)


def test_a_process_that_has_drawn_ends_well(tmp_path: Path) -> None:
    """V8 ends in the thread that it began in: processors with memory keys crash otherwise."""
    file = tmp_path / "small.json"
    file.write_text(machines.small())
    rebuy = [sys.executable, "-c", "from rebuy.cli.app import main; main()"]
    told = ["definition", "--format", "svg", "--file", str(file)]
    done = subprocess.run([*rebuy, *told], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<svg")

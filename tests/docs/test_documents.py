"""What the documents say can be typed: commands parse, targets, files and links are there."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from typer.main import get_command

from configuration.settings import Settings
from localaws.core.jobs.kind import recovery
from rebuy.cli import manual
from rebuy.cli.app import app
from tasks import check_statements
from tasks.functions.check_raw_data import OF_FILES
from tasks.functions.first_look import RULES
from tasks.functions.run_options import OPTIONS
from tasks.functions.write_audit import assemble
from workflows import purchase_prediction

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#.*$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# First words of command lines that these tests know how to check.
PROGRAMS = {
    "eval",
    "rebuy",
    ".venv/bin/rebuy",
    "make",
    "python",
    ".venv/bin/python",
    "aws",
    "export",
    "git",
    "cd",
    "sed",
}


@dataclass(frozen=True)
class Line:
    """A command line of a page."""

    page: str
    text: str

    @property
    def words(self) -> list[str]:
        """Without comment and without what follows a pipe."""
        return shlex.split(re.split(r" (?:\|\|?|>) ", self.text)[0], comments=True)


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(page.read_text()) if name == language]


def command_lines() -> Iterator[Line]:
    """Every line of the pages' `sh` blocks; those of clients.md are run by tests/clients."""
    for page in PAGES:
        if page.name == "clients.md":
            continue
        for block in blocks(page, "sh"):
            joined = block.replace("\\\n", " ")
            for text in joined.splitlines():
                if text.strip() and not text.lstrip().startswith("#"):
                    yield Line(page.name, text)


def mentioned(page: Path) -> list[str]:
    """What stands between backticks outside of blocks and headings (some are texts of errors)."""
    return CODE.findall(HEADING.sub("", BLOCK.sub("", page.read_text())))


LINES = list(command_lines())
INLINE = [
    Line(page.name, text)
    for page in PAGES
    for text in mentioned(page)
    if text.split()[0] in ("rebuy", "make") and len(text.split()) > 1
]
HELP = [
    Line(f"rebuy {name} --help", example)
    for commands in manual.GROUPS.values()
    for name, examples in commands.items()
    for example in examples
]
EXECUTABLE = [line for line in LINES + INLINE + HELP if line.words[0].endswith("rebuy")]


def parse(words: list[str]) -> None:
    """Parses a `rebuy` command line with the program's own parser; runs nothing."""
    # Typer brings its own copy of Click: groups are known by their commands, not by a class.
    command: Any = get_command(app)
    context = command.context_class(command, info_name="rebuy")
    rest = words
    while hasattr(command, "commands"):
        assert rest, f"{context.command_path} alone does nothing"
        name, command, rest = command.resolve_command(context, rest)
        context = command.context_class(command, info_name=name, parent=context)
    command.parse_args(context, list(rest))


@pytest.mark.parametrize("line", EXECUTABLE, ids=lambda line: f"{line.page}: {line.text.strip()}")
def test_rebuy_command_line_parses(line: Line) -> None:
    words = line.words[1:]
    parse([word if word not in ("DIR", "EXECUTION", "N", "...") else "1" for word in words])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("abolish", "No such command"),
        ("local sideways", "No such command"),
        ("deploy --dry-run", "No such option"),
        ("data generate --users many --out x", "valid integer"),
        ("predict", "Missing (argument|parameter)"),
    ],
)
def test_a_line_that_would_not_run_does_not_parse(line: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        parse(line.split())


def test_blocks_have_only_commands_that_are_checked_here() -> None:
    assert {line.words[0] for line in LINES} <= PROGRAMS
    assert len(LINES) > 20


@pytest.mark.parametrize("line", [one for one in LINES + INLINE if one.words[0] == "make"], ids=str)
def test_make_target_exists(line: Line) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    wanted = [word for word in line.words[1:] if "=" not in word]

    assert wanted
    assert set(wanted) <= set(targets)


@pytest.mark.parametrize("line", [one for one in LINES if one.words[0].endswith("python")], ids=str)
def test_python_module_exists(line: Line) -> None:
    import importlib.util

    _, option, module, *_ = line.words
    if option.endswith(".py"):  # of the folder that `rebuy new` makes
        assert (ROOT / "examples" / "own_workflow" / option).exists()
        return
    assert option == "-m"
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("line", [one for one in LINES if one.words[0] == "aws"], ids=str)
def test_aws_command_is_one_that_localaws_has(line: Line) -> None:
    from localaws import support

    _, service, operation, *_ = line.words
    page = (ROOT / "docs" / "support-matrix.md").read_text()
    name = "".join(word.title() for word in operation.split("-"))

    assert service in support.ENGINES
    assert service == "s3" or f"| {name} | " in page


@pytest.mark.parametrize("line", [one for one in LINES if one.words[0] == "aws"], ids=str)
def test_aws_command_runs_against_the_local_aws(line: Line, server: Any) -> None:
    pytest.importorskip("awscli", reason="aws is in the environment of make test")
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_PAGER": ""}
    where = {"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1"}

    ended = subprocess.run(
        [sys.executable, "-m", "awscli", *line.words[1:]],
        env={**os.environ, **keys, **where},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stderr


def test_refusal_in_the_readme_is_what_a_client_sees(server: Any) -> None:
    request = {
        "TrainingJobName": "x",
        "RoleArn": "arn:aws:iam::000000000000:role/training-of-the-model",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://lake/models"},
        "ResourceConfig": {"VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 60},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").create_training_job(**request)

    error = refused.value.response["Error"]
    told = f"({error['Code']}) when calling the CreateTrainingJob operation: {error['Message']}"
    shown = [" ".join(text.split()) for text in blocks(ROOT / "README.md", "")]
    assert f"An error occurred {told}" in shown


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(BLOCK.sub("", page.read_text())):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)) if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
            assert anchor in anchors, f"{page.name} links to {target}"


FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}


@pytest.mark.parametrize("page", [one for one in PAGES if one.stem != "support-matrix"], ids=str)
def test_paths_of_the_repository_exist(page: Path) -> None:
    for text in mentioned(page):
        path = text.split()[0].rstrip(",;:")
        first = path.split("/")[0]
        if "/" not in path or first not in FOLDERS or first.startswith(".") or "<" in path:
            continue
        folder, _, braces = path.partition("{")
        found = list(ROOT.glob(folder if braces else path.rstrip("/")))
        assert found or (braces and (ROOT / folder).exists()), f"{page.name} names {path}"


def test_settings_that_are_shown_are_settings() -> None:
    for page in PAGES:
        for text in blocks(page, "toml"):
            given = tomllib.loads(text)
            if "stages" in given or given.keys() & Settings.model_fields.keys():
                for table in (given, *given.pop("stages", {}).values()):
                    assert Settings(**table), page


def test_costs_count_the_statements_that_there_are() -> None:
    text = (ROOT / "docs" / "costs.md").read_text()

    assert f"| a run: Athena | {len(check_statements.of_project())} statements for all" in text


def test_readme_names_every_dependency() -> None:
    tree = ast.parse((ROOT / "setup.py").read_text())
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.List)
        for node in node.elts
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    names = {re.split(r"[<>=;]", text)[0] for text in texts} - {"rebuy = rebuy.cli.app:main"}
    names = {name for name in names if "*" not in name}
    table = (ROOT / "README.md").read_text().partition("## Dependencies")[2].partition("\n## ")[0]

    assert {name for name in names if name not in table} == set()


def test_workflow_page_names_every_state_outside_of_branches() -> None:
    text = " ".join((ROOT / "docs" / "workflow.md").read_text().split())
    # The small states between: what a stage's text says without their names.
    between = {"Pass", "Choice", "Wait", "Succeed", "Fail"}
    states = purchase_prediction.definition()["States"]
    work = [name for name, state in states.items() if state["Type"] not in between]

    assert [name for name in work if name not in text] == []


def test_input_page_names_every_option() -> None:
    text = (ROOT / "docs" / "run-data.md").read_text()
    for name, (default, _) in OPTIONS.items():
        shown = json.dumps(default)
        assert re.search(rf"^\| `{name}` \| `?{re.escape(shown)}`? \|", text, re.MULTILINE)


def test_audit_page_names_every_member_of_the_record() -> None:
    import inspect
    import textwrap

    text = (ROOT / "docs" / "audit.md").read_text()
    tree = ast.parse(textwrap.dedent(inspect.getsource(assemble)))
    (answer,) = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    assert isinstance(answer, ast.Dict)
    members = [key.value for key in answer.keys if isinstance(key, ast.Constant)]

    assert [name for name in members if f"| `{name}` |" not in text] == []


def test_data_page_names_every_check_with_its_own_words() -> None:
    text = (ROOT / "docs" / "data.md").read_text()
    for file in sorted((ROOT / "sql" / "checks").glob("*.sql")):
        words = file.read_text().splitlines()[0].removeprefix("-- ")
        assert f"| `{file.stem}` | {words} |" in text


def test_data_page_names_every_rule_about_files_with_its_own_words() -> None:
    text = (ROOT / "docs" / "data.md").read_text()
    for rule, words in RULES.items():
        assert f"| `{rule}` | {words} |" in text
    assert [name for name in OF_FILES if f"`{name}`" not in text] == []


def test_data_page_has_the_features_in_the_order_of_the_wire() -> None:
    from training.features import WIRE_FEATURES

    text = (ROOT / "docs" / "data.md").read_text()

    assert tuple(re.findall(r"^\| \d+ \| `(\w+)` \|", text, re.MULTILINE)) == WIRE_FEATURES


def test_local_aws_page_says_what_becomes_of_every_kind_of_job() -> None:
    page = (ROOT / "docs" / "local-aws.md").read_text()
    assert recovery() in " ".join(page.split())

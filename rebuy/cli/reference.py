"""The pages of reference that are written from the code: `python -m rebuy.cli.reference`.

docs/command-line.md is made of the commands' own help, docs/settings.md of
configuration/settings.py. A test compares both with the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo
from typer.main import get_command

from configuration.settings import ENVIRONMENT, STAGE_VARIABLE, Settings
from rebuy.cli import manual
from rebuy.cli.app import app
from rebuy.cli.options import CONNECTION

DOCS = Path(__file__).resolve().parents[2] / "docs"
WRITTEN = "Written by `python -m rebuy.cli.reference`; a test compares this page with the code."
NO_SETTING = ("stage",)  # of the class, and not of the file
HEAD, RULE = "| Option | | Default |", "|---|---|---|"


def command_line() -> str:
    """docs/command-line.md: every command with its arguments, options and examples."""
    root: Any = get_command(app)
    lines = ["# Command line", "", WRITTEN, "", "| Exit code | Means |", "|---|---|"]
    lines += [f"| {code} | {words} |" for code, words in manual.EXIT_CODES.items()]
    lines += ["", "What a command answers goes to standard output, what it does meanwhile to"]
    lines += ["standard error. `--version` names the package and the definition it holds,"]
    lines += ["`--install-completion` has your shell complete commands and executions."]
    shared = {one.name: one for one in root.commands["status"].params}
    lines += ["", "## Which AWS", "", "Options of every command that talks to a deployment:", ""]
    lines += [HEAD, RULE, *(_parameter(shared[name]) for name in CONNECTION)]
    for group, commands in manual.GROUPS.items():
        lines += ["", f"## {group}"]
        for name, examples in commands.items():
            for path, command in _leaves(f"rebuy {name}", root.commands[name]):
                lines += _command(path, command, examples)
    return "\n".join(lines) + "\n"


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, or those of a group."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inside in command.commands.items():
        yield from _leaves(f"{path} {name}", inside)


def _command(path: str, command: Any, examples: tuple[str, ...]) -> list[str]:
    lines = ["", f"### {path}", "", " ".join((command.help or "").split())]
    own = [one for one in command.params if one.name not in CONNECTION and not one.hidden]
    if own:
        lines += ["", HEAD, RULE, *map(_parameter, own)]
    if len(own) < len(command.params):
        lines += ["", "And [which AWS](#which-aws)."]
    if examples:
        lines += ["", "```sh", *examples, "```"]
    return lines


def _parameter(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        names = [str(parameter.name).upper()]
    shown = ", ".join(f"`{name}`" for name in names)
    default = parameter.default
    if default is None or callable(default) or isinstance(default, bool) or parameter.required:
        default = "required" if parameter.required else ""
    else:
        default = f"`{getattr(default, 'value', default)}`"
    words = " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
    return f"| {shown} | {words} | {default} |"


def settings() -> str:
    """docs/settings.md: every setting of rebuy.toml."""
    variables = ", ".join(f"`{names[0]}`" for names in ENVIRONMENT.values())
    lines = [
        "# Settings",
        "",
        WRITTEN,
        "",
        "`rebuy` reads the file `rebuy.toml` of the folder that you call it from, if there is one.",
        f"A flag wins over the environment ({variables}), that over the file, and in the file a",
        f"stage's own table `[stages.NAME]` (`--stage`, `{STAGE_VARIABLE}`) over the rest.",
        "",
        "| Setting | Default | Takes | |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {_default(field)} | {_takes(field)} | {_words(field)} |"
            for name, field in Settings.model_fields.items()
            if name not in NO_SETTING
        ),
    ]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default in (None, "", {}):
        return ""
    text = str(default).lower() if isinstance(default, bool) else repr(default).replace("'", '"')
    return f"`{text}`"


def _takes(field: FieldInfo) -> str:
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    if kinds and all(isinstance(kind, str) for kind in kinds):
        return ", ".join(f"`{kind}`" for kind in kinds)
    kind = kinds[0] if type(None) in get_args(field.annotation) else field.annotation
    words = {str: "text", int: "whole number", bool: "true, false"}.get(kind, "table")  # type: ignore[arg-type]
    for bound, sign in (("ge", "from"), ("le", "to")):
        for rule in field.metadata:
            if hasattr(rule, bound):
                words += f" {sign} {getattr(rule, bound):,}"
    return words


def _words(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


PAGES = {"command-line.md": command_line, "settings.md": settings}


def main() -> None:
    for name, write in PAGES.items():
        (DOCS / name).write_text(write())
        print(DOCS / name)


if __name__ == "__main__":
    main()

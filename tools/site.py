"""What mkdocs.yml needs beside docs/: pages of the top folder, links to files that are no pages."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
TOP_PAGES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, *, config: Any) -> Files:
    """The pages of the top folder stand beside those of docs/."""
    for name in TOP_PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: Any, files: Files) -> str:
    """A link to a page leads to it, wherever it stands in the repository. One to another file of
    the repository (a script, a table) becomes its name: the site does not have the file."""
    of_top = page.file.src_uri in TOP_PAGES
    folder = "" if of_top else posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def link(match: re.Match[str]) -> str:
        picture, text, target, anchor = match.groups()
        if "://" in target:
            return match[0]
        path = posixpath.normpath(posixpath.join(folder, target))
        on_site = path.removeprefix("docs/")
        if files.get_file_from_path(on_site) and (path != on_site or path in TOP_PAGES):
            there = posixpath.relpath(on_site, posixpath.dirname(page.file.src_uri) or ".")
            return f"{picture}[{text}]({there}{anchor or ''})"
        if not (ROOT / path).exists():
            return match[0]  # dead: the strict build says so
        return text if "`" in text or text == path else f"{text} (`{path}`)"

    return LINK.sub(link, markdown)

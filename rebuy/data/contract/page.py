"""A contract as a page for whoever made the files: one file, no script, readable on paper."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from rebuy.data.contract.checking import Contract
from rebuy.data.contract.figures import FIGURES
from tasks.functions.first_look import SEPARATORS, Finding

MOST_BARS = 60
WIDTH, HEIGHT = 520, 150

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1f24; --paper: #fff; --soft: #5b636f; --line: #d5dae1;
  --bar: #2f6fb3; --bad: #b3261e; --good: #1a7f4b; --wash: #f4f6f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaef; --paper: #14171b; --soft: #9aa3b0;
  --line: #343a43; --bar: #6aa5e3; --bad: #ff8a80; --good: #6fd09b; --wash: #1c2026 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem }
p { margin: .4rem 0 } .soft { color: var(--soft) }
.good { color: var(--good) } .bad { color: var(--bad) }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top } th { color: var(--soft); font-weight: 600 }
.n { text-align: right; font-variant-numeric: tabular-nums }
code { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere }
.finding { border-left: 3px solid var(--bad); background: var(--wash); padding: .6rem .9rem;
  margin: .6rem 0; break-inside: avoid }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.2rem }
figure { margin: 0; break-inside: avoid } figcaption { margin-bottom: .2rem }
svg { width: 100%; height: auto; display: block } svg rect { fill: var(--bar) }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif } svg line { stroke: var(--line) }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --bar: #555;
  --bad: #000; --good: #000; --wash: #fff } body { max-width: none; padding: 0; font-size: 11px }
  .figures { grid-template-columns: 1fr 1fr } }
"""


def page(contract: Contract, written: str) -> str:
    """HTML; `written` is the time that it tells."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Data check: {escape(contract.folder)}</title>",
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>Data check</h1><p class='soft'>{escape(contract.folder)}, {escape(written)}</p>",
            *_findings(contract),
            *_files(contract),
            *_figures(contract),
            "</body></html>\n",
        ]
    )


def _findings(contract: Contract) -> Iterator[str]:
    if contract.good:
        yield "<p class='good'><strong>Good.</strong> Every line is read alike by every reader, and"
        yield f" {len(contract.rules)} rules about the rows hold.</p>"
    else:
        number = len(contract.findings)
        yield f"<p class='bad'><strong>{number} finding{'s' * (number > 1)}.</strong> A run would"
        yield " refuse these files.</p><h2>What to do</h2>"
    for finding in contract.findings:
        yield _finding(finding)
    if contract.skipped:
        yield f"<p class='soft'>The rows were not looked at: {escape(contract.skipped)}.</p>"
    if contract.notes:
        yield "<h2>Worth a look</h2><ul>"
        yield from (f"<li>{escape(note)}</li>" for note in contract.notes)
        yield "</ul>"


def _finding(finding: Finding) -> str:
    where = escape(finding.file)
    if finding.line is not None:
        where += f", line {finding.line:,}"
    many = f"{finding.count:,}{' or more' if finding.more else ''}"
    count = f" <span class='soft'>{many} in all</span>" if finding.count > 1 else ""
    return (
        f"<div class='finding'><p><strong>{where}</strong>{count}</p>"
        f"<p>{escape(finding.problem)}: <code>{escape(finding.value)}</code></p>"
        f"<p>To do: {escape(finding.advice)}.</p>"
        f"<p class='soft'><code>{escape(finding.rule)}</code></p></div>"
    )


def _files(contract: Contract) -> Iterator[str]:
    heads = ("File", "Table", "Rows", "Bytes", "Encoding", "Separator", "Line ends", "SHA-256")
    yield "<h2>Files</h2><div class='wide'><table><thead><tr>"
    yield "".join(f"<th>{head}</th>" for head in heads) + "</tr></thead><tbody>"
    for file in contract.files:
        packed = "" if file.compression == "none" else f", {file.compression}"
        yield (
            f"<tr><td>{escape(file.name)}</td><td>{escape(file.table)}</td>"
            f"<td class='n'>{file.rows:,}</td><td class='n'>{file.bytes:,}</td>"
            f"<td>{escape(file.encoding)}{packed}</td>"
            f"<td>{escape(SEPARATORS.get(file.separator, file.separator))}</td>"
            f"<td>{' and '.join(file.line_ends)}</td><td><code>{file.sha256[:16]}</code></td></tr>"
        )
    yield "</tbody></table></div>"


def _figures(contract: Contract) -> Iterator[str]:
    if not contract.figures:
        return
    yield "<h2>Figures</h2><div class='figures'>"
    for name, rows in contract.figures.items():
        yield f"<figure><figcaption>{escape(FIGURES[name][0])}</figcaption>{_bars(rows)}</figure>"
    yield "</div>"


def _bars(rows: list[list[Any]]) -> str:
    """A bar a value; the last one is that of all further values where there are many."""
    bars = [("none" if value is None else str(value), int(n)) for value, n in rows]
    if len(bars) > MOST_BARS:
        rest = sum(n for _, n in bars[MOST_BARS - 1 :])
        bars = [*bars[: MOST_BARS - 1], (f"{bars[MOST_BARS - 1][0]} and more", rest)]
    if not bars:
        return "<p class='soft'>nothing</p>"
    most = max(n for _, n in bars) or 1
    step, foot = WIDTH / len(bars), HEIGHT - 18
    every = max(1, round(len(bars) / 12))
    drawn = [f"<line x1='0' y1='{foot}' x2='{WIDTH}' y2='{foot}'/>"]
    for place, (label, n) in enumerate(bars):
        high = (foot - 16) * n / most
        drawn.append(
            f"<rect x='{place * step + step * 0.1:.1f}' y='{foot - high:.1f}'"
            f" width='{step * 0.8:.1f}' height='{high:.1f}'>"
            f"<title>{escape(label)}: {n:,}</title></rect>"
        )
        if place % every == 0:
            drawn.append(
                f"<text x='{(place + 0.5) * step:.1f}' y='{HEIGHT - 4}' text-anchor='middle'>"
                f"{escape(label)}</text>"
            )
    drawn.append(f"<text x='0' y='10'>{most:,}</text>")
    return f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>{''.join(drawn)}</svg>"

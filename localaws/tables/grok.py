r"""GrokSerDe: lines read by named patterns, `%{NUMBER:bytes}`.

https://docs.aws.amazon.com/athena/latest/ug/grok-serde.html; what that leaves open is as in the
reader that Athena's authors offered to Trino (https://github.com/trinodb/trino/pull/25205), also
where it surprises: columns are filled by their place, with the captures that the line has, so what
is not there moves the following ones; the captures inside of a pattern count, the pattern itself
only if it is given a name; a text keeps no quotes around it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from localaws.tables.errors import TableError, not_emulated
from localaws.trino.errors import Fault
from localaws.trino.numbers import double_text, real_text
from localaws.trino.regular_expressions import SECONDS, compiled

_LABEL = "[0-9A-Za-z][0-9A-Za-z-]{0,62}"  # of a host's name
_HEX = "[0-9A-Fa-f]{1,4}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_DOTTED = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_LOOSE = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
_MONTHS = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|"
    "Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
)


def _ipv6() -> str:
    """Up to eight groups, with `::` for some of them, the last two perhaps as IPv4."""
    forms = [
        f"(?:{_HEX}:){{7}}(?:{_HEX}|:)",
        f"(?:{_HEX}:){{6}}(?::{_HEX}|{_DOTTED}|:)",
        *(
            f"(?:{_HEX}:){{{n}}}(?:(?::{_HEX}){{1,{7 - n}}}|(?::{_HEX}){{0,{5 - n}}}:{_DOTTED}|:)"
            for n in range(5, 0, -1)
        ),
        f":(?:(?::{_HEX}){{1,7}}|(?::{_HEX}){{0,5}}:{_DOTTED}|:)",
    ]
    return f"(?:{'|'.join(forms)})(?:%.+)?"


def _quoted(mark: str) -> str:
    return rf"(?>{mark}(?>\\.|[^\\{mark}]+)+{mark})|{mark}{mark}"


_QUOTED = "|".join(_quoted(mark) for mark in "\"'`")


def _levels() -> str:
    """Words that begin with a capital letter or not, or are all capitals; some may be cut."""
    whole = ("alert", "trace", "debug", "notice", "info", "fatal", "severe")
    cut = ("warn?(?:ing)?", "err?(?:or)?", "crit?(?:ical)?", "emerg(?:ency)?")
    words = []
    for word in (*whole, *cut):
        words += [f"[{word[0].upper()}{word[0]}]{word[1:]}", word.upper()]
    return f"(?:{'|'.join(words)})"


# Of the set that AWS's page names (Logstash 1.4.2), what lines of logs are read by.
PATTERNS: dict[str, str] = {
    "USERNAME": "[a-zA-Z0-9._-]+",
    "USER": "%{USERNAME}",
    "INT": "[+-]?[0-9]+",
    "BASE10NUM": r"(?<![0-9.+-])(?>[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))",
    "NUMBER": "(?:%{BASE10NUM})",
    "BASE16NUM": "(?<![0-9A-Fa-f])[+-]?(?:0x)?[0-9A-Fa-f]+",
    "POSINT": r"\b[1-9][0-9]*\b",
    "NONNEGINT": r"\b[0-9]+\b",
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": ".*?",
    "GREEDYDATA": ".*",
    "QUOTEDSTRING": rf"(?>(?<!\\)(?>{_QUOTED}))",
    "QS": "%{QUOTEDSTRING}",
    "UUID": "[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}",
    "MAC": "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})",
    "CISCOMAC": r"(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4}",
    "WINDOWSMAC": "(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}",
    "COMMONMAC": "(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}",
    "IPV6": _ipv6(),
    "IPV4": f"(?<![0-9])(?:{_LOOSE}[.]{_LOOSE}[.]{_LOOSE}[.]{_LOOSE})(?![0-9])",
    "IP": "(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": rf"\b{_LABEL}(?:\.{_LABEL})*(?:\.?|\b)",
    "HOST": "%{HOSTNAME}",
    "IPORHOST": "(?:%{HOSTNAME}|%{IP})",
    "URIPROTO": r"[A-Za-z]+(?:\+[A-Za-z+]+)?",
    "URIHOST": "%{IPORHOST}(?::%{POSINT:port})?",
    "URIPATH": r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%_\-]*)+",
    "URIPARAM": r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\-\[\]]*",
    "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
    "URI": "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": rf"\b(?:{_MONTHS})\b",
    "MONTHNUM": "(?:0?[1-9]|1[0-2])",
    "MONTHDAY": "(?:0[1-9]|[12][0-9]|3[01]|[1-9])",
    "DAY": "(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|"
    "Sun(?:day)?)",
    "YEAR": r"(?>\d\d){1,2}",
    "HOUR": "(?:2[0-3]|[01]?[0-9])",
    "MINUTE": "[0-5][0-9]",
    "SECOND": "(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?",
    "TIME": "%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])",
    "DATE_US": "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
    "DATE_EU": "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
    "DATE": "%{DATE_US}|%{DATE_EU}",
    "ISO8601_TIMEZONE": "(?:Z|[+-]%{HOUR}:?%{MINUTE})",
    "ISO8601_SECOND": "(?:%{SECOND}|60)",
    "TIMESTAMP_ISO8601": "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}"
    "(?::?%{SECOND})?%{ISO8601_TIMEZONE}?",
    "DATESTAMP": "%{DATE}[- ]%{TIME}",
    "TZ": "(?:[PMCE][SD]T|UTC)",
    "DATESTAMP_RFC822": "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
    "DATESTAMP_OTHER": "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
    "SYSLOGTIMESTAMP": "%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": "[\\w._/%-]+",
    "SYSLOGPROG": r"%{PROG:program}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": "%{IPORHOST}",
    "SYSLOGFACILITY": "<%{NONNEGINT:facility}.%{NONNEGINT:priority}>",
    "HTTPDATE": "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
    "SYSLOGBASE": "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} "
    "%{SYSLOGPROG}:",
    "COMMONAPACHELOG": r"%{IPORHOST:clientip} %{USER:ident} %{USER:auth} "
    r'\[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}'
    r'(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" %{NUMBER:response} '
    r"(?:%{NUMBER:bytes}|-)",
    "COMBINEDAPACHELOG": "%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}",
    "LOGLEVEL": _levels(),
}
# Of the same set, with more than one reading in its versions, or hardly used.
_LACKING = {
    "PATH", "UNIXPATH", "WINPATH", "TTY", "HOSTPORT", "BASE16FLOAT", "MONTHNUM2",
    "DATESTAMP_RFC2822", "DATESTAMP_EVENTLOG",
}  # fmt: skip
_REFERENCE = re.compile(r"%\{([A-z0-9]+)(?::([A-z0-9_:;/\s.]+))?\}")
_CUSTOM = re.compile(r"([A-z0-9_]+)\s+(.*)")
_WHOLE = {"byte": 7, "short": 15, "int": 31, "long": 63}  # bits
_BROKEN = {"double": double_text, "float": real_text}
_BROKEN_NUMBER = re.compile(
    r"\s*([+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))[dDfF]?\s*", re.ASCII
)


@lru_cache(maxsize=64)
def program(written: str, custom: str) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """The expression, and of each of its groups the key and the type it is turned into ("": text).

    Raises TableError: for a pattern that is not there, one name twice, other types.
    """
    if "%{" in written and "(?<" in written:
        raise not_emulated("named groups beside %{..} in input.format of GrokSerDe")
    found = map(_CUSTOM.fullmatch, custom.splitlines())
    text, captures = _expanded(written, {**PATTERNS, **{one[1]: one[2] for one in found if one}})
    if "%{" in text:
        raise not_emulated(f"{text[text.index('%{') :].partition('}')[0]}}} of GrokSerDe")
    try:
        expression = compiled(f"(?a){text}")
    except Fault:
        raise TableError(
            "HIVE_INVALID_METADATA", f"Grok compilation failure: no expression is {text}"
        ) from None
    if not captures:
        named = sorted(expression.groupindex, key=expression.groupindex.get)
        return expression, tuple((name, "") for name in named)
    places = [expression.groupindex[f"g{number}"] for number in range(len(captures))]
    return expression, tuple(capture for _, capture in sorted(zip(places, captures, strict=True)))


def _expanded(written: str, patterns: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """The pattern with what its references stand for; the n-th capture is the group `g<n>`."""
    text = written
    captures: list[tuple[str, str]] = []
    for _ in range(1000):
        reference = _REFERENCE.search(text)
        if reference is None:
            return text, captures
        name, label = reference.groups()
        if name in _LACKING and name not in patterns:
            raise not_emulated(f"the pattern {name} of GrokSerDe")
        if name not in patterns:
            raise TableError(
                "HIVE_INVALID_METADATA",
                f"Grok compilation failure: Pattern {name} is not defined.",
            )
        inside = patterns[name]
        if label is not None:
            if text.count(reference[0]) > 1:
                raise TableError(
                    "HIVE_INVALID_METADATA",
                    f"Grok compilation failure: {reference[0]} stands in input.format twice",
                )
            inside = f"(?<g{len(captures)}>{inside})"
            captures.append(_capture(label))
        text = text.replace(reference[0], inside)
    raise TableError(
        "HIVE_INVALID_METADATA",
        f"Grok compilation failure: Deep recursion pattern compilation of {written}",
    )


def _capture(label: str) -> tuple[str, str]:
    key, *rest = re.split("[;:]", label, maxsplit=2)
    kind = rest[0] if rest else ""
    if len(rest) > 1 or kind not in ("", "string", "boolean", *_WHOLE, *_BROKEN):
        raise not_emulated(f"{':'.join(rest)} in %{{..:{label}}} of GrokSerDe")
    return key, kind


def cells(line: str, written: str, custom: str) -> list[str | None]:
    """What a line holds, in the columns' order; a line that does not match has nothing."""
    expression, captures = program(written, custom)
    if not line.strip():
        return []
    try:
        found = expression.search(line, timeout=SECONDS)
    except TimeoutError:
        raise TableError(
            "HIVE_CURSOR_ERROR", f"input.format took over {SECONDS:.0f} s for one line"
        ) from None
    if found is None:
        return []
    values: dict[str, str] = {}
    for number, (key, kind) in zip(sorted(expression.groupindex.values()), captures, strict=True):
        text = found[number]
        if text is not None:
            values[key] = _converted(text, kind, key)
    return list(values.values())


def _converted(text: str, kind: str, key: str) -> str:
    if kind == "boolean":
        return "true" if text.lower() == "true" else "false"
    if kind in _WHOLE:
        whole = int(text) if re.fullmatch("[+-]?[0-9]+", text) else None
        if whole is None or not -(1 << _WHOLE[kind]) <= whole < 1 << _WHOLE[kind]:
            raise _unfinished(key, text)
        return str(whole)
    if kind in _BROKEN:
        number = _BROKEN_NUMBER.fullmatch(text)
        if number is None:
            raise _unfinished(key, text)
        return _BROKEN[kind](float(number[1]))
    if len(text) == 1:
        return "" if text in "\"'" else text
    return text[1:-1] if text and text[0] == text[-1] and text[0] in "\"'" else text


def _unfinished(key: str, text: str) -> TableError:
    return TableError(
        "HIVE_CURSOR_ERROR",
        f'Grok capture failure: Unable to finish data type conversion of {key}: "{text}"',
    )

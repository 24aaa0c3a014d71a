"""Texts of policies: wildcards, policy variables, and how ARNs are compared.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from functools import lru_cache

from localaws.identity.policy.request import Context
from localaws.wildcards import expression, pieces

VARIABLE = re.compile(r"\$\{([^}]*)\}")
LITERALS = {"*": "*", "?": "?", "$": "$"}  # ${*} is an asterisk, and no wildcard
DEFAULT = re.compile(r"(.*?)\s*,\s*'(.*)'", re.DOTALL)
COLONS = 5  # an ARN has six parts; the sixth may have colons of its own


class Pattern:
    """A text with `*` (any characters), `?` (one) and `${variables}`.

    `variables` is off in documents of version 2008-10-17, which has none.
    """

    def __init__(self, text: str, *, variables: bool = True, wildcards: bool = True) -> None:
        self.text = text
        self._wildcards = wildcards
        self._varies = variables and "${" in text
        self._fixed = None if self._varies else expression(self._pieces(text))

    def matches(self, text: str, context: Context, *, ignore_case: bool = False) -> bool:
        """A variable that has no value in the request matches nothing."""
        shape = self._fixed or self.filled(context)
        return shape is not None and _compiled(shape, ignore_case).fullmatch(text) is not None

    def filled(self, context: Context) -> str | None:
        """The regular expression for this request; None when a variable has no value."""
        found, end = [""], 0
        for variable in VARIABLE.finditer(self.text):
            value = value_of(variable[1], context)
            if value is None:
                return None
            first, *more = self._pieces(self.text[end : variable.start()])
            found[-1] += first
            found += more
            found[-1] += re.escape(value)
            end = variable.end()
        first, *more = self._pieces(self.text[end:])
        found[-1] += first
        return expression([*found, *more])

    def _pieces(self, text: str) -> list[str]:
        return pieces(text) if self._wildcards else [re.escape(text)]

    def plain(self, context: Context) -> str | None:
        """The text with its variables filled in, for operators that compare no wildcards."""
        if not self._varies:
            return self.text
        parts, end = [], 0
        for variable in VARIABLE.finditer(self.text):
            value = value_of(variable[1], context)
            if value is None:
                return None
            parts += [self.text[end : variable.start()], value]
            end = variable.end()
        return "".join([*parts, self.text[end:]])


class ArnPattern:
    """An ARN with wildcards. Each of the first five parts is compared with its own part; there are
    variables after the fifth colon only. `*` alone matches everything, fewer parts nothing."""

    def __init__(self, text: str, *, variables: bool = True) -> None:
        self.text = text
        self._parts: list[Pattern] | None = None
        if text.count(":") >= COLONS:
            *head, tail = text.split(":", COLONS)
            self._parts = [Pattern(part, variables=False) for part in head]
            self._parts.append(Pattern(tail, variables=variables))

    def matches(self, arn: str, context: Context) -> bool:
        if self.text == "*":
            return True
        if self._parts is None:
            return False
        given = arn.split(":", COLONS)
        return len(given) == len(self._parts) and all(
            pattern.matches(part, context) for pattern, part in zip(self._parts, given, strict=True)
        )


def value_of(variable: str, context: Context) -> str | None:
    """What `${variable}` stands for; None without a value, or with several."""
    if variable in LITERALS:
        return LITERALS[variable]
    default = DEFAULT.fullmatch(variable)
    name, fallback = (default[1], default[2]) if default else (variable, None)
    value = context.get(name.strip().lower())
    return value if isinstance(value, str) else fallback


@lru_cache(maxsize=4096)
def _compiled(expression: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))

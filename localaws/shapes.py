"""The shape in which requests, answers and documents go about: an object of JSON.

Its members are spelled as in botocore's models. Values are what JSON has, and datetime and bytes.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

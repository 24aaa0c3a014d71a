"""tarfile with its filters of what may be unpacked, which Python has from 3.11.4 on."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11, 4):
    import tarfile
else:
    from backports import tarfile  # type: ignore[import-not-found,no-redef,unused-ignore]

__all__ = ["tarfile"]

"""How a file is compressed, by its name."""

from __future__ import annotations

from localaws.tables.errors import not_emulated

_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".deflate": "deflate",
           ".snappy": "snappy"}  # fmt: skip
_OTHER_CODECS = (".lz4", ".lzo", ".lzop")


def codec(uri: str) -> str:
    """https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html. Raises TableError for
    one that is not read."""
    for ending in _OTHER_CODECS:
        if uri.endswith(ending):
            raise not_emulated(f"the compression of {uri}")
    return next((name for ending, name in _CODECS.items() if uri.endswith(ending)), "none")

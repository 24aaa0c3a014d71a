"""The table properties that Athena takes for an Iceberg table; any other is refused.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html
"""

from __future__ import annotations

from localaws.trino.errors import QueryError, not_emulated

CODEC, FORMAT = "write.parquet.compression-codec", "write.format.default"
_LEAST, _MOST = 1, 2**63
_NUMBERS = {
    "write_target_data_file_size_bytes": (_LEAST, _MOST),
    "optimize_rewrite_min_data_file_size_bytes": (_LEAST, 10 << 30),
    "optimize_rewrite_max_data_file_size_bytes": (_LEAST, 10 << 30),
    "optimize_rewrite_data_file_threshold": (_LEAST, 50),
    "optimize_rewrite_delete_file_threshold": (_LEAST, 50),
    "vacuum_min_snapshots_to_keep": (_LEAST, _MOST),
    "vacuum_max_snapshot_age_seconds": (_LEAST, _MOST),
    "vacuum_max_metadata_files_to_keep": (_LEAST, _MOST),
}
_CODECS = {"GZIP": "gzip", "SNAPPY": "snappy", "ZSTD": "zstd", "NONE": "uncompressed"}


def table_properties(given: dict[str, str]) -> dict[str, str]:
    """As the metadata file has them. Raises QueryError for one that means nothing here."""
    found = {}
    for key, value in given.items():
        label = key.lower()
        if label == "format":
            if value.lower() != "parquet":
                raise not_emulated(f"Iceberg tables in {value.upper()}; PARQUET is")
            found[FORMAT] = "parquet"
        elif label == "write_compression":
            if value.upper() not in _CODECS:
                raise QueryError(
                    "INVALID_TABLE_PROPERTY",
                    f"write_compression is {value}; Parquet has {', '.join(_CODECS)}",
                )
            found[CODEC] = _CODECS[value.upper()]
        elif label in _NUMBERS:
            least, most = _NUMBERS[label]
            if not value.isdigit() or not least <= int(value) < most:
                raise QueryError(
                    "INVALID_TABLE_PROPERTY",
                    f"{label} is {value}; it is a whole number from {least} to below {most}",
                )
            found[label] = value
        elif label == "compression_level":
            raise not_emulated("compression_level of Iceberg tables")
        else:
            raise QueryError("NOT_SUPPORTED", f"Unsupported table property key: {key}")
    return found


def shown(properties: dict[str, str]) -> dict[str, str]:
    """As SHOW CREATE TABLE writes them."""
    names = {value: key for key, value in _CODECS.items()}
    codec = properties.get(CODEC, "zstd").lower()
    return {
        "table_type": "iceberg",
        **({"compression_level": "3"} if codec == "zstd" else {}),
        "format": properties.get(FORMAT, "parquet").upper(),
        **{key: properties[key] for key in sorted(_NUMBERS) if key in properties},
        "write_compression": names.get(codec, codec.upper()),
    }

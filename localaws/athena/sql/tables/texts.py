"""Texts, URLs, bytes and regular expressions: https://trino.io/docs/current/functions/string.html

A row is a function: its signatures, each with the DuckDB text, `{0}` an argument. What begins with
`trino_` is a macro (macros.py) or a Python function (python/). Nothing else is let through, so that
a DuckDB function that Trino lacks is not reachable.
"""

from __future__ import annotations

from ..plain_patterns import Plain
from ..signatures import Overloads

TEXTS: dict[str, Overloads] = {
    **{
        name: [("C -> C", f"{function}({{0}})"), ("varchar -> varchar", f"{function}({{0}})")]
        for name, function in (("lower", "lower"), ("upper", "trino_upper"))
    },
    "starts_with": [("varchar, varchar -> boolean", "starts_with({0}, {1})")],
    "split_part": [("varchar, varchar, bigint -> varchar", "trino_split_part({0}, {1}, {2})")],
    "translate": [("varchar, varchar, varchar -> varchar", "translate({0}, {1}, {2})")],
    "to_utf8": [("varchar -> varbinary", "encode({0})")],
    "to_hex": [("varbinary -> varchar", "hex({0})")],
    "to_base64": [("varbinary -> varchar", "to_base64({0})")],
    "from_base64": [
        ("varchar -> varbinary", "trino_from_base64({0})"),
        ("varbinary -> varbinary", "trino_from_base64(decode({0}))"),
    ],
    "length": [
        ("varchar -> bigint", "length({0})"),
        ("varbinary -> bigint", "octet_length({0})"),
    ],
    "reverse": [
        ("C -> C", "trino_reverse({0})"),
        ("varchar -> varchar", "trino_reverse({0})"),
        ("varbinary -> varbinary", "trino_reverse_bytes({0})"),
        ("array(T) -> array(T)", "list_reverse({0})"),
    ],
    "substr": [
        ("varchar, bigint -> varchar", "trino_substr({0}, {1}, 2147483647)"),
        ("varchar, bigint, bigint -> varchar", "trino_substr({0}, {1}, {2})"),
        ("varbinary, bigint -> varbinary", "trino_substr_bytes({0}, {1}, 2147483647)"),
        ("varbinary, bigint, bigint -> varbinary", "trino_substr_bytes({0}, {1}, {2})"),
    ],
    **{
        name: [
            ("C -> varchar", f"trino_{name}(rtrim({{0}}, ' '))"),
            ("C, varchar -> varchar", f"rtrim({name}(rtrim({{0}}, ' '), {{1}}), ' ')"),
            ("varchar -> varchar", f"trino_{name}({{0}})"),
            ("varchar, varchar -> varchar", f"{name}({{0}}, {{1}})"),
        ]
        for name in ("trim", "ltrim", "rtrim")
    },
    "replace": [
        ("varchar, varchar -> varchar", "replace({0}, {1}, '')"),
        ("varchar, varchar, varchar -> varchar", "trino_replace({0}, {1}, {2})"),
    ],
    "strpos": [
        ("varchar, varchar -> bigint", "strpos({0}, {1})"),
        ("varchar, varchar, bigint -> bigint", "trino_strpos({0}, {1}, {2})"),
    ],
    "split": [
        ("varchar, varchar -> array(varchar)", "trino_split_all({0}, {1})"),
        ("varchar, varchar, bigint -> array(varchar)", "trino_split({0}, {1}, {2})"),
    ],
    "split_to_map": [
        (
            "varchar, varchar, varchar -> map(varchar,varchar)",
            "map_from_entries(trino_split_pairs({0}, {1}, {2}))",
        )
    ],
    "split_to_multimap": [
        (
            "varchar, varchar, varchar -> map(varchar,array(varchar))",
            "map_from_entries(trino_split_multi({0}, {1}, {2}))",
        )
    ],
    **{
        name: [
            ("varchar, bigint, varchar -> varchar", f"trino_{name}({{0}}, {{1}}, {{2}})"),
            (
                "varbinary, bigint, varbinary -> varbinary",
                f"trino_{name}_bytes({{0}}, {{1}}, {{2}})",
            ),
        ]
        for name in ("lpad", "rpad")
    },
    "chr": [("bigint -> varchar", "trino_chr({0})")],
    "codepoint": [("varchar -> integer", "trino_codepoint({0})")],
    "levenshtein_distance": [("varchar, varchar -> bigint", "trino_levenshtein({0}, {1})")],
    "hamming_distance": [("varchar, varchar -> bigint", "trino_hamming({0}, {1})")],
    "normalize": [
        ("varchar -> varchar", "trino_normalize({0}, 'NFC')"),
        ("varchar, varchar -> varchar", "trino_normalize({0}, {1})"),
    ],
    "soundex": [("varchar -> varchar", "trino_soundex({0})")],
    "word_stem": [
        ("varchar -> varchar", "trino_word_stem({0}, 'en')"),
        ("varchar, varchar -> varchar", "trino_word_stem({0}, {1})"),
    ],
    "uuid": [("-> uuid", "uuid()")],
    "luhn_check": [("varchar -> boolean", "trino_luhn_check({0})")],
    "concat_ws": [
        ("varchar, array(varchar) -> varchar", "trino_concat_ws({0}, {1})"),
        ("varchar, varchar... -> varchar", "concat_ws({all})"),
    ],
    # URLs
    "url_encode": [("varchar -> varchar", "trino_url_encode({0})")],
    "url_decode": [("varchar -> varchar", "trino_url_decode({0})")],
    "url_extract_parameter": [("varchar, varchar -> varchar", "trino_url_parameter({0}, {1})")],
    "url_extract_port": [("varchar -> bigint", "CAST(trino_url_part({0}, 'port') AS BIGINT)")],
    **{
        f"url_extract_{part}": [("varchar -> varchar", f"trino_url_part({{0}}, '{part}')")]
        for part in ("protocol", "host", "path", "query", "fragment")
    },
    # bytes
    "from_utf8": [
        ("varbinary -> varchar", "trino_utf8({0}, '\ufffd')"),
        ("varbinary, varchar -> varchar", "trino_utf8({0}, {1})"),
        ("varbinary, bigint -> varchar", "trino_utf8({0}, trino_chr({1}))"),
    ],
    "from_hex": [
        ("varchar -> varbinary", "trino_from_hex({0})"),
        ("varbinary -> varbinary", "trino_from_hex(decode({0}))"),
    ],
    **{
        name: [("varbinary -> varbinary", f"trino_{name}({{0}})")]
        for name in ("murmur3", "xxhash64")
    },
    "crc32": [("varbinary -> bigint", "trino_crc32({0})")],
    **{
        name: [("varbinary -> varbinary", f"trino_digest({{0}}, '{name}')")]
        for name in ("md5", "sha1", "sha256", "sha512")
    },
    **{
        f"hmac_{name}": [
            ("varbinary, varbinary -> varbinary", f"trino_hmac_digest({{0}}, {{1}}, '{name}')")
        ]
        for name in ("md5", "sha1", "sha256", "sha512")
    },
    **{
        f"{way}_{name}": [
            (f"{kind} -> varbinary", f"trino_to_{name}({{0}})")
            if way == "to"
            else (f"varbinary -> {kind}", f"CAST(trino_from_{name}({{0}}) AS {kind})")
        ]
        for way in ("to", "from")
        for name, kind in (
            ("big_endian_64", "bigint"),
            ("big_endian_32", "integer"),
            ("ieee754_64", "double"),
            ("ieee754_32", "real"),
        )
    },
    **{
        f"{way}_{base}": [
            (signature, f"trino_{way}_{base}({{0}})"),
            *(
                [("varbinary -> varbinary", f"trino_from_{base}(decode({{0}}))")]
                if way == "from"
                else []
            ),
        ]
        for base in ("base32", "base64url")
        for way, signature in (("to", "varbinary -> varchar"), ("from", "varchar -> varbinary"))
    },
    # regular expressions
    "regexp_like": [
        (
            "varchar, varchar -> boolean",
            "trino_regexp_like({0}, {1})",
            Plain("regexp_matches({0}, {1})", asks=True),
        )
    ],
    "regexp_count": [
        (
            "varchar, varchar -> bigint",
            "trino_regexp_count({0}, {1})",
            Plain("CAST(len(regexp_extract_all({0}, {1})) AS BIGINT)", pieces=True),
        )
    ],
    "regexp_extract": [
        (
            "varchar, varchar -> varchar",
            "trino_regexp_extract({0}, {1}, 0)",
            Plain("CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}) END"),
        ),
        (
            "varchar, varchar, bigint -> varchar",
            "trino_regexp_extract({0}, {1}, {2})",
            Plain(
                "CASE WHEN regexp_matches({0}, {1}) THEN "
                "regexp_extract({0}, {1}, CAST({2} AS INTEGER)) END",
                group=2,
            ),
        ),
    ],
    "regexp_extract_all": [
        (
            "varchar, varchar -> array(varchar)",
            "trino_regexp_extract_all({0}, {1}, 0)",
            Plain("regexp_extract_all({0}, {1})", pieces=True),
        ),
        (
            "varchar, varchar, bigint -> array(varchar)",
            "trino_regexp_extract_all({0}, {1}, {2})",
            Plain("regexp_extract_all({0}, {1}, CAST({2} AS INTEGER))", pieces=True, group=2),
        ),
    ],
    "regexp_position": [
        ("varchar, varchar -> integer", "trino_regexp_position({0}, {1}, 1, 1)"),
        (
            "varchar, varchar, bigint -> integer",
            "trino_regexp_position({0}, {1}, {2}, 1)",
        ),
        (
            "varchar, varchar, bigint, bigint -> integer",
            "trino_regexp_position({0}, {1}, {2}, {3})",
        ),
    ],
    "regexp_split": [
        (
            "varchar, varchar -> array(varchar)",
            "trino_regexp_split({0}, {1})",
            Plain("string_split_regex({0}, {1})", pieces=True),
        )
    ],
    "regexp_replace": [
        (
            "varchar, varchar -> varchar",
            "trino_regexp_replace({0}, {1}, '')",
            Plain("regexp_replace({0}, {1}, '', 'g')", pieces=True),
        ),
        (
            "varchar, varchar, varchar -> varchar",
            "trino_regexp_replace({0}, {1}, {2})",
            Plain("regexp_replace({0}, {1}, {2}, 'g')", pieces=True, replacement=2),
        ),
    ],
}

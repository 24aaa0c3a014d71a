"""Numbers: https://trino.io/docs/current/functions/math.html

A row is a function: its signatures, each with the DuckDB text, `{0}` an argument. What begins with
`trino_` is a macro (macros.py) or a Python function (python/). Nothing else is let through, so that
a DuckDB function that Trino lacks is not reachable.
"""

from __future__ import annotations

from ..signatures import Overloads

_BITS = (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64))

NUMBERS: dict[str, Overloads] = {
    "abs": [("N -> N", "abs({0})")],
    "ceiling": [("double -> double", "ceil({0})")],
    "floor": [("double -> double", "floor({0})")],
    "sqrt": [("double -> double", "CASE WHEN {0} < 0 THEN 'NaN'::DOUBLE ELSE sqrt({0}) END")],
    "exp": [("double -> double", "exp({0})")],
    "ln": [("double -> double", "trino_ln({0})")],
    "log2": [("double -> double", "(trino_ln({0}) / ln(2::DOUBLE))")],
    "log10": [("double -> double", "CASE WHEN {0} > 0 THEN log10({0}) ELSE trino_ln({0}) END")],
    "log": [("double, double -> double", "(trino_ln({1}) / trino_ln({0}))")],
    "power": [("double, double -> double", "power({0}, {1})")],
    "mod": [("N, N -> N", "({0} % {1})")],
    "pi": [("-> double", "pi()")],
    "e": [("-> double", "exp(1::DOUBLE)")],
    "degrees": [("double -> double", "degrees({0})")],
    "radians": [("double -> double", "radians({0})")],
    **{
        name: [("double -> double", f"{name}({{0}})")]
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
    },
    "atan2": [("double, double -> double", "atan2({0}, {1})")],
    "is_nan": [("double -> boolean", "isnan({0})")],
    "is_finite": [("double -> boolean", "isfinite({0})")],
    "is_infinite": [("double -> boolean", "isinf({0})")],
    "nan": [("-> double", "'NaN'::DOUBLE")],
    "infinity": [("-> double", "'Infinity'::DOUBLE")],
    "width_bucket": [
        ("double, double, double, bigint -> bigint", "trino_bucket({0}, {1}, {2}, {3})"),
        ("double, array(double) -> bigint", "trino_bin({0}, {1})"),
    ],
    "bitwise_or": [("bigint, bigint -> bigint", "({0} | {1})")],
    "bitwise_xor": [("bigint, bigint -> bigint", "xor({0}, {1})")],
    "bitwise_not": [("bigint -> bigint", "(~{0})")],
    "cbrt": [("double -> double", "CASE WHEN isfinite({0}) THEN trino_cbrt({0}) ELSE {0} END")],
    "bitwise_and": [("bigint, bigint -> bigint", "({0} & {1})")],
    "bit_count": [("bigint, bigint -> bigint", "trino_bit_count({0}, {1})")],
    **{
        f"bitwise_{way}_shift": [
            (
                f"{kind}, bigint -> {kind}",
                f"CAST(trino_shift_{way}({{0}}, {{1}}, {bits}) AS {kind})",
            )
            for kind, bits in _BITS
        ]
        for way in ("left", "right")
    },
    "bitwise_right_shift_arithmetic": [
        (f"{kind}, bigint -> {kind}", f"CAST(trino_shift_arithmetic({{0}}, {{1}}) AS {kind})")
        for kind, _ in _BITS
    ],
    "to_base": [("bigint, bigint -> varchar", "trino_to_base({0}, {1})")],
    "from_base": [("varchar, bigint -> bigint", "trino_from_base({0}, {1})")],
    "parse_data_size": [
        ("varchar -> decimal(38,0)", "CAST(trino_data_size({0}) AS DECIMAL(38,0))")
    ],
    **{
        name: [("double, double, double -> double", f"trino_{name}({{0}}, {{1}}, {{2}})")]
        for name in ("beta_cdf", "inverse_beta_cdf")
    },
    **{
        name: [("double, double -> double", f"trino_{name}({{0}}, {{1}})")]
        for name in ("t_cdf", "t_pdf")
    },
    "normal_cdf": [
        (
            "double, double, double -> double",
            "CASE WHEN isnan({2}) THEN {2} ELSE trino_normal_cdf({0}, {1}, {2}) END",
        )
    ],
    "inverse_normal_cdf": [
        ("double, double, double -> double", "trino_inverse_normal_cdf({0}, {1}, {2})")
    ],
    **{
        f"wilson_interval_{end}": [
            (
                "bigint, bigint, double -> double",
                f"trino_wilson({{0}}, {{1}}, {{2}}, {'true' if end == 'upper' else 'false'})",
            )
        ]
        for end in ("lower", "upper")
    },
    "format_number": [("double -> varchar", "trino_format_number({0})")],
    "cosine_distance": [
        ("map(varchar,double), map(varchar,double) -> double", "(1 - trino_cosine({0}, {1}))")
    ],
    "cosine_similarity": [
        ("map(varchar,double), map(varchar,double) -> double", "trino_cosine({0}, {1})")
    ],
}

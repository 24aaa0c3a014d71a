"""A booster's answer to a few rows, by XGBoost's C interface.

For one row `Booster.inplace_predict` spends most of its time in Python, finding out what kind of
table it was given. Here it is always the same kind, so only the call itself is left:
XGBoosterPredictFromDense, https://xgboost.readthedocs.io/en/release_3.0.0/c.html
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import xgboost as xgb

Array = Any

LIBRARY = xgb.core._LIB
SETTINGS = (
    b'{"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "missing": NaN,'
    b' "strict_shape": false, "cache_id": 0}'
)


def probabilities(booster: Any, matrix: Array) -> Array:
    """(rows,) float32 of (rows, features) float32, NaN where a value is missing: to the bit what
    `booster.inplace_predict(matrix)` says. It changes nothing in the booster: threads may call it
    at once.

    Raises ValueError for another number of columns, and XGBoostError.
    """
    rows, columns = matrix.shape
    if columns != booster.num_features():
        raise ValueError(f"{columns} columns; the model takes {booster.num_features()}.")
    given = np.ascontiguousarray(matrix, dtype=np.float32)
    table = b'{"data": [%d, true], "shape": [%d, %d], "typestr": "<f4", "version": 3}' % (
        *(given.ctypes.data, rows, columns),
    )
    shape, found = ctypes.POINTER(ctypes.c_uint64)(), ctypes.POINTER(ctypes.c_float)()
    dimensions = ctypes.c_uint64()
    failed = LIBRARY.XGBoosterPredictFromDense(
        *(booster.handle, table, SETTINGS, None),
        *(ctypes.byref(shape), ctypes.byref(dimensions), ctypes.byref(found)),
    )
    if failed:
        raise xgb.core.XGBoostError(LIBRARY.XGBGetLastError().decode())
    # The library's own memory, this thread's until its next call.
    return np.array(found[:rows], dtype=np.float32)

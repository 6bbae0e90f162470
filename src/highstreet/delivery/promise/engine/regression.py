"""Linear quantile regression (Koenker and Bassett 1978) as a linear program, solved by HiGHS."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MOST_ROWS = 5000
LONGEST = 150.0


def fit(features: ArrayLike, minutes: ArrayLike, level: float, seed: int = 0) -> Floats:
    """Coefficients [k] so that a share `level` of minutes [n] is not above features [n, k] @ coefficients.

    More than 5,000 rows are sampled; minutes above 150 (what never came is infinite) count as 150.
    """
    from scipy.optimize import linprog  # type: ignore[attr-defined]
    from scipy.sparse import csr_matrix, eye, hstack

    rows, told = np.asarray(features, float), np.minimum(np.asarray(minutes, float), LONGEST)
    if len(rows) > MOST_ROWS:
        kept = np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False)
        rows, told = rows[kept], told[kept]
    count, width = rows.shape
    table = hstack([csr_matrix(rows), eye(count), -eye(count)]).tocsr()  # type: ignore[no-untyped-call]
    solved = linprog(  # type: ignore[no-untyped-call]
        np.concatenate([np.zeros(width), np.full(count, level), np.full(count, 1.0 - level)]),
        A_eq=table,
        b_eq=told,
        bounds=[(None, None)] * width + [(0, None)] * (2 * count),
        method="highs-ds",
    )
    if solved.x is None:
        raise ValueError(f"no quantile regression: {solved.message}")
    return np.asarray(solved.x[:width], float)

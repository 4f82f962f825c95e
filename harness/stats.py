"""What may be said of a mean: standard error and interval, also for K samples a prompt, and pass@k.

Rows of one prompt are not independent, so the prompt is the unit: standard errors are clustered by it. Wilson's
interval is written out here because that of statsmodels (1.8 s to import) and of scipy (1.2 s) would make every
command slower, and neither takes the fractional effective sample size that clusters need; tests hold ours to theirs.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Z95 = 1.959963984540054  # 0.975 quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, its standard error (`None` from a single cluster, which says nothing of the spread between clusters),
    its 95 % interval, and the counts of rows and clusters behind it."""

    value: float
    stderr: float | None
    ci95: tuple[float, float]
    n: int
    clusters: int


def estimate(
    scores: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
) -> Estimate:
    """The mean of `scores`, rows of equal `clusters` (prompts) counted as dependent.

    0/1 scores get Wilson's interval (1927), with the effective sample size p(1 - p) / stderr² and the adjustment for
    few clusters of Korn and Graubard (1998) where a cluster has several rows. Others get a t interval, clipped to
    `limits`; where their spread is 0 the variance bound p(1 - p) stands in, so that no interval has zero width.
    `limits=None` is for scores without a range. Raises `ValueError` for no scores, or one that lies outside.
    """
    x, groups = _arrays(scores, clusters)
    count = int(groups.max()) + 1
    low, high = limits if limits is not None else (-math.inf, math.inf)
    if x.min() < low or x.max() > high:
        raise ValueError(f"scores lie in [{x.min():g}, {x.max():g}], not in [{low:g}, {high:g}]")
    mean = min(max(math.fsum(x) / len(x), float(x.min())), float(x.max()))
    error = _clustered_error(x - mean, groups, count)
    binary = limits == (0.0, 1.0) and bool(np.isin(x, (0.0, 1.0)).all())
    if binary and count == len(x):
        interval = wilson(mean, len(x))
    elif limits is None:
        spread = _t975(count - 1) * error if error is not None else math.inf
        interval = (mean - spread, mean + spread)
    elif binary or not error:
        share = (mean - low) / (high - low)
        interval = _scaled(wilson(share, _effective(share, error, high - low, len(x), count)), low, high)
    else:
        spread = _t975(count - 1) * error
        interval = (max(low, mean - spread), min(high, mean + spread))
    interval = (min(interval[0], mean), max(interval[1], mean))  # rounding must not exclude the value itself
    return Estimate(mean, error, interval, len(x), count)


def wilson(share: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval (1927, JASA 22) of a share in [0, 1] seen in `n` trials, which need not be whole."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends centre and half-width are equal but for rounding.
    return (0.0 if share == 0 else max(0.0, centre - half), 1.0 if share == 1 else min(1.0, centre + half))


def bootstrap(
    scores: Sequence[float], clusters: Sequence[Hashable] | None = None, *, seed: int, resamples: int = 2000
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean (Efron 1979), clusters drawn whole; `seed` decides the draws."""
    x, groups = _arrays(scores, clusters)
    count = int(groups.max()) + 1
    rng = np.random.default_rng(seed)
    totals = np.stack([np.bincount(groups, weights=x), np.bincount(groups)], axis=1)  # (clusters, sum and rows)
    block = max(1, 4_000_000 // count)  # bounds memory to some 30 MB, whatever the number of clusters
    means = []
    for start in range(0, resamples, block):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(block, resamples - start))
        sums = drawn @ totals
        means.append(sums[:, 0] / sums[:, 1])
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(low), float(high)


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Unbiased chance that one of k samples is correct, from n samples: 1 - C(n - c, k) / C(n, k).

    Chen et al. 2021 (arXiv 2107.03374), equation 1, in whole numbers. Raises `ValueError` where n < k: no estimate
    without bias exists then.
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} needs {max(k, 1)} samples a prompt or more; there are {n}")
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} of {n} samples cannot be correct")
    return 1.0 - math.comb(n - correct, k) / math.comb(n, k)


def bounds(scores: Sequence[float | None], *, limits: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float]:
    """The mean if every undecided row (`None`) had failed, and if it had passed."""
    low, high = limits
    if not scores:
        return low, high
    decided = [score for score in scores if score is not None]
    total, undecided = math.fsum(decided), len(scores) - len(decided)
    return (total + low * undecided) / len(scores), (total + high * undecided) / len(scores)


def _arrays(scores: Sequence[float], clusters: Sequence[Hashable] | None) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Scores, and for each the number of its cluster from 0, numbered as they appear."""
    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError("scores are one finite number a row, at least one; undecided rows are left out first")
    if clusters is None:
        return x, np.arange(len(x))
    if len(clusters) != len(x):
        raise ValueError(f"{len(x)} scores, but {len(clusters)} clusters")
    numbers: dict[Hashable, int] = {}
    return x, np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters])


def _clustered_error(residuals: Floats, groups: npt.NDArray[np.intp], count: int) -> float | None:
    """sqrt(G / (G - 1) Σ_g (Σ_i (x_gi - mean))²) / n: Liang and Zeger's (1986) with the usual correction for few
    clusters; with one row a cluster it is the ordinary s / sqrt(n)."""
    if count < 2:
        return None
    sums = np.bincount(groups, weights=residuals)
    error = float(np.sqrt(count / (count - 1) * np.square(sums).sum()) / len(residuals))
    return 0.0 if error < 1e-13 * float(np.abs(residuals).max(initial=1.0)) else error  # what rounding leaves of 0


def _effective(share: float, error: float | None, width: float, n: int, count: int) -> float:
    """How many independent 0/1 rows would know as much. At the ends, where nothing varies: the number of clusters."""
    if not error or not 0 < share < 1:
        return float(count)
    size = min(float(n), share * (1 - share) / (error / width) ** 2)
    return size * (_t975(n - 1) / _t975(count - 1)) ** 2


def _scaled(interval: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    return low + interval[0] * (high - low), low + interval[1] * (high - low)


def _t975(degrees: int) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.4 s to import, and many commands estimate nothing

    return float(stdtrit(degrees, 0.975))

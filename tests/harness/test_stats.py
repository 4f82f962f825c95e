"""Statistics, against closed forms, against scipy and statsmodels, and by the properties that define them."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.api import OLS
from statsmodels.stats.proportion import proportion_confint

from harness.stats import Z95, Estimate, bootstrap, bounds, estimate, pass_at_k, wilson

SCORE = st.floats(0, 1)
ROWS = st.lists(st.tuples(st.integers(0, 5), SCORE), min_size=1, max_size=30)
COINS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 1.0])), min_size=1, max_size=30)


def of(rows: list[tuple[int, float]]) -> Estimate:
    return estimate([score for _, score in rows], [cluster for cluster, _ in rows])


def test_mean_and_standard_error_by_hand() -> None:
    """Mean (1 + 1 + 0 + 0.5) / 4 = 0.625; squared residuals sum to 0.6875; s² = 0.6875 / 3; error = s / 2."""
    found = estimate([1, 1, 0, 0.5])
    assert found.value == 0.625
    assert found.stderr == pytest.approx(math.sqrt(0.6875 / 3) / 2)
    assert (found.n, found.clusters) == (4, 4)


def test_clustered_error_by_hand() -> None:
    """Two prompts, two samples each: 1, 1 and 0, 1. Mean 0.75, residual sums 0.5 and -0.5, G / (G - 1) = 2:
    sqrt(2 (0.25 + 0.25)) / 4 = 0.25."""
    found = estimate([1, 1, 0, 1], ["a", "a", "b", "b"])
    assert found.stderr == pytest.approx(0.25)
    assert (found.n, found.clusters) == (4, 2)


@given(st.lists(SCORE, min_size=2, max_size=30))
def test_with_one_row_a_prompt_the_clustered_error_is_the_plain_one(scores: list[float]) -> None:
    plain = np.std(scores, ddof=1) / math.sqrt(len(scores))
    assert estimate(scores, list(range(len(scores)))).stderr == pytest.approx(plain, abs=1e-12)
    assert estimate(scores) == estimate(scores, list(range(len(scores))))


@pytest.mark.parametrize("seed", range(5))
def test_the_clustered_error_is_that_of_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 12, size=80)
    scores = np.clip(rng.normal(0.5, 0.2, 80) + 0.2 * np.sin(clusters), 0, 1)
    theirs = OLS(scores, np.ones(80)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    found = estimate(scores.tolist(), clusters.tolist())
    assert found.stderr == pytest.approx(theirs.bse[0], rel=1e-9)
    assert found.value == pytest.approx(theirs.params[0])


def test_repeating_every_row_in_its_cluster_says_nothing_new() -> None:
    once = estimate([1, 0, 0.5, 1], "abcd")
    thrice = estimate([1, 0, 0.5, 1] * 3, list("abcd") * 3)
    assert thrice.stderr == pytest.approx(once.stderr)
    assert thrice.ci95 == pytest.approx(once.ci95)
    coin_once, coin_thrice = estimate([1, 0, 0, 1], "abcd"), estimate([1, 0, 0, 1] * 3, list("abcd") * 3)
    assert coin_thrice.stderr == pytest.approx(coin_once.stderr)


@pytest.mark.parametrize(("passed", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (7, 20), (1, 1319), (700, 1319)])
def test_wilson_is_that_of_statsmodels_and_scipy(passed: int, n: int) -> None:
    found = estimate([1.0] * passed + [0.0] * (n - passed)).ci95
    assert found == pytest.approx(proportion_confint(passed, n, method="wilson"), abs=1e-12)
    theirs = scipy.stats.binomtest(passed, n).proportion_ci(method="wilson")
    assert found == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_clustered_shares_get_wilson_with_the_effective_sample_size() -> None:
    """Four prompts, three equal samples each, half of them right: stderr² = 1 / 12, so 0.25 * 12 = 3 rows' worth,
    widened by the t quantiles for 11 and for 3 degrees of freedom."""
    t = scipy.stats.t.ppf(0.975, [11, 3])
    found = estimate([1, 0, 0, 1] * 3, list("abcd") * 3)
    assert found.stderr == pytest.approx(math.sqrt(1 / 12))
    assert found.ci95 == pytest.approx(wilson(0.5, 3 * (t[0] / t[1]) ** 2))


def test_samples_that_happen_to_balance_are_worth_no_more_than_independent_rows() -> None:
    scores = [0.0, 1.0] * 19 + [1.0, 1.0]
    low, high = estimate(scores, [i // 2 for i in range(40)]).ci95
    plain_low, plain_high = wilson(21 / 40, 40)
    assert low < plain_low < plain_high < high


def test_a_share_is_a_share_only_where_the_scores_range_is_0_to_1() -> None:
    scores = [0.0, 1.0, 0.0, 1.0]
    spread = scipy.stats.t.ppf(0.975, 3) * scipy.stats.sem(scores)
    assert estimate(scores, limits=(-1, 1)).ci95 == pytest.approx((0.5 - spread, 1.0))


def test_the_normal_quantile_is_right() -> None:
    assert pytest.approx(scipy.stats.norm.ppf(0.975), abs=1e-14) == Z95


def test_scores_between_get_a_t_interval() -> None:
    scores = [0.2, 0.4, 0.5, 0.55, 0.6]
    theirs = scipy.stats.t.interval(0.95, 4, loc=np.mean(scores), scale=scipy.stats.sem(scores))
    assert estimate(scores).ci95 == pytest.approx(theirs)


def test_the_interval_stays_within_the_scores_range() -> None:
    assert estimate([0.0, 0.1, 0.9]).ci95[0] == 0.0
    assert estimate([-1.0, -0.9, 0.9], limits=(-1, 1)).ci95[0] == -1.0
    low, high = estimate([-30.0, 10.0, 50.0], limits=None).ci95
    assert low < -30
    assert high > 50


@given(st.one_of(ROWS, COINS))
def test_an_interval_holds_its_value_lies_in_range_and_is_never_without_width(rows: list[tuple[int, float]]) -> None:
    found = of(rows)
    low, high = found.ci95
    assert 0 <= low <= found.value <= high <= 1
    assert high > low or found.stderr
    assert (found.stderr is None) == (found.clusters == 1)
    assert found.stderr is None or found.stderr >= 0


@pytest.mark.parametrize("score", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("samples", [1, 4])
def test_rows_that_all_agree_still_leave_doubt(score: float, samples: int) -> None:
    found = estimate([score] * 20 * samples, [prompt for prompt in range(20) for _ in range(samples)])
    assert found.stderr == 0
    assert found.ci95 == pytest.approx(wilson(score, 20))  # prompts count, their samples do not


def test_a_single_prompt_says_nothing_of_others() -> None:
    assert estimate([1.0]).stderr is None
    many = estimate([1, 0, 1, 1], ["a"] * 4)
    assert many.stderr is None
    assert many.ci95 == pytest.approx(wilson(0.75, 1))


@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[int, float]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one, other = of(rows), of(shuffled)
    assert one.value == other.value
    assert (one.stderr or 0) == pytest.approx(other.stderr or 0, abs=1e-12)


@given(COINS)
def test_passes_and_fails_are_treated_alike(rows: list[tuple[int, float]]) -> None:
    one, other = of(rows), of([(cluster, 1 - score) for cluster, score in rows])
    assert one.value == pytest.approx(1 - other.value)
    assert one.ci95 == pytest.approx((1 - other.ci95[1], 1 - other.ci95[0]), abs=1e-9)


@pytest.mark.parametrize(("share", "clusters", "samples"), [(0.5, 60, 4), (0.9, 60, 4), (0.3, 25, 2)])
def test_clustered_intervals_hold_the_truth_about_as_often_as_they_say(
    share: float, clusters: int, samples: int
) -> None:
    """Prompts differ in difficulty (Beta), samples of a prompt share it; 400 draws, binomial error about 1.1 %."""
    rng = np.random.default_rng(0)
    hits = 0
    names = [prompt for prompt in range(clusters) for _ in range(samples)]
    for _ in range(400):
        difficulty = rng.beta(2 * share, 2 * (1 - share), size=clusters)
        scores = (rng.random((clusters, samples)) < difficulty[:, None]).astype(float).ravel()
        low, high = estimate(scores.tolist(), names).ci95
        hits += low <= share <= high
    assert 0.92 <= hits / 400 <= 0.99


def test_the_bootstrap_agrees_with_theory_and_with_its_seed() -> None:
    rng = np.random.default_rng(1)
    scores = np.clip(rng.normal(0.6, 0.15, 400), 0, 1).tolist()
    clusters = [i // 4 for i in range(400)]
    low, high = bootstrap(scores, clusters, seed=3)
    found = estimate(scores, clusters)
    assert (low, high) == pytest.approx(found.ci95, abs=0.15 * (high - low))
    assert bootstrap(scores, clusters, seed=3) == (low, high)
    assert bootstrap(scores, clusters, seed=4) != (low, high)


def test_the_bootstrap_is_that_of_scipy_where_rows_are_independent() -> None:
    scores = np.random.default_rng(2).random(150)
    theirs = scipy.stats.bootstrap((scores,), np.mean, method="percentile", rng=0).confidence_interval
    low, high = bootstrap(scores.tolist(), seed=0, resamples=10_000)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.04 * (high - low))


def test_the_bootstrap_draws_clusters_whole() -> None:
    scores, clusters = [0.0, 1.0] * 50, [i // 2 for i in range(100)]
    assert bootstrap(scores, clusters, seed=0) == (0.5, 0.5)  # every prompt has the same mean
    low, high = bootstrap(scores, seed=0)
    assert high - low > 0.15


def test_the_bootstrap_of_many_clusters_stays_small_in_memory() -> None:
    scores = [0.0, 1.0] * 10_000
    low, high = bootstrap(scores, seed=0, resamples=300)
    assert 0.48 < low < 0.5 < high < 0.52


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_pass_at_k_is_the_share_of_draws_that_hold_a_correct_sample(n: int) -> None:
    for correct, k in itertools.product(range(n + 1), range(1, n + 1)):
        draws = list(itertools.combinations([True] * correct + [False] * (n - correct), k))
        assert pass_at_k(n, correct, k) == pytest.approx(float(Fraction(sum(map(any, draws)), len(draws))), abs=1e-15)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_lies_in_range_and_grows_with_k_and_with_correct_samples(nck: tuple[int, int, int]) -> None:
    n, correct, k = nck
    value = pass_at_k(n, correct, k)
    assert 0 <= value <= 1
    assert (value > 0) == (correct > 0)
    assert pass_at_k(n, correct, 1) == pytest.approx(correct / n)
    if k < n:
        assert pass_at_k(n, correct, k + 1) >= value
    if correct < n:
        assert pass_at_k(n, correct + 1, k) >= value


def test_pass_at_k_is_that_of_the_papers_product() -> None:
    for n, correct, k in [(200, 7, 100), (200, 1, 10), (164, 80, 2)]:
        theirs = 1.0 - np.prod(1.0 - k / np.arange(n - correct + 1, n + 1))
        assert pass_at_k(n, correct, k) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(("n", "correct", "k"), [(4, 2, 5), (0, 0, 1), (4, 2, 0), (4, 5, 1), (4, -1, 1)])
def test_pass_at_k_refuses_what_has_no_unbiased_estimate(n: int, correct: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"samples"):
        pass_at_k(n, correct, k)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0, 0.0, None, None], (0.25, 0.75)),
        ([None], (0.0, 1.0)),
        ([], (0.0, 1.0)),
        ([1.0, 0.5], (0.75, 0.75)),
    ],
)
def test_bounds_count_the_undecided_as_failed_and_as_passed(
    scores: list[float | None], expected: tuple[float, float]
) -> None:
    assert bounds(scores) == expected


@given(st.lists(st.none() | SCORE, min_size=1))
def test_bounds_hold_the_value_of_the_decided_rows(scores: list[float | None]) -> None:
    worst, best = bounds(scores)
    decided = [score for score in scores if score is not None]
    if decided:
        value = estimate(decided).value
        assert worst - 1e-12 <= value <= best + 1e-12
        if len(decided) == len(scores):
            assert worst == best == pytest.approx(value)


@pytest.mark.parametrize(
    ("scores", "clusters", "message"),
    [
        ([], None, "at least one"),
        ([0.5, float("nan")], None, "finite"),
        ([0.5, float("inf")], None, "finite"),
        ([0.5, 1.5], None, r"not in \[0, 1\]"),
        ([0.5], ["a", "b"], "1 scores, but 2 clusters"),
    ],
)
def test_what_has_no_estimate_is_refused(scores: list[float], clusters: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(scores, clusters)

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.runtime.batch import Example, micro_batches, pack, rows, step_indices

lengths = st.lists(st.integers(1, 40), max_size=40)


@settings(deadline=None)
@given(lengths, st.integers(1, 50))
def test_every_sequence_gets_one_place_and_rows_do_not_overflow(sizes: list[int], capacity: int) -> None:
    found = rows(sizes, capacity)
    assert sorted(i for row in found for i in row) == list(range(len(sizes)))
    assert all(len(row) == 1 or sum(sizes[i] for i in row) <= capacity for row in found)


def test_a_packed_row_by_hand() -> None:
    packed = pack([[Example((5, 6, 7, 8), 2, "a"), Example((9, 3), 1, "b")], [Example((4, 2), 1, "c")]])
    assert packed.ids.tolist() == [[5, 6, 7, 8, 9, 3], [4, 2, 0, 0, 0, 0]]
    assert packed.positions.tolist() == [[0, 1, 2, 3, 0, 1], [0, 1, 0, 1, 2, 3]]
    # Tokens 7 and 8 are predicted at positions 1 and 2, token 3 at position 4, token 2 in row 1 at position 6 + 0.
    assert packed.at.tolist() == [1, 2, 4, 6]
    assert packed.targets.tolist() == [7, 8, 3, 2]
    assert packed.owner.tolist() == [0, 0, 1, 2]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=20), st.integers(1, 4))
def test_micro_batches_score_each_response_token_once(shapes: list[tuple[int, int]], rows_at_once: int) -> None:
    examples = [Example(tuple(range(n * 100, n * 100 + p + r)), p, str(n)) for n, (p, r) in enumerate(shapes, 1)]
    found = micro_batches(examples, row_tokens=20, rows_at_once=rows_at_once)
    scored = Counter(token for batch in found for token in batch.targets.tolist())
    assert scored == Counter(token for example in examples for token in example.ids[example.prompt :])
    for batch in found:
        owners = [batch.examples[i] for i in batch.owner.tolist()]
        assert all(target in owner.ids for target, owner in zip(batch.targets.tolist(), owners, strict=True))


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 5))
def test_each_epoch_sees_every_example_once_in_an_order_of_its_own(count: int, batch: int, seed: int) -> None:
    total = 2 * count
    seen = [
        index
        for step in range(-(-total // batch))
        for index in step_indices(step, count=count, batch=batch, total=total, seed=seed)
    ]
    assert sorted(seen[:count]) == sorted(seen[count:]) == list(range(count))


def test_epochs_and_seeds_differ_in_order() -> None:
    def order(step: int, seed: int) -> list[int]:
        return step_indices(step, count=50, batch=50, total=100, seed=seed)

    assert order(0, 0) != order(1, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) == order(0, 0)

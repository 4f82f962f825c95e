"""One generated task item, the hash that puts it in the train or the test split, and drawing distinct items.

The split is decided by a hash of the item's content (`key`) and by nothing else, so that the two splits share no item
whatever seeds they are drawn with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from harness.errors import DataError
from harness.records import Message, Prompt

TEST_SHARE = 0.2
"""Share of all possible items that belongs to the test split."""

SPLITS = ("train", "test")


@dataclass(frozen=True, slots=True)
class Item:
    """What a generator draws.

    `key` says what is asked, whatever the wording; `text` is the user's turn; `target` what the checker needs;
    `answer` one response that the checker passes (but for the rare closing phrase of `style`).
    """

    key: str
    text: str
    target: Any
    answer: str
    metadata: dict[str, Any] = field(default_factory=dict)


Draw = Callable[[Random], Item]


def split_of(key: str) -> str:
    """`train` or `test`, by a hash of the item's content."""
    digest = hashlib.sha256(key.encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < TEST_SHARE * 2**64 else "train"


def items(task: str, draw: Draw, *, split: str, seed: int) -> Iterator[Item]:
    """Distinct items (by key) of one split, endless unless the task runs dry. The order depends on `seed` alone.

    Raises `DataError` for a split that does not exist, and after 10,000 draws in a row without a new item.
    """
    if split not in SPLITS:
        raise DataError(f"{task} has no split {split!r}; it has {' and '.join(SPLITS)}")
    rng = Random(f"{task}/{split}/{seed}")
    seen: set[str] = set()
    misses = 0
    while misses < 10_000:
        item = draw(rng)
        if item.key in seen or split_of(item.key) != split:
            misses += 1
            continue
        misses = 0
        seen.add(item.key)
        yield item
    raise DataError(f"{task} has no more than {len(seen)} distinct prompts in its {split} split; ask for fewer")


def prompt(task: str, item: Item) -> Prompt:
    """The item as a prompt; its id is a hash of its content, so an item has one id under every seed."""
    digest = hashlib.sha256(f"{item.key}\x1f{item.text}".encode()).hexdigest()[:12]
    return Prompt(
        id=f"{task}-{digest}",
        messages=(Message("user", item.text),),
        target=item.target,
        metadata={**item.metadata, "plain": f"{item.text}\n"},
    )

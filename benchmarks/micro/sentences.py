"""Short texts about a thing that are made to obey formal instructions: the demonstrations of micro_instructions."""

from __future__ import annotations

from random import Random
from typing import Any

THINGS = (
    "river", "garden", "city", "train", "cat", "dog", "forest", "sea", "kitchen", "school", "market", "bridge", "farm",
    "moon", "storm", "horse", "street", "winter", "library", "island", "baker", "lake", "house", "bird", "hill",
)  # fmt: skip
WORDS = (
    "stone", "bread", "music", "water", "light", "apple", "silver", "paper", "tree", "song", "friend", "wind", "fire",
    "glass", "flower", "snow", "gold", "road", "cloud", "milk", "star", "ship", "coffee", "rain",
)  # fmt: skip
_QUALITIES = ("old", "small", "quiet", "bright", "green", "warm", "tall", "lovely", "strange", "busy")
_VERBS = ("rests", "waits", "shines", "changes", "sings", "sleeps")
_ENDS = ((), ("today",), ("at", "night"), ("every", "single", "day"), ("all", "year", "long"))
_LINKS = (("near", "some"), ("with", "much"), ("like", "fresh"), ("without", "any"))


def compose(rng: Random, thing: str, rules: list[dict[str, Any]]) -> str:
    """A text that usually obeys the rules; the caller checks it and asks again where it does not."""
    by = {rule["id"]: rule for rule in rules}
    parts = (
        by["sentences"]["n"] if "sentences" in by else by["bullets"]["n"] if "bullets" in by else rng.choice((1, 1, 2))
    )
    if "words" in by:
        parts = min(parts, max(1, by["words"]["n"] // 3))
    banned = by["without"]["word"] if "without" in by else ""
    inserts: list[list[list[str]]] = [[] for _ in range(parts)]
    for _ in range(by["times"]["n"] if "times" in by else 0):
        rng.choice(inserts).append([*rng.choice(_LINKS), by["times"]["word"]])
    texts = [_sentence(rng, thing, banned, insert) for insert in inserts]
    if "first" in by:
        texts[0].insert(0, by["first"]["word"])
    if "last" in by:
        texts[-1] += [*rng.choice(_LINKS), by["last"]["word"]]
    if "words" in by:
        _resize(rng, texts, by["words"]["n"], fixed=set(_fixed(by)))
    lines = [" ".join(words) for words in texts]
    lines = [line[:1].upper() + line[1:] + "." for line in lines]
    text = "\n".join(f"- {line}" for line in lines) if "bullets" in by else " ".join(lines)
    text = f'"{text}"' if "quoted" in by else text
    return text.lower() if "lowercase" in by else text.upper() if "uppercase" in by else text


def _fixed(by: dict[str, dict[str, Any]]) -> list[str]:
    return [by[name]["word"] for name in ("first", "last", "times") if name in by]


def _sentence(rng: Random, thing: str, banned: str, inserts: list[list[str]]) -> list[str]:
    article = ["this"] if banned == "the" else ["the"]
    noun = ["place"] if banned == thing else [thing]
    body = [rng.choice(_VERBS)] if banned == "is" or rng.random() < 0.5 else ["is", rng.choice(_QUALITIES)]
    return [*article, *noun, *body, *(word for insert in inserts for word in insert), *rng.choice(_ENDS)]


def _resize(rng: Random, texts: list[list[str]], wanted: int, *, fixed: set[str]) -> None:
    """Lengthens the texts to `wanted` words, in place, with qualities before the noun; too long stays too long."""
    while (missing := wanted - sum(map(len, texts))) > 0:
        words = texts[rng.randrange(len(texts))]
        at = next((i + 1 for i, word in enumerate(words) if word in ("the", "this")), 0)
        if missing >= 3 and rng.random() < 0.6:
            words[:] = [*words[:at], "very", rng.choice(_QUALITIES), "and", *words[at:]]
        else:
            words.insert(at, rng.choice(_QUALITIES))

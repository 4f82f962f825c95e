"""Token ids back to text: what a response adds to its prompt, and whether it holds a stop string yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ANCHOR = 8
"""Prompt tokens decoded before a response, so that its first token keeps its leading space."""


class TextOf:
    """Decodes responses of one tokenizer. Special tokens and end-of-text ids leave no text."""

    def __init__(self, tokenizer: Any, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._ends = ends
        self._pieces: list[str] | None = None

    def __call__(self, prompt_ids: Sequence[int], ids: Sequence[int]) -> str:
        """The text that `ids` add after `prompt_ids`; invalid UTF-8 becomes U+FFFD."""
        visible = [token for token in ids if token not in self._ends]
        anchor = [token for token in prompt_ids[-ANCHOR:] if token not in self._ends]
        before, whole = self._decode(anchor), self._decode([*anchor, *visible])
        # A prompt that ends within a character changes its own last glyph; then the response is decoded by itself.
        return whole[len(before) :] if whole.startswith(before) else self._decode(visible)

    def watch(self, stop: Sequence[str]) -> frozenset[int] | None:
        """Ids after which a stop string may be complete; None where any may. Others need no look at the text."""
        last = {text[-1] for text in stop}
        if any(char.isspace() and char != "\n" for char in last):
            return None  # a token decoded alone may lose its space
        if self._pieces is None:
            ids = range(len(self._tokenizer))
            self._pieces = self._tokenizer.batch_decode([[token] for token in ids], skip_special_tokens=False)
        # A piece with U+FFFD is part of a character, perhaps of the one looked for.
        return frozenset(at for at, piece in enumerate(self._pieces) if "\ufffd" in piece or last & set(piece))

    def stopped(self, prompt_ids: Sequence[int], ids: Sequence[int], stop: Sequence[str]) -> bool:
        """Whether the response's text holds a stop string that its last token may have completed.

        Only a tail long enough for any stop string is decoded (a token writes at least a byte); the whole text then
        confirms a find.
        """
        reach = max(len(text.encode("utf-8", "surrogatepass")) for text in stop) + 4
        if len(ids) > reach and not _holds(self._decode(ids[-reach:]), stop):
            return False
        return _holds(self(prompt_ids, ids), stop)

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def cut(text: str, stop: Sequence[str]) -> str:
    """The text before the first stop string in it."""
    found = [at for at in (text.find(item) for item in stop) if at >= 0]
    return text[: min(found)] if found else text


def _holds(text: str, stop: Sequence[str]) -> bool:
    return any(item in text for item in stop)

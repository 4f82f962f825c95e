"""Finds the answer that a text commits itself to. Pure functions, linear in the text, each for one convention.

The last commitment counts: of a box, a `#### N` line, an `A: N` line and "the answer is", the one that starts last.
Without any: a bare answer is taken whole, else the last formula or number. Several boxes or formulas that only "and",
"or" or a comma sets apart are one answer, a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """An answer in the words of its text, how it was found, and where it starts and ends."""

    text: str
    how: str
    start: int = 0
    end: int = 0


THINK_END = "</think>"
_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_PERCENT = re.compile(r"\s{0,4}(?:\\?\)|\$)?\s{0,4}(?:\\?%|(?:percent|pct|percentage)(?![A-Za-z]))")
_HASHES = re.compile(r"(?<!#)####(?!#)[ \t]*([^\n]*)")
_COUNTED = re.compile(r"\s*[-$0-9.,/]{1,40} [A-Za-z]{2,20}[\s.]*")  # a number and one word, its unit
_OR = re.compile(r"[^.\n]{0,40}?\bor\b[^.\n]{0,20}")  # between two numbers of which one is to be right
_LINE = re.compile(r"[ \t]*([^\n]+)")
_PHRASE = re.compile(
    r"\banswer\b(?P<gap>[*_`\"\s]{0,8}|[^.\n:=]{1,40}?\s)(?:is|are|:|=)(?![A-Za-z])[*_`:=\s]{0,8}", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"\.(?=\s|$)|\n|\bI hope\b|<\|")
_MARK = re.compile(r"\\.|\$\$|\$", re.DOTALL)
_CLOSING = {r"\(": r"\)", r"\[": r"\]", "$$": "$$", "$": "$"}
_TEXT_GROUP = re.compile(r"\\(?:text[a-z]*|mbox|mathrm|operatorname|begin|end)\s?\{[^{}]*\}")
_UNIT_ONLY = re.compile(r"\s*\\(?:text[a-z]*|mbox|mathrm)\s?\{\s*[a-z]+\s*\}(?:\^\{?[23]\}?)?\s*")
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}[ \t\n]{1,4}[A-Za-z]{2,}")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_MATH_WORDS = frozenset(
    ("and", "or", "pi", "sin", "cos", "tan", "log", "ln", "exp", "sqrt", "inf", "infinity", "infty", "oo", "percent",
     "pct", "percentage", "degrees", "cm", "mm", "km", "ft", "in", "kg", "lb", "mph", "pm", "am")
)  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.\\^_{])(?<![\w)\]}]-)-?[$€£¥₹]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])"
    r"|[1-9][0-9]{0,2}(?: [0-9]{3})+(?![0-9])|[0-9]+|(?=\.[0-9]))(?:\.[0-9]+)?"
    r"(?:[eE][+-]?[0-9]+(?![0-9A-Za-z]))?(?:[/:][0-9]+)?(?:\s?(?:\\?%|percent\b|pct\b))?"
)
_NEGATED = re.compile(r"(?:\bnot|n't|\bnever)\s(?:be\s|is\s|equal\sto\s)?$", re.IGNORECASE)
_JOINER = re.compile(
    r"[\s$,;]*(?:\\[()\[\]]|\\q?quad|\\text\s?\{\s?,?\s?(?:and|or)\s?\}|\band\b|\bor\b|[\s$,;])*", re.IGNORECASE
)
_ANNOUNCED = re.compile(
    r"\s*\\(?:text|mbox|textbf)\s?\{\s*(?:(?:so|thus|hence|therefore),?\s)?(?:the\s)?(?:final\s|correct\s)?answer\s?(?:is:?|:)\s*"
    r"(?P<inner>[^{}\s][^{}]*)?\}",
    re.IGNORECASE,
)
_REASONS = re.compile(r"[.,:;]?\s{1,4}(?:because|since)\b.*", re.IGNORECASE | re.DOTALL)
_CHOSEN = re.compile(r"\(?([A-Z])\)?[.,:;]?\s{1,4}(?:because|since)\b", re.IGNORECASE)
_OTHER = re.compile(r"\b[A-Z]\b|\bor\b")  # another option named after the reasons
_LONGEST = 20_000  # characters of a formula or box that can still be part of a list


def after_thinking(text: str) -> str:
    """The text after the last `</think>`; nothing where thinking was opened and never closed."""
    _, closed, answer = text.rpartition(THINK_END)
    if not closed and text.lstrip().startswith("<think>"):
        return ""
    return answer if closed else text


# -- the conventions


def last_boxed(text: str) -> Found | None:
    """The last outermost `\\boxed{...}` or `\\fbox{...}`, with its neighbours where they make one list.

    A last box that is never closed gives an empty answer: what it would have held is unknown.
    """
    if "\\boxed" not in text and "\\fbox" not in text:
        return None
    boxes = _boxes(text)
    if not boxes:
        return None
    start, inner, end = boxes[-1]
    if inner < 0:
        return Found("", "a box that is never closed", start)
    parts = [_with_percent(text, _unannounced(text[inner : end - 1]), end)]
    for (_, earlier_inner, earlier_end), (later_start, _, _) in zip(boxes[-2::-1], boxes[:0:-1], strict=False):
        if (
            earlier_inner < 0
            or len(parts) == 16
            or not _joins_boxes(text[earlier_end:later_start][:80], later_start - earlier_end)
        ):
            break
        parts.append(text[earlier_inner : earlier_end - 1])
    unique = list(dict.fromkeys(part.strip() for part in reversed(parts)))
    return Found(" , ".join(unique), "box" if len(unique) == 1 else f"{len(unique)} boxes", start, end)


def _unannounced(content: str) -> str:
    """A box's content without `\\text{The answer is }` before it; what else its words say stays."""
    announced = _ANNOUNCED.match(content)
    if not announced:
        return content
    inner = rf"\text{{{announced['inner']}}}" if announced["inner"] else ""
    return inner + content[announced.end() :] if inner or content[announced.end() :].strip() else content


def _boxes(text: str) -> list[tuple[int, int, int]]:
    """Outermost boxes as (start, start of the content or -1, end), by one pass over the braces from the first on."""
    closing: dict[int, int] = {}
    stack: list[int] = []
    first = _BOX.search(text)
    for mark in _BRACE.finditer(text, first.start() if first else len(text)):
        if mark[0] == "{":
            stack.append(mark.start())
        elif mark[0] == "}" and stack:
            closing[stack.pop()] = mark.end()
    boxes: list[tuple[int, int, int]] = []
    end = 0
    for command in _BOX.finditer(text):
        if command.start() < end:
            continue
        at = command.end()
        while at < len(text) and text[at] in " \t\n":
            at += 1
        if at < len(text) and text[at] == "{":
            end = closing.get(at, 0)
            boxes.append((command.start(), at + 1 if end else -1, end))
        else:  # `\boxed 7`: to the end of the formula or line
            token = re.compile(r"[^\s${}\\.,]{1,40}").match(text, at)
            if token:
                end = token.end() + 1
                boxes.append((command.start(), at, end))
    return boxes


def _joins_boxes(between: str, length: int) -> bool:
    """Whether what stands between two boxes makes them one list: a joiner, or at most a word or two before "and"."""
    if length > 70:
        return False
    if _JOINER.fullmatch(between) or (length < 10 and not re.search(r"[A-Za-z0-9=.*/^\n]", between)):
        return True
    return length <= 30 and re.fullmatch(r"[\s$)\\]*[A-Za-z ]+,? (?:and|or) [\s$(\\]*", between) is not None


def hash_line(text: str) -> Found | None:
    """GSM8K's `#### N`: the rest of the line after the last mark, unless that is a heading in words."""
    marks = list(_HASHES.finditer(text)) if "####" in text else []
    found = Found(marks[-1][1].strip(), "#### line", marks[-1].start()) if marks else None
    return found if found and (re.match(r"[-+$\\(. ]{0,8}[0-9]", found.text) or is_bare(found.text)) else None


def answer_line(text: str) -> Found | None:
    """The last line of the form `A: N`."""
    at = text.rfind("A:")
    while at >= 0:
        before = at
        while before and text[before - 1] in " \t":
            before -= 1
        if not before or text[before - 1] == "\n":
            line = _LINE.match(text, at + 2)
            if line:
                return Found(line[1].strip(), "A: line", at)
        at = text.rfind("A:", 0, before)
    return None


def final_phrase(text: str) -> Found | None:
    """What follows the last "answer is" or "answer:", up to the end of its sentence."""
    if "nswer" not in text and "NSWER" not in text:  # spares the search through most texts
        return None
    matches = list(_PHRASE.finditer(text))[-20:]
    fallback = None
    for match in reversed(matches):
        sentence = (
            _SENTENCE_END.split(text[match.end() : match.end() + 400], maxsplit=1)[0]
            .replace('\\"', "")
            .strip('*_`" \t')
        )
        if not any(char.isalnum() for char in sentence):
            continue
        found = _within(sentence)
        if found and re.search(r"[0-9\\$]", found):
            return Found(found, "final answer", match.start())
        if found and len(found) <= 100 and fallback is None:
            fallback = Found(found, "final answer", match.start())
    return fallback


def _emphatic(text: str, found: Found) -> bool:
    """Whether a sentence announces its answer beyond doubt, so that it counts after a box too."""
    lead = text[max(0, found.start - 12) : found.start].casefold()
    return (
        re.search(r"\b(?:the|final)\s{1,4}[*_]{0,2}$", lead) is not None
        and re.match(
            r"answer\b[*_\s]{0,4}(?:is|:)[*_:\s]{0,8}(?:[-$\\0-9(]|the final answer)",
            text[found.start :][:60],
            re.IGNORECASE,
        )
        is not None
    )


def _within(sentence: str) -> str:
    """The answer in a sentence that announces it; the whole of it where it names several numbers with "or"."""
    sentence = _REASONS.split(sentence, maxsplit=1)[0] or sentence
    run = last_formula(sentence)
    if run and not re.search(r"\bor\b", sentence[: run.start]):
        return run.text
    if is_bare(sentence):
        return sentence
    count = sum(1 for _ in _NUMBER.finditer(sentence))
    if count > 1 and re.search(r"\bor\b", sentence):
        return sentence
    number = last_number(sentence)
    return number.text if number else sentence


def last_formula(text: str) -> Found | None:
    """The last `$...$`, `\\(...\\)` or `\\[...\\]`, with those before it that a comma, "and" or "or" joins to it."""
    spans = _formulas(text)
    if not spans:
        return None
    start, inner, inner_end, end = spans[-1]
    parts = [_with_percent(text, text[inner:inner_end], end)]
    for earlier, later in zip(spans[-2::-1], spans[:0:-1], strict=False):
        between = text[earlier[3] : later[0]]
        if len(parts) == 16 or len(between) > 20 or not between.strip() or not _JOINER.fullmatch(between):
            break
        parts.append(text[earlier[1] : earlier[2]])
        start = earlier[0]
    return Found(" , ".join(part.strip() for part in reversed(parts)), "formula", start, spans[-1][3])


def _formulas(text: str) -> list[tuple[int, int, int, int]]:
    """Formulas as (start, start and end of the content, end). A dollar sign before prose or a price opens none."""
    if "$" not in text and "\\(" not in text and "\\[" not in text:
        return []
    marks = [mark for mark in _MARK.finditer(text) if mark[0] in ("$", "$$", r"\(", r"\)", r"\[", r"\]")]
    upcoming: dict[str, int] = {}
    following: list[int] = [0] * len(marks)  # index of the next mark that would close this one
    for index in range(len(marks) - 1, -1, -1):
        following[index] = upcoming.get(_CLOSING.get(marks[index][0], ""), -1)
        upcoming[marks[index][0]] = index
    spans = []
    index = 0
    while index < len(marks):
        mark, close = marks[index], following[index]
        if close > 0 and _is_formula(text, mark, marks[close]):
            spans.append((mark.start(), mark.end(), marks[close].start(), marks[close].end()))
            index = close + 1
        else:
            index += 1
    return spans


def _is_formula(text: str, opening: re.Match[str], closing: re.Match[str]) -> bool:
    length = closing.start() - opening.end()
    if not 0 < length <= _LONGEST:
        return False
    before = text[max(0, opening.start() - 4) : opening.start()].rstrip(" ~")
    if before[-1:].isdigit() and _UNIT_ONLY.fullmatch(text, opening.end(), closing.start()):
        return False  # `10 $\text{cm}^2$`
    if opening[0] != "$":
        return True
    if text[closing.end() : closing.end() + 1].isdigit():
        return False
    return not _PROSE.search(_TEXT_GROUP.sub("", text[opening.end() : closing.start()]))


def last_number(text: str) -> Found | None:
    """The last number in the text; with those before it that "or" joins to it. A denied one is skipped."""
    numbers = list(_NUMBER.finditer(text))
    while numbers and _NEGATED.search(text[max(0, numbers[-1].start() - 14) : numbers[-1].start()]):
        numbers.pop()
    if not numbers:
        return None
    listed = [numbers.pop()]
    while numbers and len(listed) < 16:
        between = text[numbers[-1].end() : listed[-1].start()]
        if not (_OR.fullmatch(between) or (len(listed) > 1 and between.strip() == ",")):
            break
        listed.append(numbers.pop())
    start, how = listed[-1].start(), "last number" if len(listed) == 1 else f"{len(listed)} numbers"
    return Found(" , ".join(number[0] for number in reversed(listed)), how, start)


def is_bare(text: str) -> bool:
    """Whether a text is nothing but an answer: one line of mathematics without prose or delimiters."""
    text = text.strip()
    if not 0 < len(text) <= _LONGEST or "\n" in text or text.count("$") > 1 or "\\(" in text or "\\[" in text:
        return False
    outside = _TEXT_GROUP.sub("", text)
    return all(
        word.casefold() in _MATH_WORDS or (len(word) <= 3 and not word.islower()) for word in _WORD.findall(outside)
    )


def _with_percent(text: str, content: str, end: int) -> str:
    return content + r"\%" if _PERCENT.match(text, end) and not content.rstrip().endswith("%") else content


# -- the regimes


def auto(text: str) -> Found | None:
    """The answer by any convention, the last commitment first. `None` where the text holds none."""
    text = after_thinking(text)
    if not text.strip():
        return None
    committed = [found for find in (last_boxed, hash_line, final_phrase) if (found := find(text))]
    if len(committed) > 1 and committed[0].start < committed[-1].start < committed[0].end:
        committed.pop()  # "the answer is" in the box itself
    if len(committed) > 1 and committed[-1].how == "final answer" and not _emphatic(text, committed[-1]):
        committed.pop()  # "check the answer: ..." after a box
    line = answer_line(text)
    if line and "\n" not in text[line.start :].strip():
        committed.append(line)
    if committed:
        return max(committed, key=lambda found: found.start)
    chosen = _CHOSEN.match(text.strip())
    if chosen and chosen[1].isupper() and "\n" not in text.strip() and not _OTHER.search(text.strip(), chosen.end()):
        return Found(chosen[1], "choice")
    if is_bare(text) or _COUNTED.fullmatch(text):
        return Found(text.strip(), "whole response")
    formula = last_formula(text)
    found = last_number(text[formula.end :] if formula else text) or formula
    if found:
        return found
    return Found(text.strip(), "whole response") if len(text) <= 100 else None


def strict(text: str) -> Found | None:
    """The answer where the format asks for it: a `#### N` line, an `A: N` line or a box, whichever comes last."""
    text = after_thinking(text)
    return max(
        (found for find in (last_boxed, hash_line, answer_line) if (found := find(text))),
        key=lambda found: found.start,
        default=None,
    )


def flexible(text: str) -> Found | None:
    """The strict answer where there is one, else the last number of the text."""
    return strict(text) or last_number(after_thinking(text))


REGIMES: dict[str, Callable[[str], Found | None]] = {"auto": auto, "strict": strict, "flexible": flexible}


def from_target(target: str) -> str:
    """The answer in a target, which may be a bare answer (the rule) or a whole solution that commits itself to one."""
    if "\\boxed" in target or "####" in target or "\\fbox" in target or _formulas(target) or _PHRASE.search(target):
        found = auto(target)
        if found and found.text:
            return found.text
    return target.strip()

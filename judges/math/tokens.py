"""Text to tokens: one linear pass that drops what only decorates (spaces, \\left, $, bold) and keeps all that means."""

from __future__ import annotations

import re
import unicodedata

from judges.math.lexicon import (
    ALIASES,
    JOINERS,
    LETTER_UNITS,
    MEANINGFUL,
    PERCENT,
    PLAIN_NAMES,
    SHORT_UNITS,
    SHORT_WORDS,
    SPACING,
    UNICODE,
)
from judges.math.tree import TooBig

Token = tuple[str, str]  # kind (num, var, word, cmd, op, begin, end, row) and value

MAX_CHARS = 20_000  # a longer answer is compared word for word and never parsed

_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm|normal|sf|tt)?|mbox|hbox|mathrm|mathbf|mathit|mathsf|operatorname\*?|textup|emph)"
    r"\s*\{([^{}]*)\}"
)
_TOKEN = re.compile(
    r"(?P<space>\s+|\\[,;:!> ()\[\]]|[~$`\"])"
    r"|\\(?P<side>begin|end)\s*\{(?P<env>[A-Za-z]+)\*?\}(?:\s*\{[lcr|\s]*\})?"
    r"|(?P<row>\\\\)"
    r"|\\(?P<cmd>q?quad|[A-Za-z]+)"
    r"|\\(?P<esc>.)"
    r"|(?P<num>[0-9]+(?:\.[0-9]+|\.(?=\\overline))?|\.[0-9]+)"
    r"|(?P<letters>[A-Za-z]+)"
    r"|(?P<op><=|>=|!=|==|:=|=<|=>|\*\*|[^\s])",
    re.DOTALL,
)
_TWO = {"<=": "le", ">=": "ge", "!=": "ne", "==": "=", ":=": "="}
_BRACED_COMMA = re.compile(r"(?<=[0-9])\s?(?:\{,\}|,\\!)\s?(?=[0-9]{3})")
_GAP = re.compile(r"(?<=[0-9])\\[,!;]\s?(?=[0-9]{3}(?![0-9]))")
_HARD_SPACE = re.compile(r"(?<=[0-9])(?:\\ |~)(?=[0-9]{3}(?![0-9]))")
_REALS = re.compile(r"\\(?:Reals|reals|R)(?![A-Za-z])|^\\mathbf\s?\{\s?R\s?\}$")
_POSITIVE = re.compile(r"\\mathbb\s?\{\s?R\s?\}\s?(?:\^\s?(?:\{\s?\+\s?\}|\+)|_\s?\{\s?>\s?0\s?\})")
_BUILDER = re.compile(
    r"\\?\{\s*([a-z])\s*(?:\\in\s*\\mathbb\s?\{R\}\s*)?(?:\||\\mid|:)(.+[<>].*|.*\\[lg]e.*)\}", re.DOTALL
)
_OUTWARD = re.compile(r"([\[\]])([^\[\]();,]+[;,][^\[\]();,]+)([\[\]])")  # ]0, 1[ is open
_SQUARE_METRES = re.compile(r"(?<=[0-9])\s?m(?=[²³])")  # with these signs a unit, with `m^2` a variable
_SPACED = re.compile(r"(?<![0-9.,])([1-9][0-9]{0,2}(?: [0-9]{3})+)(?![0-9])")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])")
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z])")


def clean(text: str) -> str:
    """The answer in ASCII LaTeX: Unicode signs spelled out, wrappers and closing punctuation off."""
    if not text.isascii():
        text = _SQUARE_METRES.sub(r"\\text{m}", text)
        text = "".join(_ascii(char) for char in text)
    text = _strip(text)
    if r"\\" in text and not any(env in text for env in ("matrix", "array", "cases")):
        text = _DOUBLED.sub(lambda _: "\\", text)
    if "," in text:
        text = _BRACED_COMMA.sub("", text)
    if "\\" in text:
        text = text.replace(r"\left.", "").replace(r"\right.", "")
        text = _GAP.sub("", text)
        text = _POSITIVE.sub(r"(0,\\infty)", _REALS.sub(r"\\mathbb{R}", text))
    built = _BUILDER.fullmatch(text) if len(text) < 400 else None
    if built and re.search(rf"(?<![A-Za-z\\]){built[1]}(?![A-Za-z])", built[2]):
        text = built[2].rstrip("\\ ")
    outward = _OUTWARD.fullmatch(text)
    if outward and (outward[1] == "]" or outward[3] == "["):
        text = ("(" if outward[1] == "]" else "[") + outward[2] + (")" if outward[3] == "[" else "]")
    if "~" in text or r"\ " in text:
        text = _HARD_SPACE.sub(" ", text)
    return _SPACED.sub(lambda match: match[1].replace(" ", ""), text)


def _ascii(char: str) -> str:
    if char.isascii():
        return char
    if char in UNICODE:
        return UNICODE[char]
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if "\uff01" <= char <= "\uff5e":  # full-width forms
        return chr(ord(char) - 0xFEE0)
    return char


def _strip(text: str) -> str:
    """Without surrounding white space, bold stars, quotes and closing punctuation (a factorial's sign stays)."""
    before = None
    while before != text:
        before = text
        text = text.strip().strip('*_`"').strip().rstrip(".,;:?")
        if text.startswith("=") and not text.startswith(("==", "=>", "=<")):
            text = text[1:]
        for opening, closing in (("$$", "$$"), (r"\[", r"\]"), (r"\(", r"\)")):
            if text.startswith(opening) and text.endswith(closing) and len(text) >= len(opening) + len(closing):
                text = text[len(opening) : -len(closing)]
    return text


def tokenize(text: str) -> tuple[Token, ...]:
    """The meaningful tokens of an answer. Raises `TooBig` beyond `MAX_CHARS`."""
    if len(text) > MAX_CHARS:
        raise TooBig(f"{len(text)} characters")
    tokens: list[Token] = []
    _scan(clean(text), tokens, in_text=False)
    return tuple(_joined(tokens))


def _scan(text: str, out: list[Token], *, in_text: bool) -> None:
    position, depth = 0, 0
    while position < len(text):
        if text[position] == "\\":
            wrapped = _TEXT.match(text, position)
            if wrapped:
                _scan(wrapped[1], out, in_text=True)
                position = wrapped.end()
                continue
        match = _TOKEN.match(text, position)
        if match is None:  # a lone backslash at the very end
            out.append(("op", "\\"))
            return
        kind, position = match.lastgroup, match.end()
        value = match[0]
        if kind == "num":
            grouped = _THOUSANDS.match(text, match.start()) if depth == 0 and "." not in value else None
            if grouped:
                value, position = grouped[0].replace(",", ""), grouped.end()
                point = re.compile(r"\.[0-9]+").match(text, position)
                if point:
                    value, position = value + point[0], point.end()
            out.append(("num", value))
        elif kind == "letters":
            _letters(value, out, in_text=in_text)
        elif kind == "env":
            out.append((match["side"], match["env"]))
        elif kind == "row":
            out.append(("row", ""))
        elif kind == "cmd":
            _command(match["cmd"], out)
        elif kind == "esc":
            escaped = {"{": "{*", "}": "*}", "|": "|", "%": "%"}.get(match["esc"])
            if escaped:
                out.append(("op", escaped))
                depth += {"{*": 1, "*}": -1}.get(escaped, 0)
            elif match["esc"] != "$":
                out.append(("op", match["esc"]))
        elif kind == "op":
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(value, 0)
            if value in _TWO:
                named = _TWO[value]
                out.append(("op", "=") if named == "=" else ("cmd", named))
            else:
                out.append(("op", "^" if value == "**" else value))


def _command(name: str, out: list[Token]) -> None:
    if name in SPACING:
        return
    name = ALIASES.get(name, name)
    if name == "cdot":
        out.append(("op", "*"))
    elif name == "i":
        out.append(("var", "i"))
    elif name.isalpha() and name != "boxed":
        out.append(("cmd", name))
    elif name != "boxed":
        out.append(("op", name))


def _letters(run: str, out: list[Token], *, in_text: bool) -> None:
    lowered = run.casefold()
    if lowered in JOINERS:
        out.append(("op", ","))
    elif lowered in PERCENT and out and (out[-1][0] == "num" or out[-1][1] in ("}", ")")):
        out.append(("op", "%"))
    elif run in PLAIN_NAMES:
        out.append(("cmd", PLAIN_NAMES[run]))
    elif in_text and run in LETTER_UNITS and out and (out[-1][0] == "num" or out[-1][1] in ("}", "degree")):
        out.append(("word", run))
    elif len(run) == 1:
        out.append(("var", run))
    elif (
        in_text
        or len(run) >= 4
        or lowered in MEANINGFUL
        or lowered in SHORT_WORDS
        or (run in SHORT_UNITS and out and out[-1][0] == "num")
    ):
        out.append(("word", run))
    else:
        out.extend(("var", letter) for letter in run)


def _joined(tokens: list[Token]) -> list[Token]:
    """Commas that follow one another (an Oxford comma, `, \\text{ and }`) become one; none opens or closes a list."""
    out: list[Token] = []
    for token in tokens:
        if token == ("op", ",") and (not out or out[-1] == ("op", ",")):
            continue
        out.append(token)
    while out and out[-1] == ("op", ","):
        out.pop()
    return out


def key(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Tokens for comparison word for word: words lose their case, and braces around one token go."""
    out: list[Token] = []
    for kind, value in tokens:
        out.append((kind, value.casefold()) if kind == "word" else (kind, value))
        if out[-1] == ("op", "}") and len(out) > 2 and out[-3] == ("op", "{"):
            out[-3:] = [out[-2]]
    return tuple(out)


def letters(tokens: tuple[Token, ...]) -> str:
    """The answer as bare letters and digits in lower case, for answers that are words; empty if it holds a sign."""
    if any(kind not in ("var", "word", "num") and value not in "().,-:'" for kind, value in tokens):
        return ""
    return "".join(value for kind, value in tokens if kind in ("var", "word", "num")).casefold()

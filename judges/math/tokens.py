"""Text to tokens: one linear pass that drops what only decorates (spaces, \\left, $, bold) and keeps all that means."""

from __future__ import annotations

import re
import unicodedata

from judges.math.tree import TooBig, words

Token = tuple[str, str]  # kind (num, var, word, cmd, op, begin, end, row) and value

MAX_CHARS = 20_000  # a longer answer is compared word for word and never parsed

FUNCTIONS = words("sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth ln log lg exp sqrt pi infty")
_PLAIN_NAMES = {name: name for name in FUNCTIONS} | {
    "inf": "infty", "infinity": "infty", "oo": "infty", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "degrees": "degree", "degree": "degree", "deg": "degree",
}  # fmt: skip
_PERCENT = frozenset({"percent", "pct", "percentage"})
_JOINERS = frozenset({"and", "or"})
# Unit abbreviations that are read as a unit when they follow a number without \text.
SHORT_UNITS = words("cm mm km dm ft in yd mi kg mg lb lbs oz hr hrs min sec ms mph kph am pm ml sq cu gal")

_LETTER_UNITS = words("m g s h L l N J W V K C F")  # units only as \\text after a number

_UNICODE = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ",
    "÷": "/", "⁄": "/", "∕": "/", "≤": r"\le ", "⩽": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ",
    "≈": r"\approx ", "∞": r"\infty ", "π": r"\pi ", "√": r"\sqrt ", "∪": r"\cup ", "∩": r"\cap ",
    "∈": r"\in ", "∖": r"\setminus ",
    "∅": r"\emptyset ", "°": r"\degree ", "±": r"\pm ", "∓": r"\mp ", "ℝ": r"\mathbb{R}", "∀": r"\forall ",
    "∃": r"\exists ", "∫": r"\int ", "∑": r"\sum ", "∏": r"\prod ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ",
    "²": "^{2}", "³": "^{3}", "¹": "^{1}", "⁰": "^{0}", "⁴": "^{4}", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
    "¾": r"\frac{3}{4}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "“": "", "”": "", "’": "'", "‘": "'", "，": ",",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "", "\ufeff": "", "\u2060": "", "€": "$", "£": "$",
    "¥": "$", "₹": "$", "₽": "$", "₩": "$", "₿": "$",
}  # fmt: skip
_SPACING = words(
    "left right middle displaystyle textstyle scriptstyle quad qquad big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr "
    "Biggl Biggr limits nolimits boldsymbol bf rm it cal mathstrut hfill enspace thinspace mleft mright"
)
_ALIASES = {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "dbinom": "binom", "tbinom": "binom", "leq": "le",
    "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "lt": "<", "gt": ">", "times": "cdot",
    "ast": "cdot", "div": "/",
    "lvert": "|", "rvert": "|", "vert": "|", "mid": "mid", "lbrace": "{*", "rbrace": "*}", "lbrack": "[", "rbrack": "]",
    "langle": "langle", "rangle": "rangle", "varnothing": "emptyset", "infin": "infty", "backslash": "setminus",
    "circ": "degree", "colon": ":", "simeq": "approx", "bigcup": "cup", "dots": "ldots", "cdots": "ldots",
    "bmod": "mod", "fbox": "boxed", "imath": "i", "lnot": "neg", "varphi": "phi", "varepsilon": "epsilon",
}  # fmt: skip
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
    r"|(?P<num>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<letters>[A-Za-z]+)"
    r"|(?P<op><=|>=|!=|==|=<|=>|\*\*|[^\s])",
    re.DOTALL,
)
_TWO = {"<=": "le", ">=": "ge", "!=": "ne", "==": "="}
_BRACED_COMMA = re.compile(r"(?<=[0-9])\s?(?:\{,\}|,\\!)\s?(?=[0-9]{3})")
_GAP = re.compile(r"(?<=[0-9])\\[,!;]\s?(?=[0-9]{3}(?![0-9]))")
_SPACED = re.compile(r"(?<![0-9.,])([1-9][0-9]{0,2}(?: [0-9]{3})+)(?![0-9])")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])")
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z])")


def clean(text: str) -> str:
    """The answer in ASCII LaTeX: Unicode signs spelled out, wrappers and closing punctuation off."""
    if not text.isascii():
        text = "".join(_ascii(char) for char in text)
    text = _strip(text)
    if r"\\" in text and not any(env in text for env in ("matrix", "array", "cases")):
        text = _DOUBLED.sub(lambda _: "\\", text)
    if "," in text:
        text = _BRACED_COMMA.sub("", text)
    if "\\" in text:
        text = text.replace(r"\left.", "").replace(r"\right.", "")
        text = _GAP.sub("", text)
    return _SPACED.sub(lambda match: match[1].replace(" ", ""), text)


def _ascii(char: str) -> str:
    if char.isascii():
        return char
    if char in _UNICODE:
        return _UNICODE[char]
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
    if name in _SPACING:
        return
    name = _ALIASES.get(name, name)
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
    if lowered in _JOINERS:
        out.append(("op", ","))
    elif lowered in _PERCENT and out and (out[-1][0] == "num" or out[-1][1] in ("}", ")")):
        out.append(("op", "%"))
    elif run in _PLAIN_NAMES:
        out.append(("cmd", _PLAIN_NAMES[run]))
    elif in_text and run in _LETTER_UNITS and out and (out[-1][0] == "num" or out[-1][1] in ("}", "degree")):
        out.append(("word", run))
    elif len(run) == 1:
        out.append(("var", run))
    elif in_text or len(run) >= 4 or (run in SHORT_UNITS and out and out[-1][0] == "num"):
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
    """Tokens for comparison word for word: words lose their case, variables keep theirs."""
    return tuple((kind, value.casefold()) if kind == "word" else (kind, value) for kind, value in tokens)


def letters(tokens: tuple[Token, ...]) -> str:
    """The answer as bare letters and digits in lower case, for answers that are words; empty if it holds a sign."""
    if any(kind not in ("var", "word", "num") and value not in "().,-:'" for kind, value in tokens):
        return ""
    return "".join(value for kind, value in tokens if kind in ("var", "word", "num")).casefold()

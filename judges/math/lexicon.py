"""The vocabulary: what characters, commands and words mean. Tables only."""

from __future__ import annotations

from judges.math.tree import words

# -- for tokens

FUNCTIONS = words("sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth ln log lg exp sqrt pi infty")
PLAIN_NAMES = {name: name for name in FUNCTIONS} | {
    "inf": "infty", "infinity": "infty", "oo": "infty", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "degrees": "degree", "degree": "degree", "deg": "degree",
}  # fmt: skip
PERCENT = frozenset({"percent", "pct", "percentage"})
JOINERS = frozenset({"and", "or"})
# Unit abbreviations that are read as a unit when they follow a number without \text.
SHORT_UNITS = words("cm mm km dm ft in yd mi kg mg lb lbs oz hr hrs min sec ms mph kph am pm AM PM ml sq cu gal")

LETTER_UNITS = words("m g s h L l N J W V K C F")  # units only as \\text after a number

UNICODE = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ",
    "÷": "/", "⁄": "/", "∕": "/", "≤": r"\le ", "⩽": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ",
    "≈": r"\approx ", "∞": r"\infty ", "π": r"\pi ", "√": r"\sqrt ", "∪": r"\cup ", "∩": r"\cap ",
    "∈": r"\in ", "∖": r"\setminus ",
    "∅": r"\emptyset ",
    "∨": r"\lor ", "∧": r"\land ", "°": r"\degree ", "±": r"\pm ", "∓": r"\mp ", "ℝ": r"\mathbb{R}", "∀": r"\forall ",
    "∃": r"\exists ", "∫": r"\int ", "∑": r"\sum ", "∏": r"\prod ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ",
    "²": "^{2}", "³": "^{3}", "¹": "^{1}", "⁰": "^{0}", "⁴": "^{4}", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
    "¾": r"\frac{3}{4}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "“": "", "”": "", "’": "'", "‘": "'", "，": ",",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "", "\ufeff": "", "\u2060": "", "€": "$", "£": "$",
    "¥": "$", "₹": "$", "₽": "$", "₩": "$", "₿": "$",
}  # fmt: skip
SPACING = words(
    "left right middle displaystyle textstyle scriptstyle quad qquad big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr "
    "Biggl Biggr limits nolimits boldsymbol bf rm it cal mathstrut hfill enspace thinspace mleft mright"
)
ALIASES = {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "dbinom": "binom", "tbinom": "binom", "leq": "le",
    "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "lt": "<", "gt": ">", "times": "cdot",
    "ast": "cdot", "div": "/",
    "lvert": "|", "rvert": "|", "vert": "|", "mid": "mid", "lbrace": "{*", "rbrace": "*}", "lbrack": "[", "rbrack": "]",
    "langle": "langle", "rangle": "rangle", "varnothing": "emptyset", "infin": "infty", "backslash": "setminus",
    "circ": "degree", "colon": ":", "simeq": "approx", "bigcup": "cup", "dots": "ldots", "cdots": "ldots",
    "bmod": "mod", "fbox": "boxed", "imath": "i", "lnot": "neg", "varphi": "phi", "varepsilon": "epsilon",
    "Bbb": "mathbb", "mathds": "mathbb", "coloneqq": "=", "top": "intercal", "intercal": "intercal", "vee": "lor",
    "wedge": "land",
}  # fmt: skip

# -- for the grammar

RELATIONS = {"=": "=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "ne": "!=", "in": "in", "approx": "~"}
APPLICABLE = words("sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth ln lg exp")
INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot"}
LETTERS = words(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar"
)
ACCENTS = words("overline bar vec hat tilde overrightarrow widehat mathcal mathbb angle triangle")
SYSTEMS = words("cases aligned gathered")
MATRICES = words("vmatrix matrix pmatrix bmatrix Bmatrix smallmatrix array")
BRACKETS = {"(": ")", "[": "]", "{*": "*}", "langle": "rangle", "lfloor": "rfloor", "lceil": "rceil"}
APPLIED = frozenset("fgh")  # letters that apply to a parenthesis; any other letter multiplies it
# Words that do more than name a unit: a phrase that holds one is never dropped after a number.
MEANINGFUL = words(
    "not no none plus minus times over divided squared cubed to if when where with without except unless than least "
    "most about approximately roughly around maybe perhaps either neither both but more less thousand million billion "
    "trillion hundred dozen half third quarter zero one two three four five six seven eight nine ten for all every "
    "is are was be undefined infinite infinity true false modulo mod base pi sqrt root "
    "yes any may"
)
# Short words that would else be read as a product of letters; case means nothing to them.
SHORT_WORDS = words("odd sun mon tue wed thu fri sat red big win tie")
REAL_LINE = frozenset(
    ("all real numbers", "all reals", "all real values", "the real numbers", "the set of real numbers",
     "the set of all real numbers", "the set of reals")
)  # fmt: skip
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}

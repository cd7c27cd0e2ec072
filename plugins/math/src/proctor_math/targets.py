"""Which targets can be read whole, by their spelling alone: reading them could hang."""

from __future__ import annotations

import re

from proctor_math.notation import notation_of, words_of
from proctor_math.statement import FUNCTIONS

MOST_CHARACTERS = 2000
"""A longer target is a solution, not an answer."""

_COMMANDS = re.compile(
    """
    frac | sqrt | cdot | times | div | pm | mp | pi | theta | alpha | beta | gamma | delta |
    epsilon | varepsilon | lambda | mu | nu | omega | Omega | phi | varphi | psi | rho | sigma |
    tau | xi | zeta | eta | kappa | Delta | Gamma | Sigma | Pi | Phi | Theta | Lambda | infty | le
    | leq | ge | geq | lt | gt | ne | neq | in | notin | cup | cap | setminus | emptyset |
    varnothing | subset | subseteq | sin | cos | tan | cot | sec | csc | arcsin | arccos | arctan
    | sinh | cosh | tanh | log | ln | exp | min | max | gcd | det | lim | sum | prod | int | binom
    | dbinom | tbinom | lfloor | rfloor | lceil | rceil | lvert | rvert | vert | mid | langle |
    rangle | lbrace | rbrace | begin | end | text | textbf | textrm | mathrm | mathbf | mathbb |
    mbox | operatorname | overline | vec | hat | bar | circ | degree | angle | triangle | prime |
    to | approx | equiv | pmod | bmod | mod | infinity | quad | left | right | mathcal | ell |
    hline | displaystyle
    """,
    re.VERBOSE,
)
_TEXT = re.compile(
    r"\\(?:text|mathrm|mbox|textbf|textrm|mathbf|mathbb|operatorname|begin|end)\s*\{[^{}]*\}"
)
_SIGNS = re.compile(r"[\w\s+\-*/^=<>()\[\]{}|!,.;:%&'\\]*")


def unreadable(target: str) -> str | None:
    """Why a target can't be read whole; None where nothing speaks against it."""
    if len(target) > MOST_CHARACTERS:
        return f"it has {len(target)} characters"
    if words_of(target) is not None:
        return None
    notation = notation_of(target)
    text = notation.latex
    if not text:
        return "it is empty"
    if notation.has_ellipsis:
        return "a part of it is left out"
    if "boxed" in text or "$" in text:
        return "it holds text beside the formula"
    commands = set(re.findall(r"\\([A-Za-z]+)", text))
    unknown = sorted(name for name in commands if not _COMMANDS.fullmatch(name))
    if unknown:
        return f"math-verify reads no \\{unknown[0]}"
    plain = _TEXT.sub(" ", text)
    words = re.findall(r"[^\W\d_]{3,}", re.sub(r"\\[A-Za-z]+", " ", plain))
    prose = [word for word in words if word.casefold() not in FUNCTIONS | {"and"}]
    if any(len(word) > 3 for word in prose) or len(prose) > 2:
        return f"it holds the word {prose[0]!r}"
    signs = _SIGNS.match(plain)
    if signs is not None and signs.end() < len(plain):
        return f"it holds the sign {plain[signs.end()]!r}"
    if not re.search(r"\w", text):
        return "it holds no number and no variable"
    if notation.has_scattered_numbers:
        return "numbers stand side by side in it"
    if re.search(r"(?:[-+*/^=<>]|\\cdot|\\times)\s*$", plain):
        return "it ends in an operator"
    return _unbalanced(plain)


def _unbalanced(text: str) -> str | None:
    """What bracket has no other; round and square ones may close each other, in an interval."""
    if text.replace(r"\{", "").replace(r"\}", "").count("{") != text.replace(r"\}", "").replace(
        r"\{", ""
    ).count("}"):
        return "its braces don't match"
    if len(re.findall(r"[(\[]", text)) != len(re.findall(r"[)\]]", text)):
        return "its brackets don't match"
    return None

"""One spelling for each sign that a number is made of: LaTeX, Markdown, Unicode."""

from __future__ import annotations

import unicodedata

import regex

from proctor_text.latex import UNREADABLE, plain_latex
from proctor_text.normalization import drop_emphasis, unify_unicode

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_VULGAR = {
    sign: unicodedata.normalize("NFKC", sign).replace("⁄", "/") for sign in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
}
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("⁄∕", "/"),
        **dict.fromkeys("⋅∙•·✕✖⨯", "×"),
        **dict.fromkeys("→⇒⟹⟶", "="),
        **dict.fromkeys("≃≅∼", "≈"),
        **dict.fromkeys("∓", "±"),
        **dict.fromkeys("≦⩽", "≤"),
        **dict.fromkeys("≧⩾", "≥"),
        "٬": ",",
        "ˆ": "^",
    }
)
_BULLET = regex.compile(r"(?m)^[ \t]{0,20}[*•·∙⋅◦▪‣][ \t]+(?=\S)")
_TAG = regex.compile(r"</?[A-Za-z][A-Za-z_]{0,20}>")
_STRUCK = regex.compile(r"~~[^~\n]{1,200}~~")
_DASH_IN_RANGE = regex.compile(r"(?<=\d) ?[—―] ?(?=\d)")
_DASH_AS_SIGN = regex.compile(r"(?<![\p{L}.,;:!?)\s—―]\s?)[—―](?=[\d.$])|(?<=\s)[—―](?=[\d.$])")
_COMPARISONS = [("<=", "≤"), (">=", "≥"), ("!=", "≠"), ("~=", "≈"), ("=<", "≤")]
_ARROW = regex.compile(r"[-=]{1,3}>")
_EXPONENT = regex.compile(r"(\^|\*\*)\s{0,3}[{(]\s{0,3}([+-]?)\s{0,3}(\d{1,9})\s{0,3}[)}]")

_LATEX = [
    (regex.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\\\(?:\[[^\[\]\n]{0,20}\])?", "\n"),
        (r"\\!", ""),
        (r"\{([,.])\}", r"\1"),
        (r"(?<!\\)~", " "),
        (r"\\[()\[\]]", "$"),
        (r"\\(?:tag|label|ref|eqref|begin|end|(?:text)?color)\*?\s?\{[^{}\n]{0,80}\}", " "),
        (r"\\(?:pm|mp)(?![A-Za-z])", "±"),
        (r"\\(?:times|cdot|ast)(?![A-Za-z])", "×"),
        (r"\\div(?![A-Za-z])", "÷"),
        (r"\\degree(?![A-Za-z])", "°"),
        (r"\\(?:le|leq|leqslant|lt)(?![A-Za-z])", "≤"),
        (r"\\(?:ge|geq|geqslant|gt)(?![A-Za-z])", "≥"),
        (r"\\(?:ne|neq)(?![A-Za-z])", "≠"),
        (r"\\(?:approx|sim|simeq|cong)(?![A-Za-z])", "≈"),
        (r"\\(?:to|(?:long)?[rR]ightarrow|implies|iff|therefore)(?![A-Za-z])", "="),
        (r"\\(?:l?dots|cdots)(?![A-Za-z])", "…"),
        (r"\\(?:pi|infty)(?![A-Za-z])", lambda _: UNREADABLE),
        (r"\\overline\s?\{[^{}\n]{0,80}\}", lambda _: UNREADABLE),
        (r"\{([^{}\n]{0,80})\\over(?![A-Za-z])([^{}\n]{0,80})\}", r"\\frac{\1}{\2}"),
        (r"(?<!\d)(\d{1,80}) ?\\over(?![A-Za-z]) ?(\d{1,80})", r"\\frac{\1}{\2}"),
    )
]


def plain_numbers(text: str, decimal_comma: bool = False) -> str:
    r"""The text with one spelling for each sign that a number is made of.

    ASCII digits; ``-``, ``×``, ``/``, ``^``, ``±``; plain spaces for thin and fixed ones; no
    Markdown, no tags, no braces; ``UNREADABLE`` for a root, ``\pi`` and the like.
    """
    text = _BULLET.sub("", _STRUCK.sub(" ", _TAG.sub(" ", text.replace("\r", "\n"))))
    text = regex.sub(r"((?<=[\d.]) ?)?([¼½¾⅐-⅞])(?=(\d?))", _vulgar, text)
    text = regex.sub(
        "[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda match: "^" + match[0].translate(_SUPERSCRIPT), text
    )
    text = text.translate(_SIGNS).replace("٫", "," if decimal_comma else ".")
    # a long dash between words is punctuation; right before a number it may be a sign
    text = _DASH_AS_SIGN.sub("±", _DASH_IN_RANGE.sub("-", text))
    text = unify_unicode(regex.sub("[—―]", "\n", text))
    if not text.isascii():
        text = regex.sub(r"[^\D0-9]", lambda match: str(unicodedata.digit(match[0])), text)
    if "\\" in text:
        for pattern, replacement in _LATEX:
            text = pattern.sub(replacement, text)
    for written, sign in _COMPARISONS:
        text = text.replace(written, sign)
    text = _ARROW.sub("=", text)
    text = _EXPONENT.sub(r"\1\2\3", text)
    text = regex.sub(r"[{}]", "", plain_latex(text))
    return drop_emphasis(text)


def _vulgar(match: regex.Match[str]) -> str:
    # a whole number in front makes it a mixed one
    before = "" if match[1] is None else " "
    return before + _VULGAR[match[2]] + (" " if match[3] else "")

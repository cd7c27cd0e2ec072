"""The words by which an answer announces the option that it states, or takes one back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

from proctor_text.letters import TOKEN, sole_letter
from proctor_text.normalization import LETTER

_ANSWER_WORDS = (
    r"answers?(?!\s+(?:choices|options|with|the\s+question))|ans\.?|solution|result|conclusion"
    r"|verdict|response(?!\s+(?:to|options))|selection|pick"
    r"|antwort|lösung|réponse|respuesta|risposta|resposta|antwoord|odpowiedź|svar|svaret|vastaus"
    r"|cevap|ответ|відповідь|απάντηση"
)
_CJK_ANSWER_WORDS = "答案|答え|回答|正解|選択肢|选项|選|选|정답|답"
_OPTION_WORDS = (
    r"option|choice|letter|alternative|opción|opção|opzione|optie|opcja|buchstabe|lettre|letra"
)
_RIGHT = (
    r"correct|right|best|final|richtige?|korrekte?|correcte?|bonne|correcta|corretta|correta|juiste"
)
_CHOOSE = (
    r"(?:it(?:'s|\s+is|\s+must\s+be|\s+has\s+to\s+be|\s+should\s+be)"
    r"|(?:i'm|i\s+am|we're|we\s+are)\s+(?:\w+ly\s+)?(?:choosing|picking|selecting|settling\s+(?:on|for)"
    r"|opting\s+for|going\s+(?:with|for|to\s+(?:go\s+(?:with|for)|choose|pick|select|say)))"
    r"|(?:i|i'd|i'll|we|we'd|would|will|to|must|and|therefore|so|thus|,)\s+(?:\w+ly\s+)?"
    r"(?:choose|pick|select|chose|picked|selected|go\s+(?:with|for)|went\s+(?:with|for)"
    r"|opt(?:ed)?\s+for|settled?\s+(?:on|for)))"
)
_GAP_WORD = (
    r"(?:\w+ly|is|are|was|be|been|would|should|must|will|can|could|may|might|has|to|have|seems?"
    r"|appears?|looks?|like|i|think|believe|say|guess|the|this|that|a|an|question|problem|above|below"
    r"|following|of|for|on|in|by|as|given|based|determined|it|its|my|our|your|so|then|thus|hence"
    r"|therefore|indeed|just|now|again|here|one|most|probable|more|also|still|number"
    r"|ist|lautet|wäre|die|der|das|sein|est|la|le|es|el|é|è|sondern|not|but|neither|nor|cannot|isn't|nicht"
    rf"|{_RIGHT}|{_OPTION_WORDS}|{_ANSWER_WORDS})"
)
_CJK_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]{1,6}"
_NO = (
    r"not|never|neither|nor|cannot|without|except|isn't|wasn't|can't|won't|nicht|pas|no|than"
    r"|instead\s+of|wrong|incorrect|false|eliminat\w*|exclud\w*|rule[sd]?\s+out"
)
_WRONG = (
    r"wrong|incorrect|false|bad|worst|worse|mistaken|invalid|unlikely|rejected|eliminated|excluded"
    r"|not(?:\s+(?:the|a|an|my))?(?:\s+(?:correct|right|best|final))?|isn't(?:\s+the)?|no\s+longer"
    r"|falsche[nrs]?|mauvaise|incorrecta|incorrecte|errónea|equivocada|sbagliata|errata|errada|foute"
    r"|verkeerde|onjuiste|błędna|zła|fel|felaktiga?t?|väärä|yanlış|неправильн\w+|неверн\w+"
    r"|неправильна|хибна|λάθος|salah|sai|ভুল|गलत|خطأ|الخاطئة|خاطئة"
)
_CJK_WRONG = "错误(?:的)?|错的?|不正确的?|錯誤(?:的)?|誤った|間違った|間違い|不正解|틀린|오답"

NEGATION = regex.compile(rf"(?:\b(?:{_NO})\b|不|ない|아니)", regex.IGNORECASE)
SUPPOSITION = regex.compile(
    r"\b(?:if|whether|unless|suppose|supposing|assume|assuming|wenn|falls|si|se)"
    r"(?:\s+that)?(?:\s+(?:the|my|your|die|la|le|a|o))?(?:\s+\w+)?\s*$",
    regex.IGNORECASE,
)
DENIAL = regex.compile(
    r"\s+(?:is|are|was)(?:n't)?\s+(?:\w+ly\s+)?(?:not|wrong|incorrect|false)\b|\s+isn't\b",
    regex.IGNORECASE,
)
"""What denies the letter that it follows."""
CALLED_WRONG = regex.compile(
    rf"(?:(?<![{LETTER}])(?:{_WRONG})\s+(?:(?:{_OPTION_WORDS}|possible)\s+)?|(?:{_CJK_WRONG}))$",
    regex.IGNORECASE,
)
"""What makes the cue that it stands before announce what is not the answer."""
_WRONG_LABEL = regex.compile(
    rf"(?<![{LETTER}])(?:{_WRONG}|{_NO})(?![{LETTER}])|{_CJK_WRONG}|不", regex.I
)
_LABELLED = regex.compile(
    r"[\s*_#>]{0,9}(\p{L}[\p{L}\p{M}'’ ]{0,40})[*_ ]{0,4}[:：፡]([^\n]{1,2000})"
)
NAMED_OPTION = regex.compile(rf"\b(?:{_OPTION_WORDS})\s+$", regex.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """Where a statement begins: the span of the words that announce it.

    Attributes:
        start: Where these words begin.
        end: Where they end; at ``start`` where the letter itself comes first.
        is_verdict: Whether it is a letter that is called right: "B is correct".
    """

    start: int
    end: int
    is_verdict: bool = False


@cache
def _cue_pattern() -> Any:
    edge, end = rf"(?<![{LETTER}\d_])", rf"(?![{LETTER}\d_])"
    return regex.compile(
        rf"{edge}(?:{_ANSWER_WORDS}|{_CHOOSE}|(?:{_RIGHT})\s+(?:{_OPTION_WORDS})){end}"
        rf"|{edge}(?:{_OPTION_WORDS})(?=\s*(?:is|was|ist|est|es|è|é|:|=)(?![{LETTER}\d_]))"
        rf"|{_CJK_ANSWER_WORDS}",
        regex.IGNORECASE,
    )


@cache
def _verdict_pattern() -> Any:
    """What follows a letter that is called right: "B is correct"."""
    return regex.compile(
        rf"[^\S\n]+(?:is|would\s+be|must\s+be|seems|ist|est|es)\s+(?:\w+ly\s+)?(?:the\s+|die\s+|la\s+)?"
        rf"(?:most\s+\w+\s+)?(?:{_RIGHT}|answer|antwort|richtig)(?![{LETTER}])",
        regex.IGNORECASE,
    )


def cues(text: str) -> list[Cue]:
    """Where statements begin, in order."""
    found = [Cue(*match.span()) for match in _cue_pattern().finditer(text)]
    found += [
        Cue(match.start(), match.start(), is_verdict=True)
        for match in TOKEN.finditer(text)
        if _verdict_pattern().match(text, match.end())
    ]
    # a first or last line that is a letter alone; what "A", "B", "C" between them are is not known
    last_line = text.rfind("\n") + 1
    for start, line in ((0, text.split("\n", 1)[0]), (last_line, text[last_line:])):
        if sole_letter(line) is not None:
            found.append(Cue(start, start))
    return sorted(found)


def is_gap(gap: str, is_marked: bool) -> bool:
    """Whether what stands between a cue and a letter still announces it."""
    bare = regex.sub(r"[\s*_`\"'$(){}\[\]<>«»‹›:：=→⇒➔➡,\-]+", " ", gap)
    if regex.search(r"[.!?。]\s", gap.strip(" *") + " ") and not regex.search(r"\.\.\.|…", gap):
        return False
    if is_marked and "\n" not in gap.strip():
        return True
    words = rf"(?:\s*(?:{_GAP_WORD}|[A-Z]|{_CJK_WORD})(?![{LETTER}]))*"
    return regex.fullmatch(rf"{words}\s*[.…]*\s*{words}\s*", bare, regex.IGNORECASE) is not None


def labelled_lines(text: str) -> list[tuple[str, str]]:
    """The lines of a few words, a colon and something: what they are called, and what they say.

    They state an option in any language. Those that are called wrong are left out.
    """
    matches = [_LABELLED.fullmatch(line) for line in text.split("\n") if len(line) < 2100]
    return [
        (" ".join(match[1].casefold().split()), match[2])
        for match in matches
        if match and len(match[1].split()) <= 4 and not _WRONG_LABEL.search(match[1])
    ]


def without_wrong_lines(text: str) -> str:
    """The text without the lines at its end that say what is wrong: "Incorrect: A, C"."""
    lines = text.split("\n")
    while lines:
        match = _LABELLED.fullmatch(lines[-1]) if len(lines[-1]) < 2100 else None
        if lines[-1].strip() and not (match and _WRONG_LABEL.search(match[1])):
            break
        lines.pop()
    return "\n".join(lines)

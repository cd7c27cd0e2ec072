"""Options that refer to other options or to their places, such as "Both A and B"."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ALPHABETS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "АБВГДЕ")
_TOKEN = re.compile(r"[和与與及或とや및와과、]|[^\W和与與及或とや및와과、]+|[^\w\s]")
_JOINING = (
    "and or nor but not und oder noch als auch et ou ni y e o en of och og i oraz lub "
    "и или ни ve veya dan atau và hoặc و 和 与 與 及 或 と や 및 와 과 , ; / & + 、 ( ) [ ] . : !"
)
_ABOUT_OTHERS = (
    "both only either neither just alone all except beide beides sowohl nur weder außer seulement "
    "deux sauf solo sólo ambas ambos só somente ambedue entrambe entrambi beiden alleen tylko "
    "только оба saja hanya chỉ"
)
_AROUND = (
    "option options answer answers choice choices statement statements are is correct true right "
    "wrong false the les antwort antworten sind richtig réponses réponse sont correctes vraies son "
    "correctas opciones respuestas estão corretas opções respostas sono corrette risposte верны "
    "都对 都是 正确 均可"
)
_JOINING_WORDS = frozenset(_JOINING.split())
_WORDS_ABOUT_OTHERS = frozenset(_ABOUT_OTHERS.split())
_WORDS_AROUND = frozenset(_AROUND.split())
_NAMED = re.compile(
    r"\b(?:[Oo]ptions?|[Cc]hoices?|[Aa]nswers?|[Aa]lternatives?|[Aa]ntworte?n?|[Rr]éponses?|[Oo]pci"
    r"(?:ón|ones)|[Rr]espuestas?|[Oo]pç(?:ão|ões)|[Rr]isposta|[Вв]ариант)\s*"
    r"(?:[(\[][A-Ha-h1-9][)\]]|[A-H]\b)|(?:选项|選択肢)\s*[A-H]"
)
_WHICH = r"(?:all|none|both|any|neither|either|each|some|most|one|two|three|more than one)"
_NOUN = r"(?:options?|answers?|choices?|alternatives?|statements?|responses?)"
_PHRASES: tuple[tuple[str, str], ...] = (
    # English
    (
        "above aforementioned preceding foregoing previous",
        rf"\b{_WHICH}(?: of)? (?:the|these|those)(?: \w+)? "
        r"(?:above|aforementioned|preceding|foregoing|previous)\b"
        r"|^(?:all|none|both|any|neither|nothing|everything) above\W*$"
        r"|\b(?:of|both|all|none|neither|than) the (?:above|foregoing)\b",
    ),
    (
        "option answer choice alternative statement response them these those other",
        rf"^(?:all|none|both|any|neither|either|some)(?: of)? (?:the |these |those )?"
        rf"(?:other |given |listed )?(?:{_NOUN}|them|these|those|others?)"
        r"(?: (?:is|are)(?: all| both)? \w+)?\W*$"
        rf"|\b(?:other|previous|preceding|above|(?:first|last) (?:two|three)) {_NOUN}\b",
    ),
    (
        "all none both neither",
        r"^(?:all|none|both|neither) (?:is|are)(?: all| both)? "
        r"(?:correct|true|right|false|incorrect|wrong|possible)\W*$|^(?:both|neither)\W*$",
    ),
    # German, Dutch, Swedish, Danish, Norwegian
    (
        "genannte obige oben vorstehend davon antworten aussagen optionen möglichkeiten",
        r"\b(?:alle|keine[rs]?|beide|nichts|sämtliche)\b.{0,25}\b(?:genannte[nrs]?|obige[nrs]?"
        r"|oben|vorstehende[nr]?|davon|antworten|aussagen|optionen|möglichkeiten)\b",
    ),
    (
        "bovenstaande antwoorden hiervan ovanstående ovenstående ovenfor ovennevnte",
        r"\bbovenstaande\b|\b(?:alle|geen|beide) (?:van de )?antwoorden\b|\bgeen hiervan\b"
        r"|\bovanstående\b|\bovenstående\b|\b(?:alle|ingen) av (?:de )?(?:ovennevnte|ovenfor)\b",
    ),
    # French, Spanish, Portuguese, Italian, Romanian
    (
        "dessus réponse proposition option précédent",
        r"\bci-dessus\b|\b(?:toutes|tous|aucune?|les deux)\b.{0,12}\b(?:réponses?|propositions?"
        r"|options?|précédent(?:e|s|es)?)\b",
    ),
    (
        "anterior arriba acima opciones opções respuesta resposta alternativas correctas corretas",
        r"\b(?:tod[ao]s?|ningun[oa]|nenhuma?|amb[ao]s)\b.{0,20}\b(?:anterior(?:es)?"
        r"|arriba|acima|opciones|opções|respuestas|respostas|alternativas|correctas|corretas)\b",
    ),
    (
        "precedenti sopra risposte opzioni",
        r"\b(?:tutt[ei]|nessun[ao]|entramb[ei])\b.{0,20}\b(?:precedenti|sopra|risposte|opzioni)\b",
    ),
    ("mai sus", r"\b(?:toate|niciun[ua]|nici un[ua])\b.{0,20}\bde mai sus\b"),
    # Slavic languages, Greek, Hungarian, Turkish
    (
        "powyższ odpowied",
        r"\bpowyższ|\b(?:wszystkie|żadna|obie)\b.{0,15}\bodpowied",
    ),
    (
        "перечисленн вышеуказанн ответ вариант",
        r"перечисленн|вышеуказанн|\b(?:все|оба)\b.{0,12}\b(?:ответ|вариант)",
    ),
    ("вищезазначен перерахован переліче", ""),
    ("uvedených uvedené", r"výše uveden|vyššie uveden|z uvedených"),
    ("παραπάνω fenti yukarıda", r"\bπαραπάνω\b|\bfenti(?:ek)?\b|\byukarıda"),
    ("hepsi hiçbiri", r"^(?:hepsi|hiçbiri)\W*$"),
    # Vietnamese, Indonesian
    ("trên đáp", r"(?:tất cả|không).{0,25}(?:trên|các đáp án)"),
    ("atas jawaban", r"\b(?:semua|tidak ada)\b.{0,25}\b(?:di atas|jawaban)\b"),
    # Hindi, Bengali, Arabic, Persian, Hebrew
    ("उपरोक्त उपर्युक्त इनमें উপরের", ""),
    ("سبق ذكر الإجابات", r"ما سبق|مما ذكر|جميع الإجابات"),
    ("موارد کدام", r"موارد (?:فوق|بالا)|هیچ ?کدام"),
    ("התשובות לעיל", ""),
    # Chinese, Japanese, Korean
    (
        "以上 上述 上記 都 均 皆 全",
        r"^以上|以上(?:都|皆|均|全|所有|各|选|選|说|說|答|三|两|兩)|上述|上記"
        r"|^(?:都|均|皆|全部?)(?:是|对|對|正确|正確|不)",
    ),
    ("いずれも どれも 위의", ""),
    ("모두", r"모두 (?:맞|옳|정답)"),
)
"""For each kind of phrase the words without which it can't be there, which are quick to look for,
and its pattern; without one, the words are the phrase."""

_COMPILED = tuple(
    (tuple(words.split()), re.compile(pattern or words.replace(" ", "|"), re.IGNORECASE))
    for words, pattern in _PHRASES
)
_LONGEST = 200
"""Longer options are statements of their own."""


def referring_options(choices: Sequence[str]) -> list[int]:
    """The indices of the options that would mean something else in another order.

    It knows what is plain in common languages: letters that are joined ("A and C"), options that
    are named ("option (b)"), and phrases ("all of the above", "keine der Antworten"). A letter
    counts only where there is an option of that letter.

    Args:
        choices: The options of a question.
    """
    folded = "\n".join(choices).casefold()
    patterns = [pattern for words, pattern in _COMPILED if any(word in folded for word in words)]
    return [
        index
        for index, option in enumerate(choices)
        if _refers(" ".join(option.split()), len(choices), patterns)
    ]


def _refers(text: str, count: int, patterns: Sequence[re.Pattern[str]]) -> bool:
    if len(text) > _LONGEST:
        return False
    has_phrase = any(pattern.search(text) for pattern in patterns)
    return has_phrase or bool(_NAMED.search(text)) or _joins_letters(text, count)


def _joins_letters(text: str, count: int) -> bool:
    """Whether a text is letters of options, with nothing but words that join them."""
    letters, is_about_others = [], False
    for token in _TOKEN.findall(text):
        word = token.casefold()
        if (
            token in _JOINING_WORDS
            or word in _WORDS_AROUND
            or (len(word) > 1 and word in _JOINING_WORDS)
        ):
            continue
        if word in _WORDS_ABOUT_OTHERS:
            is_about_others = True
        elif len(token) == 1:
            letters.append(token.upper())
        else:
            return False
    is_known = any(all(letter in known[:count] for letter in letters) for known in _ALPHABETS)
    return is_known and len(letters) >= (1 if is_about_others else 2)

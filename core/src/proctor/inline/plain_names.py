"""Metric names in letters that every tracker takes, such as MLflow."""

from __future__ import annotations

import re

WORDS = {"@": "at", "=": "is"}
"""What stands for the marks that most names have: ``pass_at_4``, ``metadata.subject_is_law``."""

_TAKEN = re.compile(r"[\w.\- /]")
_READS_AS_MARK = re.compile(rf"(?:{'|'.join(WORDS.values())}|x[0-9a-f]+)_")


def plain_name(name: str) -> str:
    """A metric's name of letters, digits, ``_``, ``-``, ``.``, spaces and single slashes.

    Two names never become one: ``@`` is ``_at_``, ``=`` is ``_is_``, any other character is
    ``_x`` with its number in hexadecimal and ``_``. So is an underscore after which the name would
    read like one of these.
    """
    plain = ""
    # from its end: whether an underscore reads like a mark depends on what follows it
    for place in range(len(name) - 1, -1, -1):
        character = name[place]
        if character in WORDS:
            plain = f"_{WORDS[character]}_{plain}"
        elif _is_taken(name, place) and not (character == "_" and _READS_AS_MARK.match(plain)):
            plain = character + plain
        else:
            plain = f"_x{ord(character):x}_{plain}"
    return plain


def _is_taken(name: str, place: int) -> bool:
    """Whether a character may stand where it does; names are paths to some trackers."""
    character = name[place]
    if character == "/":
        return 0 < place < len(name) - 1 and name[place - 1] != "/"
    if character == ".":
        begin, end = name.rfind("/", 0, place) + 1, name.find("/", place)
        is_step = name[begin : None if end < 0 else end] in (".", "..")
        return not is_step and not (place == 0 and name.startswith(".."))
    return _TAKEN.match(character) is not None

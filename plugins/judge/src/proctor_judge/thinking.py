"""A judge's thinking, where its server left it in the reply: no verdict stands in it."""

from __future__ import annotations

import re

NAMES = (
    "think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|inner_monologue"
    "|begin_of_thought"
)
"""What models call the tags around their thinking."""

_MARK = re.compile(
    rf"""
    (?P<opens>
        <\|?(?:\w+:)?(?:{NAMES})\b[^<>]*(?<!/)>     # <think>, <|begin_of_thought|>
        | \[(?:{NAMES})\]                           # [THINK]
        | ◁think▷
        | <\|channel\|?>\s*(?:analysis|commentary|thought)\b
    )
    | (?P<closes>
        </(?:\w+:)?(?:{NAMES})\s*>
        | <\|(?:/(?:{NAMES})|end_of_thought)\|>
        | \[/(?:{NAMES})\]
        | ◁/think▷
        | <channel\|>
    )
    | (?P<answers> <\|channel\|>\s*final\b[^<]*(?:<\|constrain\|>[^<]*)?(?:<\|message\|>)? )
    """,
    re.IGNORECASE | re.VERBOSE,
)

_QUOTED = {(mark, mark) for mark in "`'\""}


class Unfinished(ValueError):
    """A reply whose thinking never ends."""


def without_thinking(reply: str) -> str:
    """A reply without the thinking in it.

    What stands before an end of thinking that has no beginning is thinking too: prompts often
    hold the beginning already.

    Raises:
        Unfinished: The thinking never ends: there is no answer after it.
    """
    kept: list[str] = []
    depth = position = 0
    for mark in _MARK.finditer(reply):
        around = reply[mark.start() - 1 : mark.start()], reply[mark.end() : mark.end() + 1]
        if around in _QUOTED:
            continue  # it is only spoken of
        if depth == 0 and mark["opens"]:
            kept.append(reply[position : mark.start()])
        if mark["opens"]:
            depth += 1
        elif mark["answers"] or depth == 0:
            kept, depth = [], 0
        else:
            depth -= 1
        position = mark.end()
    if depth:
        raise Unfinished("its thinking never ends")
    return "\n".join([*kept, reply[position:]])

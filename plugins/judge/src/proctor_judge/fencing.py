"""Text that a judge looks at and does not obey: fenced, and put into a template in one pass."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping

from proctor import ConfigError

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}")
"""A placeholder, or a brace that is doubled to mean itself."""


def placeholders(template: str) -> list[str]:
    """The names of a template's placeholders, in order."""
    return [match[1] for match in PLACEHOLDER.finditer(template) if match[1]]


def check_template(template: str, known: Collection[str], needed: Collection[str]) -> None:
    """Refuses a template that can't be filled.

    Raises:
        ConfigError: It has a placeholder that nothing fills, or lacks one that it needs.
    """
    names = placeholders(template)
    for name in names:
        if name not in known:
            raise ConfigError(
                f"the template has {{{name}}}, which nothing fills",
                fix=f"use {', '.join(f'{{{n}}}' for n in known)}, or double the braces",
            )
    for name in needed:
        if name not in names:
            raise ConfigError(
                f"the template has no placeholder {{{name}}}",
                fix=f"put {{{name}}} where the judge is to see it",
            )


def fill(template: str, texts: Mapping[str, str], fenced: Collection[str]) -> str:
    """Fills a template in one pass: a placeholder inside a text stays what it is.

    Args:
        template: The template.
        texts: What each placeholder stands for.
        fenced: The names whose text is data, and stands between fences that it can't close.
    """
    texts = {name: encodable(text) for name, text in texts.items()}
    mark = fence_mark(texts[name] for name in fenced)

    def filled(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        text = texts[match[1]]
        if match[1] not in fenced:
            return text
        return f"<{match[1]} {mark}>\n{text}\n</{match[1]} {mark}>"

    return PLACEHOLDER.sub(filled, template)


def fence_mark(texts: Iterator[str]) -> str:
    """A mark that stands in none of the texts, and that no text can have foreseen.

    It is a digest of all of them, so that the same prompt always has the same mark.
    """
    whole = "\0".join(texts)
    for number in itertools.count():
        mark = hashlib.sha256(f"{number}\0{whole}".encode()).hexdigest()[:12]
        if mark not in whole:
            return mark
    raise AssertionError("unreachable")


def encodable(text: str) -> str:
    """A text without half characters, which a model can emit and no prompt can hold."""
    return text.encode("utf-8", "replace").decode()

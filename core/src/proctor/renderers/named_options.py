r"""A renderer's name with options, as one string: ``plain{"separator": "\n"}``.

Configs, command lines and run folders name renderers by strings. With the options in it, the name
tells apart whatever writes other prompts, wherever it is part of a key.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from proctor.errors import RendererError


def join_options(written: object) -> object:
    """A mapping with ``type`` and options as one string; anything else as it is.

    Raises:
        ValueError: It has no type, or an option is no text.
    """
    if not isinstance(written, Mapping):
        return written
    options = {str(key): value for key, value in written.items()}
    name = options.pop("type", None)
    if not isinstance(name, str):
        raise ValueError("a renderer with options is {type: NAME, OPTION: TEXT}")
    for option, value in options.items():
        if not isinstance(value, str):
            raise ValueError(f"the renderer's option {option!r} is a text, not {value!r}")
    if not options:
        return name
    return name + json.dumps(options, ensure_ascii=False, sort_keys=True)


RendererName: TypeAlias = Annotated[str | None, BeforeValidator(join_options)]
"""An option that names a renderer; a mapping gives it options."""


def split_options(name: str) -> tuple[str, dict[str, str]]:
    """The bare name and the options of a renderer's name.

    Raises:
        RendererError: What follows the name is no JSON of texts.
    """
    bare, brace, rest = name.partition("{")
    if not brace:
        return name, {}
    try:
        options = json.loads(brace + rest)
    except ValueError:
        options = None
    if options is None or not all(isinstance(value, str) for value in options.values()):
        raise RendererError(
            f"the renderer {name!r} can't be read",
            fix='write its options as JSON, such as plain{"separator": "\\n"}',
        )
    return bare.strip(), options


def check_options(
    name: str, make: Callable[..., object], options: Mapping[str, str], where: str | None = None
) -> None:
    """Refuses options that a renderer doesn't have: those are its keyword parameters for text.

    Args:
        name: The renderer's bare name.
        make: The class, or the function, that makes it out of a tokenizer.
        options: The options.
        where: Where they stand, for the error.

    Raises:
        RendererError: It has no such option.
    """
    known = [
        parameter.name
        for parameter in inspect.signature(make).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
        if parameter.annotation in (str, "str", str | None, "str | None")
    ]
    for option in options:
        if option not in known:
            raise RendererError(
                f"it has no option {option!r}",
                where=where or f"renderer {name}",
                fix=f"its options: {', '.join(known) or 'none'}",
            )

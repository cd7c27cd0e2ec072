"""Suites, and names that would overwrite each other."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from proctor.components.component import Component
from proctor.components.place import Written
from proctor.components.readings import BuiltLater
from proctor.errors import ConfigError


class Suite(Component):
    """A named list of evaluators, reported together with micro and macro means."""

    evaluators: Annotated[list[Written], BuiltLater()] = Field(min_length=1)
    """The members: evaluators as a config writes them."""


def unique_names(names: list[str]) -> None:
    """Refuses two evaluators that would write the same metrics.

    Raises:
        ConfigError: A name stands twice.
    """
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"{names.count(name)} evaluators are called {name!r}, and their metrics would "
                "overwrite each other",
                fix="give each a 'name' of its own",
            )

"""The base class of datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from proctor.components.component import Component
from proctor.types import Example


class Dataset(Component):
    """A named, re-iterable source of examples."""

    is_cheap_to_read: ClassVar[bool] = True
    """Whether a full pass may be spent on looking for mistakes before anything is sampled."""

    def examples(self) -> Iterator[Example]:
        """Yields the examples in their order, again and again.

        Raises:
            DatasetError: A row can't be read; it names the file and line.
        """
        raise NotImplementedError

    def provenance(self) -> dict[str, str]:
        """What was read, for the record of the run: paths with digests, a hub revision."""
        return {}

    def without_target(self) -> str:
        """What to do where examples have no target and a grader needs one, for errors."""
        return "give it one, or set needs_target = False in a grader that needs none"

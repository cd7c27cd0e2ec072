"""Trying a grading again that met an infrastructure error."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from proctor.errors import is_infrastructure_error

GRADING_RETRIES = 2
"""How often a grading that met an infrastructure error is tried again."""

FIRST_PAUSE = 0.5
"""Seconds before the first of them; each later pause is twice as long."""


class Attempt:
    """One of several attempts: entered, it lets an error through that another would meet too.

    Attributes:
        pause: Seconds to wait before the next attempt.
    """

    def __init__(self, number: int, *, is_last: bool) -> None:
        self.pause = FIRST_PAUSE * 2**number
        self._is_last = is_last

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Keeps an error to itself that may not come again, unless nothing is tried any more."""
        return error is not None and not self._is_last and is_infrastructure_error(error)


def attempts(retries: int = GRADING_RETRIES) -> Iterator[Attempt]:
    """The attempts that one grading has; the first that returns is enough.

    Whoever makes them waits for ``pause`` after each, on a thread or on an event loop::

        for attempt in attempts():
            with attempt:
                return ask()
            time.sleep(attempt.pause)

    Args:
        retries: How many there are after the first.
    """
    for number in range(1 + retries):
        yield Attempt(number, is_last=number == retries)

"""A run's records on their way to its folder, and to those that observe it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proctor.evaluators.context import RecordSink
from proctor.images import Image


class ObservedRecords:
    """A record sink that also tells the run's observers.

    Args:
        sink: Where the records go.
        observe: Told of each sample, once its line is written.
    """

    def __init__(self, sink: RecordSink, observe: Callable[[Mapping[str, object]], None]) -> None:
        self._sink = sink
        self._observe = observe

    def sample(self, record: Mapping[str, object]) -> None:
        """Writes a sample's line and passes it on."""
        self._sink.sample(record)
        self._observe(record)

    def grade(self, record: Mapping[str, object]) -> None:
        """Writes a grade's line."""
        self._sink.grade(record)

    def image(self, image: Image) -> str | None:
        """Keeps an image where the run does."""
        return self._sink.image(image)

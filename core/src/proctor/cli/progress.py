"""Progress of a run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from proctor.cli.terminal import printable
from proctor.evaluators.context import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_WAITS = 30.0


class ScreenProgress(Progress):
    """What the two kinds have in common: they are entered, left, and print warnings once."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._warned: set[tuple[str, str]] = set()
        self._last_wait = 0.0

    def __enter__(self) -> ScreenProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the terminal as it was."""

    def say(self, line: str) -> None:
        """Prints a line."""
        self.stream.write(printable(line) + "\n")
        self.stream.flush()

    def warn(self, evaluator: str, message: str) -> None:
        """Prints a warning, once."""
        if (evaluator, message) not in self._warned:
            self._warned.add((evaluator, message))
            self.say(f"warning: {evaluator}: {message}")

    def waiting(self, evaluator: str, stragglers: Mapping[str, float]) -> None:
        """Names what is slow, now and then."""
        if time.monotonic() - self._last_wait < SECONDS_BETWEEN_WAITS:
            return
        self._last_wait = time.monotonic()
        slowest = sorted(stragglers.items(), key=lambda item: -item[1])
        named = ", ".join(f"{example} ({seconds:.0f} s)" for example, seconds in slowest[:3])
        more = f" and {len(slowest) - 3} more" if len(slowest) > 3 else ""
        self.say(f"{evaluator}: still waiting for {named}{more}")


class PlainProgress(ScreenProgress):
    """A line now and then, for logs."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._totals: dict[str, int | None] = {}
        self._done: Counter[str] = Counter()
        self._troubled: Counter[str] = Counter()
        self._last_line = time.monotonic()

    def started(self, evaluator: str, total: int | None) -> None:
        """Says how many samples there will be."""
        self._totals[evaluator] = total
        self._done[evaluator] = self._troubled[evaluator] = 0
        self.say(f"{evaluator}: {'streaming' if total is None else total} samples")

    def sampled(self, evaluator: str, status: str) -> None:
        """Counts, and says so every ten seconds."""
        self._done[evaluator] += 1
        self._troubled[evaluator] += status != "complete"
        if time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.say(f"{evaluator}: {self._count(evaluator)}")

    def finished(self, evaluator: str) -> None:
        """Says that an evaluator is done."""
        self.say(f"{evaluator}: done, {self._count(evaluator)}")

    def _count(self, evaluator: str) -> str:
        total = self._totals.get(evaluator)
        of = f"/{total}" if total is not None else ""
        troubled = self._troubled[evaluator]
        return f"{self._done[evaluator]}{of} samples" + (
            f", {troubled} not complete" if troubled else ""
        )


class BarProgress(ScreenProgress):
    """A bar for each evaluator, for terminals."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress as Bars,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bars = Bars(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[trouble]}", markup=False),
            console=Console(file=stream),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._troubled: dict[str, Counter[str]] = {}

    def __enter__(self) -> BarProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bars away."""
        self._bars.stop()

    def say(self, line: str) -> None:
        """Prints a line above the bars."""
        from rich.text import Text

        self._bars.console.print(Text(printable(line)), highlight=False)

    def started(self, evaluator: str, total: int | None) -> None:
        """Shows a bar."""
        self._troubled.pop(evaluator, None)
        self._tasks[evaluator] = self._bars.add_task(
            "", total=total, label=printable(evaluator), trouble=""
        )

    def sampled(self, evaluator: str, status: str) -> None:
        """Moves the bar on."""
        if status != "complete":
            troubled = self._troubled.setdefault(evaluator, Counter())
            troubled[status] += 1
            counts = ", ".join(f"{count} {kind}" for kind, count in sorted(troubled.items()))
            self._bars.update(self._tasks[evaluator], trouble=counts)
        self._bars.advance(self._tasks[evaluator])


def progress_for(stream: TextIO) -> ScreenProgress:
    """The progress display that fits a stream."""
    return BarProgress(stream) if stream.isatty() else PlainProgress(stream)

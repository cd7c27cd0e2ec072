"""Which evaluators are due at a step of training."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.configs.config import ConfiguredEvaluator, InlineOptions


class Schedule:
    """Says which evaluators are due, and remembers at which step each was.

    An evaluator is due at the first step that training asks about, at every multiple of its
    period, and at the last step. One whose period is 0 never is.

    Args:
        entries: The evaluators.
        options: The periods of those that have none of their own.
    """

    def __init__(self, entries: Sequence[ConfiguredEvaluator], options: InlineOptions) -> None:
        self._entries = entries
        self._options = options
        self._last: dict[str, int] = {}

    def period(self, entry: ConfiguredEvaluator) -> int:
        """Steps between two evaluations by an evaluator; 0 for none."""
        if entry.every is not None:
            return entry.every
        options = self._options
        return options.infrequent_eval_every if entry.is_infrequent else options.eval_every

    def due(self, step: int, *, is_last: bool = False) -> list[ConfiguredEvaluator]:
        """The evaluators that are due at a step, and have not been asked for at it yet."""
        return [entry for entry in self._entries if self._is_due(entry, step, is_last)]

    def _is_due(self, entry: ConfiguredEvaluator, step: int, is_last: bool) -> bool:
        period = self.period(entry)
        last = self._last.get(entry.name)
        return period > 0 and last != step and (last is None or is_last or step % period == 0)

    def mark(self, entries: Sequence[ConfiguredEvaluator], step: int) -> None:
        """Notes that evaluators are evaluated at a step."""
        self._last |= {entry.name: step for entry in entries}

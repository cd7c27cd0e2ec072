"""Which evaluators are due at a step of training."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.configs.config import ConfiguredEvaluator, InlineOptions


class Schedule:
    """Says which evaluators are due, and remembers at which step each was.

    An evaluator is due at the first step that training asks about, at the first that reaches or
    passes a multiple of its period since it was last due, and at the last step. So a loop whose
    steps are no multiples is evaluated as often as one whose steps are. One whose period is 0
    never is.

    Args:
        entries: The evaluators.
        options: The periods of those that have none of their own.
    """

    def __init__(self, entries: Sequence[ConfiguredEvaluator], options: InlineOptions) -> None:
        self._entries = entries
        self._options = options
        self._evaluated: dict[str, int] = {}
        self._before: dict[str, int | None] = {}
        # where a step was given up, the period is counted from there
        self._passed_over: dict[str, int] = {}
        self._missed: dict[str, int] = {}

    def period(self, entry: ConfiguredEvaluator) -> int:
        """Steps between two evaluations by an evaluator; 0 for none."""
        if entry.every is not None:
            return entry.every
        options = self._options
        return options.infrequent_eval_every if entry.is_infrequent else options.eval_every

    def due(self, step: int, *, is_last: bool = False) -> list[ConfiguredEvaluator]:
        """The evaluators that are due at a step, and are not evaluated at it yet."""
        return [entry for entry in self._entries if self._is_due(entry, step, is_last)]

    def _is_due(self, entry: ConfiguredEvaluator, step: int, is_last: bool) -> bool:
        period = self.period(entry)
        evaluated = self._evaluated.get(entry.name)
        if period == 0 or evaluated == step:
            return False
        last = self._passed_over.get(entry.name, evaluated)
        if last is None or is_last or last == step:
            return True
        # a training that goes back to an older checkpoint is at other weights again
        return step % period == 0 or step // period != last // period

    def mark(self, entries: Sequence[ConfiguredEvaluator], step: int) -> None:
        """Notes that evaluators are being evaluated at a step; ``take_back`` where it fails."""
        for entry in entries:
            self._before[entry.name] = self._evaluated.get(entry.name)
            self._evaluated[entry.name] = step
            self._passed_over.pop(entry.name, None)
            self._missed.pop(entry.name, None)

    def take_back(self, entries: Sequence[ConfiguredEvaluator], step: int) -> None:
        """Notes that an evaluation came to nothing: the evaluators are due at once again."""
        for entry in entries:
            name = entry.name
            evaluated = self._evaluated.get(name)
            if evaluated is not None and evaluated > step:
                continue  # a later step is being evaluated by now
            self._missed[name] = step
            self._passed_over.pop(name, None)
            if evaluated == step:
                before = self._before.get(name)
                if before is None:
                    del self._evaluated[name]
                else:
                    self._evaluated[name] = before

    def pass_over(self, entries: Sequence[ConfiguredEvaluator], step: int) -> None:
        """Notes that a step is given up: the evaluators are due again after another period."""
        for entry in entries:
            self._passed_over[entry.name] = step

    def missed(self) -> list[tuple[int, list[str]]]:
        """The steps at which an evaluation came to nothing and none has followed, with whose."""
        steps: dict[int, list[str]] = {}
        for name, step in self._missed.items():
            steps.setdefault(step, []).append(name)
        return sorted(steps.items())

"""Samples as Inspect finishes them: a run that is killed keeps what came back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from inspect_ai.hooks import Hooks, SampleEnd, TaskStart, hooks
from inspect_ai.log import EvalSample

_observers: dict[tuple[str, str], Callable[[EvalSample], None]] = {}
_observed: dict[str, Callable[[EvalSample], None]] = {}


@contextlib.contextmanager
def samples(key: str, value: str, observer: Callable[[EvalSample], None]) -> Iterator[None]:
    """Calls ``observer`` with each finished sample of the evaluations that carry a mark.

    Args:
        key: The mark's place in an evaluation's metadata.
        value: The mark.
        observer: Called on the event loop that runs the evaluation.
    """
    _observers[key, value] = observer
    try:
        yield
    finally:
        del _observers[key, value]
        for evaluation in [e for e, known in _observed.items() if known is observer]:
            del _observed[evaluation]


@hooks(name="proctor_samples", description="Passes finished samples to Proctor's run folder.")
class FinishedSamples(Hooks):
    """Inspect's hook: it tells evaluations of ours from others by their metadata."""

    async def on_task_start(self, data: TaskStart) -> None:
        """Notes the evaluations that are observed."""
        for (key, value), observer in _observers.items():
            if (data.spec.metadata or {}).get(key) == value:
                _observed[data.eval_id] = observer

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Passes a sample on."""
        observer = _observed.get(data.eval_id)
        if observer is not None:
            observer(data.sample)

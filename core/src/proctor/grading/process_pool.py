"""Grading in processes that can be killed: for graders that may hang, or take the process along.

A pair that is not graded by its deadline costs its process, which is replaced, and no other pair.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from proctor.errors import ConfigError, TransientError, UngradedError, one_line
from proctor.grading import process_worker
from proctor.grading.grader import Grader
from proctor.grading.process_start import WorkerContext, WorkerServer
from proctor.grading.process_worker import GraderRecipe, ProcessFailure, ProcessVerdict
from proctor.types import Example, Sample
from proctor.waiting import Overdue, in_daemon_thread

if TYPE_CHECKING:
    from pebble import ProcessPool

MOST_PROCESSES = 4
"""Most processes of a grader that does not say how many it wants."""

ATTEMPTS = 3
"""How often a pair is handed to a pool that broke down under it."""

START_SECONDS = 120.0
"""How long processes may take to start before a pool counts as stuck."""


class GraderProcesses:
    """The processes of one grader, for one evaluation: started with the first pair.

    What crosses the border is the grader's class and options, once, and each example and sample,
    whole: a grader that found a piece missing might grade wrong and not know it.

    Args:
        grader: The grader; it stays here, and each process makes its own.

    Raises:
        ConfigError: The grader can't be made in another process.
    """

    def __init__(self, grader: Grader) -> None:
        self.size = grader.processes or min(MOST_PROCESSES, _available_cpus())
        self.in_flight = 2 * self.size
        """How many pairs to hand over at once: each process has its next one waiting."""
        self._deadline = grader.grading_timeout
        self._modules = [process_worker.__name__, *grader.process_modules]
        self._recipe = _recipe(grader)
        self._pool: ProcessPool | None = None
        self._is_closed = False
        self._state = threading.Lock()

    async def grade(self, example: Example, sample: Sample) -> ProcessVerdict:
        """What the grader says of one pair.

        Raises:
            Overdue: It said nothing within its ``grading_timeout``, and its process was killed.
            UngradedError: It raised, or its process died.
            TransientError: It raised an error of the infrastructure.
        """
        try:
            pair = pickle.dumps((example, sample))
        except Exception as error:
            raise UngradedError(f"the pair can't be sent to a process: {one_line(error)}") from None
        for _ in range(ATTEMPTS):
            pool = await in_daemon_thread(self._started, "proctor-processes")
            try:
                answer = await self._answer(pool, pair)
            except RuntimeError:  # also what pebble raises of a pool that broke down
                await in_daemon_thread(partial(self._discard, pool), "proctor-processes")
                continue
            if isinstance(answer, ProcessVerdict):
                return answer
            if answer.is_transient:
                raise TransientError(answer.reason)
            raise UngradedError(answer.reason, metadata=answer.metadata)
        raise UngradedError(f"the grader's processes died under it {ATTEMPTS} times")

    async def close(self) -> None:
        """Ends every process, also one that hangs; returns when none is left."""
        await in_daemon_thread(self._close, "proctor-processes")

    async def _answer(self, pool: ProcessPool, pair: bytes) -> ProcessVerdict | ProcessFailure:
        """Has one pair graded.

        Raises:
            Overdue: Its deadline passed.
            RuntimeError: The pool broke down.
        """
        from pebble import ProcessExpired

        task = pool.schedule(process_worker.grade_pickled, args=[pair], timeout=self._deadline)
        future = asyncio.wrap_future(task)
        # the deadline runs from when a process takes the pair; this is for pairs that none takes
        patience = START_SECONDS + 3 * self._deadline
        done, _ = await asyncio.wait({future}, timeout=patience)
        if not done:
            future.cancel()
            raise RuntimeError("no process took the pair")
        try:
            # our own process wrote it; a grader's code is trusted as much there as here
            answer: ProcessVerdict | ProcessFailure = pickle.loads(future.result())  # noqa: S301
        except TimeoutError:
            raise Overdue from None
        except ProcessExpired as error:
            return ProcessFailure(f"the grader's process died: {_how_it_died(error.exitcode)}")
        return answer

    def _started(self) -> ProcessPool:
        with self._state:
            if self._is_closed:
                raise UngradedError("the evaluation ended before the pair was graded")
            if self._pool is None:
                from pebble import ProcessPool

                WorkerServer.acquire(self._modules)
                try:
                    self._pool = ProcessPool(
                        max_workers=self.size,
                        context=WorkerContext(),
                        initializer=process_worker.prepare,
                        initargs=[self._recipe],
                    )
                    # reading it starts the processes: here, and not on the event loop's thread
                    _ = self._pool.active
                except BaseException:
                    self._stop()
                    raise
            return self._pool

    def _discard(self, pool: ProcessPool) -> None:
        with self._state:
            if self._pool is pool:
                self._stop()

    def _close(self) -> None:
        # a pool that is just being started is waited for, then stopped
        with self._state:
            self._is_closed = True
            if self._pool is not None:
                self._stop()

    def _stop(self) -> None:
        pool, self._pool = self._pool, None
        try:
            if pool is not None:
                pool.stop()  # type: ignore[no-untyped-call]
                pool.join()
        finally:
            WorkerServer.release()


def _recipe(grader: Grader) -> GraderRecipe:
    """How another process makes the grader.

    Raises:
        ConfigError: It can't.
    """
    code = type(grader)
    options = {name: getattr(grader, name) for name in code.model_fields}
    module = sys.modules.get(code.__module__)
    try:
        if code.__module__ == "__main__":
            raise ConfigError("it is defined in the script that runs")
        pickled = pickle.dumps((code, options))
    except Exception as error:
        cause = error.what if isinstance(error, ConfigError) else one_line(error)
        raise ConfigError(
            f"the grader can't be made in another process: {cause}",
            where=f"grader {code.__name__}",
            fix="define it at the top of a module or of a plugin's file, with plain options",
        ) from None
    return GraderRecipe(
        module=code.__module__,
        file=_lone_file(module),
        pickled=pickled,
        memory_limit=grader.memory_limit,
        alarm=int(grader.grading_timeout) + 10,
    )


def _lone_file(module: ModuleType | None) -> Path | None:
    """The file of a single-file plugin's module, which nothing can import by its name."""
    if module is None or not module.__name__.startswith("proctor_file_"):
        return None
    return Path(str(module.__file__))


def _how_it_died(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _available_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""One offline run: the evaluators of a config on its model."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from proctor.components.build import Made
from proctor.components.component import Component, close_all
from proctor.configs.config import Config
from proctor.errors import ConfigError, RunError, reason_of
from proctor.evaluators.bases import needs_training_client
from proctor.evaluators.context import EvaluationContext
from proctor.foreign import awaited
from proctor.runs.report import RunReport
from proctor.runs.run import Run
from proctor.runs.run_options import RunOptions
from proctor.sampling.budget import RequestBudget
from proctor.sampling.models import OpenedModel


async def run_config(config: Config, folder: Path, options: RunOptions | None = None) -> RunReport:
    """Executes a config: all its evaluators on its model, into one folder.

    Args:
        config: The config.
        folder: Where the run goes; it may not hold one yet.
        options: How to run it, beside what the config says.

    Raises:
        ProctorError: The model, a dataset or a grader can't be used. Nothing was sampled then.
        RunError: The folder can't be written (any more).
    """
    _check(config)
    how, given, entries = options or RunOptions(), config.options, config.evaluators
    context = EvaluationContext(
        sampling=given.sampling,
        renderer=given.renderer,
        seed=given.seed,
        limit=how.limit,
        min_coverage=given.min_coverage,
        request_timeout=given.request_timeout,
        progress=how.progress,
        stop=how.stop,
        is_strict=how.is_strict,
    )
    with Run(config, context) as run:
        async with _closing(config):
            await run.prepare(entries)
            if context.stop.is_set:
                raise asyncio.CancelledError("interrupted before the model was opened")
            run.claim(folder)
            model = await awaited(_opened(config.backend))
            timeout = given.timeout
            run.take_model(
                model,
                budget=RequestBudget(
                    min(given.concurrency, model.max_in_flight or given.concurrency)
                ),
                deadline=None if timeout is None else time.monotonic() + timeout,
            )
            run.connect(entries, model.client)
            run.describe_model()
            run.start()
            await run.execute(entries, model.client)
            try:
                return run.finish(config.suites)
            except RunError as error:
                # what was computed is told, also where it can't be kept
                run.close(error)
                run.report.unwritten = reason_of(error)
                return run.report


def _check(config: Config) -> None:
    """Refuses a config that is for inline use only."""
    place = str(config.file or "config")
    if config.backend is None:
        raise ConfigError(
            "the config names no model", where=place, fix="add 'model: {backend: local}'"
        )
    for entry in config.evaluators:
        if needs_training_client(entry.evaluator):
            raise ConfigError(
                f"{entry.name} needs a training client, and an offline run has none",
                where=place,
                fix="use it inline, or leave it out",
            )


async def _opened(backend: Made) -> OpenedModel:
    await backend.open()
    model: OpenedModel = await backend.open_model()
    return model


@contextlib.asynccontextmanager
async def _closing(config: Config) -> AsyncIterator[None]:
    """Closes a run's parts at its end; what ended the run comes before what can't be closed."""
    evaluators = (entry.evaluator for entry in config.evaluators)
    parts = [*(e for e in evaluators if isinstance(e, Component)), config.backend]
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            await close_all(parts)
        raise
    await close_all(parts)

"""What inline evaluations cost a training loop: in the background, in the foreground, as elsewhere.

    python dev.py bench inline

A scripted loop trains for some steps, each of which takes a while, and is evaluated at each fifth
of them; an evaluation takes as long as four steps. The steps either await something, as requests to
a service do, or block the loop's thread. "tinker-cookbook's way" is its own ``run_evals``, which
its supervised loop awaits before a step.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from tinker_cookbook.supervised.train import run_evals

import proctor
from proctor.testing import Reply, ScriptedClient

EVAL_EVERY = 5
ROWS = 16
CONCURRENCY = 4
LIMIT = 0.03


class Numbers(proctor.Dataset):
    """Questions with a number in them."""

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(ROWS):
            yield proctor.Example(id=f"q{number}", input=f"Say <{number}>.", target=f"<{number}>")


class Contains(proctor.Grader):
    """Correct when the answer holds the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return example.targets[0] in sample.text


@dataclass
class Training:
    """A model in training: after k updates it answers k of the questions.

    Attributes:
        step_seconds: How long a step takes.
        is_blocking: Whether a step blocks the loop's thread.
        updates: How many updates there were.
    """

    step_seconds: float
    is_blocking: bool
    updates: int = 0

    async def save_weights_and_get_sampling_client_async(self) -> ScriptedClient:
        """A snapshot, as tinker-cookbook asks for it."""
        return await self.save_weights_and_get_sampling_client()

    async def save_weights_and_get_sampling_client(self) -> ScriptedClient:
        """A snapshot, whose answers take so long that an evaluation takes four steps."""
        updates, seconds = self.updates, 4 * self.step_seconds * CONCURRENCY / ROWS

        def answer(prompt: str, _: int) -> Reply:
            number = int(re.findall(r"<(\d+)>", prompt)[-1])
            return Reply(f"<{number}>" if number < updates else "no", seconds=seconds)

        return ScriptedClient(answer)

    async def step(self) -> None:
        """One update."""
        if self.is_blocking:
            time.sleep(self.step_seconds)  # noqa: ASYNC251, blocking is what is measured
        else:
            await asyncio.sleep(self.step_seconds)
        self.updates += 1


@dataclass
class Measured:
    """One loop.

    Attributes:
        loop: Seconds of its steps, the evaluations that it waited for included.
        total: Seconds until the last evaluation was there.
        scores: The score of each evaluated step.
    """

    loop: float = 0.0
    total: float = 0.0
    scores: dict[int, float] = field(default_factory=dict)


def evaluator() -> proctor.GradedEvaluator:
    return proctor.GradedEvaluator(
        name="numbers", dataset=Numbers(), graders=[Contains()], renderer="role_colon"
    )


async def measured(
    training: Training,
    steps: int,
    before: Callable[[int], Awaitable[Any]],
    after: Callable[[], Awaitable[dict[int, float]]],
) -> Measured:
    found = Measured()
    started = time.perf_counter()
    for step in range(steps):
        await before(step)
        await training.step()
    found.loop = time.perf_counter() - started
    found.scores = await after()
    found.total = time.perf_counter() - started
    return found


async def without(training: Training, steps: int) -> Measured:
    """The loop alone."""

    async def nothing(_: int) -> None:
        return None

    async def no_scores() -> dict[int, float]:
        return {}

    return await measured(training, steps, nothing, no_scores)


async def ours(training: Training, steps: int, mode: str) -> Measured:
    """The loop with ``InlineEvaluations``."""
    evals = proctor.InlineEvaluations(
        {"evaluators": [evaluator()], "concurrency": CONCURRENCY}, eval_every=EVAL_EVERY, mode=mode
    )

    async def before(step: int) -> None:
        await evals.step(step, training_client=training)

    async def after() -> dict[int, float]:
        await evals.finish()
        return {step: metrics["numbers/score"] for step, metrics in evals.arrived()}

    return await measured(training, steps, before, after)


async def cookbook_way(training: Training, steps: int) -> Measured:
    """The loop with tinker-cookbook's own ``run_evals``."""
    builders = proctor.evaluator_builders({"evaluators": [evaluator()], "concurrency": CONCURRENCY})
    evaluators = [builder() for builder in builders]
    scores: dict[int, float] = {}

    async def before(step: int) -> None:
        if step % EVAL_EVERY == 0:
            metrics = await run_evals(evaluators, training, step)  # type: ignore[arg-type]
            scores[step] = metrics["numbers/score"]

    async def after() -> dict[int, float]:
        return scores

    return await measured(training, steps, before, after)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    steps: int = options.steps
    expected = {step: step / ROWS for step in range(0, steps, EVAL_EVERY)}
    table = Table(title=f"{steps} steps, evaluated every {EVAL_EVERY}, 4 steps an evaluation")
    for column in ("a step", "evaluations", "loop", "more than without", "until all is there"):
        table.add_column(column, justify="right")
    is_right = True
    for seconds, is_blocking in ((0.5, False), (0.5, True), (2.0, True)):
        kind = f"{'blocks' if is_blocking else 'awaits'} {seconds:g} s"
        alone = asyncio.run(without(Training(seconds, is_blocking), steps))
        loops = {
            "none": alone,
            "background": asyncio.run(ours(Training(seconds, is_blocking), steps, "background")),
        }
        if seconds < 1:
            loops |= {
                "foreground": asyncio.run(
                    ours(Training(seconds, is_blocking), steps, "foreground")
                ),
                "tinker-cookbook's way": asyncio.run(
                    cookbook_way(Training(seconds, is_blocking), steps)
                ),
            }
        for name, found in loops.items():
            more = found.loop / alone.loop - 1
            table.add_row(kind, name, f"{found.loop:.2f} s", f"{more:+.1%}", f"{found.total:.2f} s")
            if name != "none":
                is_right &= found.scores == expected
        is_right &= loops["background"].loop / alone.loop - 1 <= LIMIT
    Console().print(table)
    print(f"every evaluated step has its own metrics: {', '.join(map(str, expected))}")
    print(f"in the background within {LIMIT:.0%}, with each step's own scores: {is_right}")
    return 0 if is_right else 1


if __name__ == "__main__":
    raise SystemExit(main())

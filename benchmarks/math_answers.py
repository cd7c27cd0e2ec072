"""What the math grader costs: pairs a second, and what pairs that hang add.

Of 1,000 pairs ten hang. Each should cost its deadline once, shared among the processes.
"""

from __future__ import annotations

import asyncio
import platform
import time

from proctor import Example, grade_pairs
from proctor.grading.process_pool import GraderProcesses
from proctor.testing import make_sample
from proctor_math.grader import Math

PAIRS, HANGING, DEADLINE = 1000, 10, 5.0


async def seconds(hanging: int) -> tuple[float, int]:
    """How long the pairs take, and how many are ungraded."""
    step = PAIRS // hanging if hanging else PAIRS + 1
    pairs = []
    for number in range(PAIRS):
        example = Example(id=str(number), input="?", target=rf"\frac{{{number}}}{{7}}")
        hangs = number % step == step // 2
        answer = "5^{5^{5^{5^5}}}" if hangs else f"{2 * number}/14"
        pairs.append((example, make_sample(example, rf"So it is \boxed{{{answer}}}.")))
    began = time.perf_counter()
    made = await grade_pairs(Math(), pairs)
    return time.perf_counter() - began, sum(grading.value is None for grading in made)


def main() -> None:
    """Prints the figures."""
    Math.grading_timeout = DEADLINE
    processes = GraderProcesses(Math()).size
    plain, _ = asyncio.run(seconds(0))
    hung, ungraded = asyncio.run(seconds(HANGING))
    print(f"{platform.machine()}, Python {platform.python_version()}, {processes} processes")
    print(f"{PAIRS:,} pairs: {plain:.1f} s, {PAIRS / plain:.0f} pairs/s, the start included")
    print(f"{PAIRS:,} pairs of which {HANGING} hang: {hung:.1f} s, {ungraded} ungraded")
    share = HANGING * DEADLINE / processes
    print(f"the hanging ones add {hung - plain:.1f} s; {HANGING} deadlines shared: {share:.1f} s")


if __name__ == "__main__":
    main()

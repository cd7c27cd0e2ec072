"""How fast ``embedding`` grades 2,000 answers against one target, three ways in one run.

One ``encode`` call for each text, as a naive grader has it; batches of whatever comes; and the
grader itself, which encodes each distinct text once. Options: --pairs N.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable

from proctor import Example, Sample, grade_pairs
from proctor.testing import make_sample
from proctor_embedding.embedding import Embedding
from proctor_embedding.models import DEFAULT_MODEL, load_model

TARGET = "The capital of France is Paris."


def answers(count: int) -> list[tuple[Example, Sample]]:
    """Answers of 3 to 18 words, all different."""
    words = ["the", "city", "that", "you", "ask", "for", "lies", "on", "a", "river", "in", "France"]
    pairs = []
    for number in range(count):
        length = 3 + number % 16
        text = " ".join(words[(number + place) % len(words)] for place in range(length))
        example = Example(str(number), "What is the capital of France?", TARGET)
        pairs.append((example, make_sample(example, f"{text} {number}")))
    return pairs


def one_by_one(pairs: list[tuple[Example, Sample]]) -> None:
    """One call for each answer, and one for each target."""
    model = load_model(DEFAULT_MODEL)
    for example, sample in pairs:
        answer = model.encode(sample.text, normalize_embeddings=True, show_progress_bar=False)
        target = model.encode(
            example.targets[0], normalize_embeddings=True, show_progress_bar=False
        )
        float(answer @ target)


def in_batches(pairs: list[tuple[Example, Sample]]) -> None:
    """Batches of 64 answers and their 64 targets."""
    model = load_model(DEFAULT_MODEL)
    for start in range(0, len(pairs), 64):
        batch = pairs[start : start + 64]
        texts = [s.text for _, s in batch] + [e.targets[0] for e, _ in batch]
        vectors = model.encode(texts, batch_size=64, show_progress_bar=False)
        (vectors[: len(batch)] * vectors[len(batch) :]).sum(axis=1)


def by_the_grader(pairs: list[tuple[Example, Sample]]) -> None:
    """The grader, as a run uses it."""

    async def grade() -> None:
        grader = Embedding()
        await grader.open()
        await grade_pairs(grader, pairs)
        await grader.close()

    asyncio.run(grade())


def seconds(grade: Callable[[list[tuple[Example, Sample]]], None], pairs: list) -> float:
    """Wall time, less that of grading one pair, which is the model's loading."""
    grade(pairs[:1])
    started = time.perf_counter()
    grade(pairs[:1])
    loading = time.perf_counter() - started
    started = time.perf_counter()
    grade(pairs)
    return time.perf_counter() - started - loading


def main() -> None:
    """Prints pairs per second of each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    pairs = answers(parser.parse_args().pairs)
    speeds = {}
    for label, way in (
        ("one encode call a text", one_by_one),
        ("batches", in_batches),
        ("the grader", by_the_grader),
    ):
        speeds[label] = len(pairs) / seconds(way, pairs)
        print(f"{label:<24} {speeds[label]:8.0f} pairs/s", flush=True)
    ratio = speeds["the grader"] / speeds["one encode call a text"]
    verdict = "yes" if ratio >= 5 else "no"
    print(f"the grader is {ratio:.1f} times as fast; at least 5 times: {verdict}")


if __name__ == "__main__":
    main()

"""Datasets that mind who reads them, and fields that no row has."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import proctor
from proctor.evaluators.context import Progress
from proctor.sampling.budget import StopSignal
from proctor.testing import ScriptedClient

ROWS = 300


class Database(proctor.Dataset):
    """Rows of a database, whose cursor belongs to the thread that opened it."""

    path: Path
    threads: ClassVar[list[set[int]]] = []

    def examples(self) -> Iterator[proctor.Example]:
        threads: set[int] = set()
        Database.threads.append(threads)
        connection = sqlite3.connect(self.path)
        try:
            for (number,) in connection.execute("SELECT number FROM rows ORDER BY number"):
                threads.add(threading.get_ident())
                yield proctor.Example(id=str(number), input=f"Say {number}.", target="x")
        finally:
            threads.add(threading.get_ident())
            connection.close()


class Streamed(Database):
    """The same, of which no pass is made before."""

    is_cheap_to_read: ClassVar[bool] = False


class Anything(proctor.Grader):
    """Anything goes."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return True


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of rows."""
    connection = sqlite3.connect(tmp_path / "rows.db")
    with connection:
        connection.execute("CREATE TABLE rows (number INTEGER)")
        connection.executemany("INSERT INTO rows VALUES (?)", [(n,) for n in range(ROWS)])
    connection.close()
    Database.threads.clear()
    return tmp_path / "rows.db"


def _evaluator(dataset: proctor.Dataset, **options: Any) -> proctor.GradedEvaluator:
    return proctor.GradedEvaluator(
        name="e", dataset=dataset, graders=[Anything()], renderer="role_colon", **options
    )


@pytest.mark.parametrize("kind", [Database, Streamed])
async def test_evaluators_that_run_beside_each_other_read_on_a_thread_each(
    database: Path, kind: type[Database]
) -> None:
    async def evaluate() -> int:
        client = ScriptedClient(lambda prompt, _: "x")
        metrics = await _evaluator(kind(path=database))(client)
        return int(metrics["e/Anything/n"])

    # other work keeps threads of the pool busy, so that a batch comes to another one each time
    busy = [asyncio.create_task(asyncio.to_thread(threading.Event().wait, 0.01)) for _ in range(50)]
    assert await asyncio.gather(*(evaluate() for _ in range(4))) == [ROWS] * 4
    await asyncio.gather(*busy)
    assert all(len(threads) == 1 for threads in Database.threads)


async def test_rows_that_an_interrupt_left_are_read_on_that_thread_too(database: Path) -> None:
    stop = StopSignal()

    def script(prompt: str, index: int) -> str:
        stop.set()
        return "x"

    client = ScriptedClient(script)
    context = proctor.EvaluationContext.for_client(client, stop=stop)
    result = await _evaluator(Database(path=database)).evaluate(client, context)
    estimate = result.graders[0].estimate
    assert estimate.n + estimate.unrecorded == ROWS
    assert all(len(threads) == 1 for threads in Database.threads)


class Fields(proctor.Dataset):
    """Rows with a subject."""

    is_streamed: bool = False

    @property
    def is_cheap_to_read(self) -> bool:  # type: ignore[override]  # an option decides it here
        return not self.is_streamed

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(40):
            metadata = {"subject": "art", "level": None} if number == 39 else {"subject": "art"}
            yield proctor.Example(id=str(number), input="Q", target="x", metadata=metadata)


@pytest.mark.parametrize(
    ("field", "fix"),
    [
        ("subjct", "did you mean 'metadata.subject'?"),
        ("topic", "rows have: metadata.subject, metadata.level"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"limit": 2}])
async def test_a_field_that_no_row_has_is_refused_before_anything_is_asked(
    field: str, fix: str, options: dict[str, int]
) -> None:
    client = ScriptedClient(lambda prompt, _: "x")
    evaluator = _evaluator(Fields(), by=["metadata.subject", f"metadata.{field}"], **options)
    with pytest.raises(proctor.ConfigError) as caught:
        await evaluator(client)
    assert str(caught.value) == f"e: 'by' names 'metadata.{field}', which no row has; {fix}"
    assert not client.prompts


async def test_a_field_that_one_row_has_will_do() -> None:
    metrics = await _evaluator(Fields(), by=["metadata.level"])(
        ScriptedClient(lambda prompt, _: "x")
    )
    assert metrics["e/Anything/n"] == 40


async def test_of_a_stream_it_is_said_at_the_end() -> None:
    warnings: list[str] = []

    class Heard(Progress):
        def warn(self, evaluator: str, message: str) -> None:
            warnings.append(message)

    client = ScriptedClient(lambda prompt, _: "x")
    context = proctor.EvaluationContext.for_client(client, progress=Heard())
    evaluator = _evaluator(Fields(is_streamed=True), by=["metadata.subjct"])
    result = await evaluator.evaluate(client, context)
    assert result.metrics["e/Anything/n"] == 40
    assert warnings == [
        "'by' names 'metadata.subjct', which no row has; did you mean 'metadata.subject'?"
    ]

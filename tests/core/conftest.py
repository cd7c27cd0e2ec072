"""What the tests of several rooms share: ledgers from short texts, a plugin that watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from proctor.plugins import active
from proctor.plugins.manager import PluginManager
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.types import Outcome

LETTERS = {
    "t": Outcome.TRUNCATED,
    "m": Outcome.MALFORMED,
    "u": Outcome.UNGRADED,
    "f": Outcome.FAILED,
}

Cell = float | str


@pytest.fixture
def make_ledger() -> Callable[..., Ledger]:
    """Builds a ledger of one grader: a number is a grade, a letter another outcome."""

    def make(
        rows: Sequence[Sequence[Cell]],
        *,
        clusters: Sequence[str | None] | None = None,
        answers: Sequence[Sequence[str | None]] | None = None,
        **column: object,
    ) -> Ledger:
        options = {"worst": 0.0, "best": 1.0, "proportion": True} | column
        ledger = Ledger([LedgerColumn("g", **options)], max((len(r) for r in rows), default=1))
        for index, row in enumerate(rows):
            added = ledger.add_example(clusters[index] if clusters else None)
            for sample, cell in enumerate(row):
                answer = answers[index][sample] if answers else None
                if isinstance(cell, str):
                    ledger.record(added, sample, "g", LETTERS[cell], answer=answer)
                else:
                    ledger.record(added, sample, "g", Outcome.GRADED, cell, answer)
        return ledger

    return make


WATCHING = """
import json, pathlib
import proctor

NOTES = pathlib.Path({notes!r})

def note(hook, run, **what):
    where = {{"folder": run.folder and run.folder.name, "step": run.step}}
    with NOTES.open("a") as file:
        file.write(json.dumps({{"hook": hook, **where, **what}}) + "\\n")

@proctor.hookimpl
def proctor_run_started(run):
    note("started", run, status=run.record["status"])

@proctor.hookimpl
def proctor_sample_finished(record, run):
    note("sample", run, evaluator=record["evaluator"])

@proctor.hookimpl
def proctor_evaluation_finished(result, run):
    note("evaluation", run, name=result.name)

@proctor.hookimpl
def proctor_run_finished(run):
    note("finished", run, status=run.record["status"])
"""


@pytest.fixture
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., list[Any]]]:
    """What the plugins' observers were told, in its order; with a name, what one hook was."""
    folder = tmp_path_factory.mktemp("watching")
    (folder / "watching.py").write_text(WATCHING.format(notes=str(folder / "notes.jsonl")))

    def read(hook: str | None = None) -> list[Any]:
        lines = (folder / "notes.jsonl").read_text().splitlines()
        told = map(json.loads, lines)
        return [note for note in told if hook is None or note["hook"] == hook]

    with active.using(PluginManager(only=(), files=[folder / "watching.py"])):
        yield read


@pytest.fixture
def open_files(tmp_path: Path) -> Callable[[], set[str]]:
    """The names of the files in the test's folder that this process holds open."""

    def names() -> set[str]:
        held = set()
        for descriptor in Path("/proc/self/fd").iterdir():
            try:
                target = descriptor.readlink()
            except OSError:  # the one that lists the folder is gone by now
                continue
            if target.is_relative_to(tmp_path):
                held.add(target.name)
        return held

    if not Path("/proc/self/fd").exists():
        pytest.skip("this system does not say which files are open")
    return names

"""Grading in processes: what hangs or dies costs its own pair, and nothing is left running."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import proctor
from proctor.grading.process_pool import GraderProcesses
from proctor.plugins.importing import import_file
from proctor.scoring.grades import GradedPair
from proctor.testing import make_sample

SUPPORT = Path(__file__).resolve().parents[2] / "support" / "process_graders.py"
EXAMPLE = proctor.Example(id="e", input="?", target="right")


@pytest.fixture(scope="module")
def graders():
    return import_file(SUPPORT)


def descendants() -> dict[int, str]:
    """Every process below this one, but for Python's own tracker of resources, which stays."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
                command = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if stat.rpartition(")")[2].split()[0] != "Z":
                parents[int(folder.name)] = (int(stat.rpartition(")")[2].split()[1]), command)
    found: dict[int, str] = {}
    while new := {
        pid: command
        for pid, (parent, command) in parents.items()
        if pid not in found and (parent == os.getpid() or parent in found)
    }:
        found |= new
    return {pid: c for pid, c in found.items() if "resource_tracker" not in c}


@pytest.fixture(autouse=True)
def nothing_left_running():
    before = set(descendants())
    yield
    left = {pid: command for pid, command in descendants().items() if pid not in before}
    assert left == {}


def graded(grader: proctor.Grader, texts: list[str]) -> list[GradedPair]:
    pairs = [(EXAMPLE, make_sample(EXAMPLE, text)) for text in texts]
    return asyncio.run(proctor.grade_pairs(grader, pairs))


def test_each_pair_is_graded_elsewhere_and_in_its_place(graders):
    texts = ["right", "wrong"] * 20
    made = graded(graders.Obedient(suffix="!"), texts)
    assert [grading.value for grading in made] == [1.0, 0.0] * 20
    read = [grading.answer.split(" ") for grading in made]
    assert [text for text, _ in read] == [f"{text}!" for text in texts]
    pids = {int(pid) for _, pid in read}
    assert len(pids) <= 2
    assert os.getpid() not in pids
    assert {grading.grade.explanation for grading in made} == {f"process {pid}" for pid in pids}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("kill", "the grader's process died: killed by SIGKILL"),
        ("segfault", "the grader's process died: killed by SIGSEGV"),
        ("leave", "the grader's process died: exit code 4"),
        ("exit", "the grader raised SystemExit: 3"),
        ("raise", "the grader raised ValueError: as told"),
        ("leave open", "nobody knows"),
        ("unreadable", "extract_answer raised ValueError: unreadable"),
        ("outside", "the grade 7.0 is not on the scale 0.0 to 1.0"),
        ("unsendable", "the grade can't leave its process: "),
    ],
)
def test_what_goes_wrong_costs_its_own_pair_and_says_why(graders, order, reason):
    texts = ["right"] * 10 + [order] + ["right"] * 10
    made = graded(graders.Obedient(), texts)
    assert made[10].outcome == "ungraded"
    assert made[10].reason.startswith(reason)
    assert [grading.value for grading in made[:10] + made[11:]] == [1.0] * 20
    assert made[10].metadata == ({"seen": 1} if order == "leave open" else {})


def test_memory_is_limited_where_the_class_says_so(graders):
    made = graded(graders.Limited(), ["right", "hog", "right"])
    assert [grading.value for grading in made] == [1.0, None, 1.0]
    assert made[1].reason == "the grader raised MemoryError"


@pytest.mark.parametrize("order", ["hang", "hang in C"])
def test_a_hang_costs_its_deadline_once(graders, order):
    texts = [order if number % 100 == 50 else "right" for number in range(1000)]
    made = graded(graders.Impatient(), texts)
    hung = [grading for grading in made if grading.value is None]
    assert [grading.reason for grading in hung] == ["the grader gave no verdict within 0.5 s"] * 10
    assert [n for n, grading in enumerate(made) if grading.value is None] == list(
        range(50, 1000, 100)
    )


def test_the_event_loop_goes_on_while_processes_start_grade_and_end(graders):
    async def turns_of_the_loop() -> int:
        turns = 0

        async def watch() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        watcher = asyncio.create_task(watch())
        pairs = [(EXAMPLE, make_sample(EXAMPLE, text)) for text in ["hang", "right"]]
        await proctor.grade_pairs(graders.Impatient(), pairs)
        watcher.cancel()
        return turns

    # a blocked loop would have woken up a few times; half a second has fifty turns
    assert asyncio.run(turns_of_the_loop()) > 15


def test_heavy_state_is_made_in_each_process(graders):
    assert [grading.value for grading in graded(graders.Opened(), ["a"] * 4)] == [1.0] * 4


def test_a_grader_that_can_t_be_opened_there_says_so(graders):
    made = graded(graders.Unopened(), ["a"] * 3)
    reason = "the grader could not be made in its process: SystemExit: no room"
    assert [grading.reason for grading in made] == [reason] * 3


def test_an_idle_process_that_is_killed_costs_no_pair(graders):
    async def run() -> list[float]:
        processes = GraderProcesses(graders.Obedient())
        try:
            sample = make_sample(EXAMPLE, "right")
            first = await processes.grade(EXAMPLE, sample)
            os.kill(int(first.answer.split()[1]), 9)
            await asyncio.sleep(0.5)
            verdicts = await asyncio.gather(*[processes.grade(EXAMPLE, sample) for _ in range(8)])
        finally:
            await processes.close()
        return [verdict.verdict.value for verdict in verdicts]

    assert asyncio.run(run()) == [1.0] * 8


def test_a_class_in_a_class_is_found(graders):
    assert graded(graders.Outer.Inner(), ["right"])[0].value == 1.0


def test_a_class_that_can_t_be_found_is_one_line_before_anything_starts(graders):
    with pytest.raises(proctor.ConfigError) as caught:
        GraderProcesses(graders.local_class()())
    assert "grader Local: the grader can't be made in another process" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_option_that_can_t_be_sent_is_one_line(graders):
    grader = graders.Obedient()
    grader.suffix = lambda: "!"
    with pytest.raises(proctor.ConfigError, match=r"grader Obedient: .*can't be made in another"):
        GraderProcesses(grader)


def test_a_pair_that_can_t_be_sent_is_ungraded(graders):
    odd = proctor.Example(id="e", input="?", target="x", metadata={"call": lambda: 1})
    pairs = [(odd, make_sample(odd, "right")), (EXAMPLE, make_sample(EXAMPLE, "right"))]
    made = asyncio.run(proctor.grade_pairs(graders.Obedient(), pairs))
    assert made[0].reason.startswith("the pair can't be sent to a process: ")
    assert made[1].value == 1.0


@pytest.mark.parametrize("moment", [0.0, 0.3, 3.0])
def test_a_cancelled_evaluation_leaves_nothing_running(graders, moment):
    async def run() -> None:
        pairs = [(EXAMPLE, make_sample(EXAMPLE, "hang")) for _ in range(4)]
        task = asyncio.create_task(proctor.grade_pairs(graders.Obedient(), pairs))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_a_grader_in_a_process_grades_one_by_one():
    with pytest.raises(TypeError, match="in a process, grade is synchronous and one by one"):

        class Batched(proctor.Grader):
            """Not so."""

            runs_in = "process"

            def grade_batch(self, pairs):
                return [True for _ in pairs]


SCRIPT = """
import asyncio, os, sys
print("script", flush=True)
import proctor
from proctor.plugins.importing import import_file
from proctor.testing import make_sample

graders = import_file(__import__("pathlib").Path({support!r}))
example = proctor.Example("e", "?", "x")
pairs = [(example, make_sample(example, text)) for text in {texts!r}]
print(*[g.value for g in asyncio.run(proctor.grade_pairs(graders.Obedient(), pairs))], flush=True)
"""


def script(folder: Path, texts: list[str]) -> list[str]:
    file = folder / "train.py"
    file.write_text(textwrap.dedent(SCRIPT.format(support=str(SUPPORT), texts=texts)))
    return [sys.executable, str(file)]


def test_a_script_without_a_guard_is_not_run_again_in_each_process(tmp_path):
    ended = subprocess.run(
        script(tmp_path, ["right", "wrong"]), capture_output=True, text=True, check=False
    )
    assert ended.stdout.splitlines() == ["script", "1.0 0.0"], ended.stderr


def test_an_interrupt_leaves_nothing_running(tmp_path):
    process = subprocess.Popen(
        script(tmp_path, ["hang"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while len(descendants()) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)  # the script, the server and its two processes
    started = set(descendants()) - {process.pid}
    process.send_signal(2)
    process.communicate(timeout=60)
    assert len(started) >= 3
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []

"""One run, one writer: claims that race, processes that die, folders that vanish."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.runs.folder import RunFolder, new_run_folder

TRIES = 50


CLAIMS = """\
import os, sys
from pathlib import Path
from proctor.errors import ConfigError
from proctor.runs.folder import RunFolder, make_free_folder

print("ready", flush=True)
for line in sys.stdin:
    kind, path = line.split()
    if kind == "name":
        print(make_free_folder(Path(path), "same"), flush=True)
        continue
    try:
        claimed = RunFolder(Path(path))
        claimed.describe(status="running", pid=os.getpid())
        claimed.close()
        print("claimed", flush=True)
    except ConfigError as error:
        print(error, flush=True)
"""


@pytest.fixture
def two_at_once() -> Iterator[Callable[[str], list[str]]]:
    """What two processes answer that are told the same at the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for _ in range(2)
    ]

    def answers() -> list[str]:
        return [process.stdout.readline().strip() for process in processes]  # type: ignore[union-attr]

    def tell(line: str) -> list[str]:
        for process in processes:
            process.stdin.write(line + "\n")  # type: ignore[union-attr]
        return answers()

    assert answers() == ["ready", "ready"]
    yield tell
    for process in processes:
        process.kill()
        process.wait()


def test_of_two_processes_one_gets_the_folder(two_at_once: Any, tmp_path: Path) -> None:
    """Both wrote into it, exited with 0 and said that they were complete."""
    for number in range(TRIES):
        answers = two_at_once(f"claim {tmp_path}/run-{number}")
        assert answers.count("claimed") == 1, answers
        [refusal] = [answer for answer in answers if answer != "claimed"]
        assert "another process is writing" in refusal or "holds a run already" in refusal


def test_two_processes_never_get_one_name(two_at_once: Any, tmp_path: Path) -> None:
    given = [folder for _ in range(TRIES) for folder in two_at_once(f"name {tmp_path}")]
    assert len(set(given)) == 2 * TRIES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(Path(p).name for p in given)


def test_a_name_is_taken_when_it_is_given(tmp_path: Path) -> None:
    names = {new_run_folder(tmp_path, "evals") for _ in range(5)}
    assert len(names) == 5
    (tmp_path / "file").write_text("")
    with pytest.raises(proctor.ConfigError, match=r"file is no folder|can't make the folder"):
        new_run_folder(tmp_path / "file", "evals")


HOLDER = """\
import sys, time
from pathlib import Path
from proctor.runs.folder import RunFolder

folder = RunFolder(Path(sys.argv[1]))
folder.describe(status="running")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """A process that holds a run's folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_killed_run_says_so(holder: Any, tmp_path: Path, command_line: Any) -> None:
    """It said that it is running, for ever."""
    run = proctor.FinishedRun(tmp_path / "run")
    assert run.status == "running"
    assert "it is running" in command_line("show", "run").out
    with pytest.raises(proctor.ConfigError, match="another process is writing"):
        RunFolder(tmp_path / "run")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert run.status == "killed"
    assert run.record["status"] == "running"
    assert "it was killed" in command_line("show", "run").out
    with pytest.raises(proctor.ConfigError, match="holds a run already"):
        RunFolder(tmp_path / "run")


def test_who_looks_at_a_run_takes_nothing_from_it(holder: Any, tmp_path: Path) -> None:
    for _ in range(20):
        assert proctor.FinishedRun(tmp_path / "run").status == "running"
    assert holder.poll() is None


def test_a_run_that_ended_is_not_locked(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.describe(status="complete")
    folder.close()
    folder.close()
    assert proctor.FinishedRun(tmp_path / "run").status == "complete"


def test_a_folder_that_is_refused_is_let_go_of(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_text("mine\n")
    for _ in range(2):
        with pytest.raises(proctor.ConfigError, match="of its own, and no run"):
            RunFolder(tmp_path)
    (tmp_path / "samples.jsonl").unlink()
    RunFolder(tmp_path).close()


CONFIG = """\
model: {backend: scripted, otherwise: "yes <1>"}
plugins: [./vandal.py]
evaluators:
  - name: numbers
    dataset: {type: inline, rows: [{id: a, input: Q, target: "<1>"}]}
    graders: [substring, WHAT]
"""
VANDAL = """\
import os
import shutil
from pathlib import Path

import proctor


class Removes(proctor.Grader):
    "Removes the run's folder."

    def grade(self, example, sample) -> bool:
        shutil.rmtree("run")
        return True


class Replaces(proctor.Grader):
    "Removes the run's folder, and makes it again."

    def grade(self, example, sample) -> bool:
        shutil.rmtree("run")
        Path("run").mkdir()
        return True


class Seals(proctor.Grader):
    "Puts a folder where the results will go."

    def grade(self, example, sample) -> bool:
        Path("run/results.json").mkdir()
        return True


@proctor.hookimpl
def proctor_register(registry):
    registry.grader("removes", Removes)
    registry.grader("replaces", Replaces)
    registry.grader("seals", Seals)
"""


@pytest.mark.parametrize("what", ["removes", "replaces", "seals"])
def test_scores_that_can_t_be_kept_are_printed(
    what: str, command_line: Any, tmp_path: Path
) -> None:
    """They were lost; with the folder made anew, exit code 0 and no samples."""
    (tmp_path / "vandal.py").write_text(VANDAL)
    (tmp_path / "evals.yaml").write_text(CONFIG.replace("WHAT", what))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert printed.code == 1
    assert "numbers" in printed.out
    assert "1.000" in printed.out
    assert "not written: can't write" in printed.out or "was removed or replaced" in printed.out
    assert "Traceback" not in printed.out + printed.err
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    as_json = command_line("run", "evals.yaml", "--out", "run", "--json")
    assert json.loads(as_json.out)["metrics"]["numbers/substring/score"] == 1.0
    assert json.loads(as_json.out)["unwritten"]
    assert as_json.code == 1

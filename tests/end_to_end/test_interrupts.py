"""Ctrl-C, SIGTERM and SIGHUP, at many moments, once and twice: whole records, and their codes."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CONFIG = """\
model: {{backend: scripted, otherwise: "yes <1>", seconds: 0.02}}
concurrency: 4
evaluators:
  - name: slow
    dataset:
      type: inline
      rows: {rows}
    graders: [substring]
"""

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
MOMENTS = [
    (round(random.Random(n).uniform(0.0, 1.6), 3), 1 + n % 2, SIGNALS[n % 3]) for n in range(21)
]


def started(tmp_path: Path, plugin: Path) -> subprocess.Popen[str]:
    rows = [{"id": f"r{n}", "input": f"Question {n}", "target": "<1>"} for n in range(4000)]
    (tmp_path / "evals.yaml").write_text(CONFIG.format(rows=json.dumps(rows)))
    return launched(tmp_path, plugin)


def launched(tmp_path: Path, plugin: Path, *, heeds: bool = True) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "proctor", "--plugin", str(plugin)),
            *("run", str(tmp_path / "evals.yaml"), "--out", str(tmp_path / "run")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals if heeds else None,
    )


def heed_signals() -> None:
    """Undoes what nohup, or a shell's background, had this process ignore."""
    for name in SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def wait_for_the_folder(process: subprocess.Popen[str], tmp_path: Path) -> None:
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "samples.jsonl").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def records(path: Path) -> list[dict[str, object]]:
    content = path.read_bytes()
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize(("moment", "times", "name"), MOMENTS)
def test_an_interrupted_run_leaves_whole_records(
    moment: float, times: int, name: str, tmp_path: Path, scripted_backend: Path
) -> None:
    number = getattr(signal, name)
    process = started(tmp_path, scripted_backend)
    try:
        wait_for_the_folder(process, tmp_path)
        time.sleep(moment)
        for _ in range(times):
            process.send_signal(number)
            time.sleep(0.01)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number, (out, err)
    assert "Traceback" not in err
    samples = records(tmp_path / "run" / "samples.jsonl")
    grades = records(tmp_path / "run" / "grades.jsonl")
    assert len(samples) < 4000
    keys = {sample["key"] for sample in samples}
    assert len(keys) == len(samples)
    assert {grade["sample"] for grade in grades} <= keys
    if times == 1 and samples:
        assert {grade["sample"] for grade in grades} == keys
        results = json.loads((tmp_path / "run" / "results.json").read_text())
        assert results["status"] == "interrupted"
        assert re.search(r"interrupted", out + err)
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["status"] in ("opening", "running", "interrupted")


def test_nohup_is_respected(tmp_path: Path, scripted_backend: Path) -> None:
    """A run under nohup outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        rows = [{"id": f"r{n}", "input": f"Question {n}", "target": "<1>"} for n in range(40)]
        (tmp_path / "evals.yaml").write_text(CONFIG.format(rows=json.dumps(rows)))
        process = launched(tmp_path, scripted_backend, heeds=False)
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for_the_folder(process, tmp_path)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert len(records(tmp_path / "run" / "samples.jsonl")) == 40


HUNG = """\
import time

import proctor


class Hung(proctor.Dataset):
    "Gives one row, and hangs."

    is_cheap_to_read = False

    def examples(self):
        yield proctor.Example(id="1", input="Question", target="<1>")
        time.sleep(3600)


@proctor.hookimpl
def proctor_register(registry):
    registry.dataset("hung", Hung)
"""


def test_the_second_interrupt_ends_a_run_whose_dataset_hangs(
    tmp_path: Path, scripted_backend: Path
) -> None:
    (tmp_path / "hung.py").write_text(HUNG)
    (tmp_path / "evals.yaml").write_text(
        "model: {backend: scripted}\nplugins: [./hung.py]\n"
        "evaluators: [{name: hung, dataset: hung, graders: [substring]}]\n"
    )
    process = launched(tmp_path, scripted_backend)
    try:
        wait_for_the_folder(process, tmp_path)
        time.sleep(0.5)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err

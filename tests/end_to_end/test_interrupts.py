"""Ctrl-C, at many moments, once and twice: whole records only, and exit code 130."""

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

MOMENTS = [(round(random.Random(n).uniform(0.0, 1.6), 3), 1 + n % 2) for n in range(20)]


def started(tmp_path: Path, plugin: Path) -> subprocess.Popen[str]:
    rows = [{"id": f"r{n}", "input": f"Question {n}", "target": "<1>"} for n in range(4000)]
    config = tmp_path / "evals.yaml"
    config.write_text(CONFIG.format(rows=json.dumps(rows)))
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "proctor", "--plugin", str(plugin)),
            *("run", str(config), "--out", str(tmp_path / "run")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def records(path: Path) -> list[dict[str, object]]:
    content = path.read_bytes()
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize(("moment", "times"), MOMENTS)
def test_an_interrupted_run_leaves_whole_records(
    moment: float, times: int, tmp_path: Path, scripted_backend: Path
) -> None:
    process = started(tmp_path, scripted_backend)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "run" / "samples.jsonl").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moment)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, (out, err)
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

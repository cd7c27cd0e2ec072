"""Each of Inspect's example datasets, on the real model, by a config of a few lines."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

CONFIGS = Path(__file__).parents[2] / "examples" / "inspect-datasets"
ROWS = {
    "bias_detection": 20,
    "biology_qa": 20,
    "popularity": 20,
    "security_guide": 16,
    "theory_of_mind": 20,
}
"""Examples of each run: 20, or all where there are fewer."""


@pytest.mark.parametrize("name", ROWS)
def test_a_config_under_15_lines_runs_on_the_real_model(
    name: str, command_line: Any, tmp_path: Path
) -> None:
    config = tmp_path / f"{name}.yaml"
    shutil.copy(CONFIGS / config.name, config)
    assert len(config.read_text().splitlines()) < 15
    data = files("inspect_ai") / "dataset" / "_examples" / f"{name}.jsonl"
    (tmp_path / f"{name}.jsonl").write_bytes(data.read_bytes())
    printed = command_line("run", str(config), "--out", "run", with_backend=False)
    assert printed.code == 0, printed.err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    [grader] = results["evaluators"][name]["graders"]
    assert grader["n"] == ROWS[name]
    assert grader["coverage"] == 1.0
    assert f"{name}/score" in results["metrics"]
    samples = [json.loads(s) for s in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    assert len(samples) == ROWS[name]
    assert all(sample["calls"][0]["tokens"] for sample in samples)

"""The example of the embedding grader's page, on the real models."""

from __future__ import annotations

import json
import re
from pathlib import Path

README = Path(__file__).parents[2] / "plugins" / "embedding" / "README.md"
NAMES = ("substring", "embedding")


def test_the_readmes_example(command_line, tmp_path):
    """SmolLM2 knows France's capital and makes up Italy's: both graders say so."""
    (config,) = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "evals.yaml").write_text(config)
    printed = command_line("run", "evals.yaml", "--out", "run", with_backend=False)
    assert printed.code == 0, printed.err
    grades = [json.loads(line) for line in (tmp_path / "run" / "grades.jsonl").open()]
    values = {name: [g["value"] for g in grades if g["grader"] == name] for name in NAMES}
    assert values == {"substring": [1.0, 0.0], "embedding": [1.0, 0.0]}
    similarities = [g["metadata"]["similarity"] for g in grades if g["grader"] == "embedding"]
    assert similarities[0] > 0.8 > similarities[1] > 0.0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metrics"]["capitals/embedding/score"] == 0.5
    (_, embedding) = results["evaluators"]["capitals"]["graders"]
    assert embedding["interval"] == "wilson"

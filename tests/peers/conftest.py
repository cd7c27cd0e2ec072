"""Questions, and what lm-evaluation-harness makes of them in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
SHOTS = 2
"""How many of the questions stand answered before each of the others, where any do."""

MULTIPLE_CHOICE: dict[str, Any] = {
    "output_type": "multiple_choice",
    "doc_to_text": "question",
    "doc_to_choice": "choices",
    "doc_to_target": "answer",
    "metric_list": [{"metric": name} for name in ("acc", "acc_norm", "acc_bytes")],
    "metadata": {"with_template": False},
}
TASKS: list[dict[str, Any]] = [
    MULTIPLE_CHOICE | {"task": "choices", "metadata": {"with_template": True}},
    MULTIPLE_CHOICE
    | {"task": "choices_after_shots", "num_fewshot": SHOTS}
    | {"fewshot_config": {"sampler": "first_n", "split": "shots"}},
    {
        "task": "continuations",
        "output_type": "loglikelihood",
        "doc_to_text": "question",
        "doc_to_target": "{{' ' + choices[answer]}}",
        "metric_list": [{"metric": "perplexity"}],
        "metadata": {"with_template": False},
    },
    {
        "task": "whole_texts",
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "question",
        "metric_list": [{"metric": "bits_per_byte"}],
        "metadata": {"with_template": False},
    },
]
"""lm-evaluation-harness' tasks, each over all questions that are no shots."""

Found = dict[str, dict[str, Any]]
"""The metrics and the log-likelihoods of each task."""


@pytest.fixture(scope="session")
def shots() -> list[dict[str, Any]]:
    """The questions that are shown with their answers, where any are."""
    return _questions()[:SHOTS]


@pytest.fixture(scope="session")
def questions() -> list[dict[str, Any]]:
    """The questions that are asked."""
    return _questions()[SHOTS:]


def _questions() -> list[dict[str, Any]]:
    lines = (FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def lm_eval(tmp_path_factory: pytest.TempPathFactory, smollm2_folder: Path) -> dict[str, Found]:
    """What it comes to without the chat template, ``plain``, and with it, ``chat``."""
    folder = tmp_path_factory.mktemp("lm_eval")
    rows = {"shots": _questions()[:SHOTS], "test": _questions()[SHOTS:]}
    data = {split: str(folder / f"{split}.jsonl") for split in rows}
    for split, found in rows.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in found]
        Path(data[split]).write_text("".join(lines), encoding="utf-8")
    local = {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": data},
        "test_split": "test",
    }
    tasks, output = folder / "tasks.json", folder / "found.json"
    tasks.write_text(json.dumps([local | task for task in TASKS]), encoding="utf-8")
    alone = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "datasets"),
        # on a busy machine the threads of one model wait for each other
        "OMP_NUM_THREADS": "1",
    }
    script = [os.environ["PEERS_PYTHON"], str(FOLDER / "run_lm_eval.py")]
    ended = subprocess.run(
        [*script, str(smollm2_folder), str(tasks), str(output)],
        env=os.environ | alone,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        pytest.fail(f"lm-evaluation-harness failed:\n{ended.stderr[-3000:]}", pytrace=False)
    read: dict[str, Found] = json.loads(output.read_text(encoding="utf-8"))
    return read


REAL_SECONDS = 900
"""Importing a harness and running a real model takes minutes on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.timeout(REAL_SECONDS))

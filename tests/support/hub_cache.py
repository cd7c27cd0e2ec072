"""A few rows of three data sets, where the ``datasets`` package looks for what it downloaded.

The rows are written for these tests, in the columns of the real sets.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MMLU_ROWS = [
    {
        "question": f"What is {number} + 1?",
        "subject": "elementary_mathematics",
        "choices": [str(number + shift) for shift in (0, 1, 2, 3)],
        "answer": 1,
    }
    for number in range(4)
]
ARC_ROWS = [
    {
        "id": f"test-{number}",
        "question": question,
        "choices": {"text": list(texts), "label": ["A", "B", "C", "D"]},
        "answerKey": key,
    }
    for number, (question, texts, key) in enumerate(
        [
            ("Which animal lays eggs?", ("dog", "hen", "cow", "cat"), "B"),
            ("What do plants need to grow?", ("light", "music", "paper", "glass"), "A"),
            ("Which of these is a metal?", ("wood", "wool", "iron", "milk"), "C"),
        ]
    )
]
BOOLQ_ROWS = [
    {"question": "is paris in france", "answer": True, "passage": "Paris is in France."},
    {"question": "is the sun cold", "answer": False, "passage": "The Sun is very hot."},
    {"question": "do fish swim", "answer": True, "passage": "Fish swim in water."},
]


def fill(home: Path) -> None:
    """Writes the rows under a folder that ``HF_HOME`` then names."""
    from datasets import ClassLabel, Features, List, Value

    text = Value("string")
    mmlu = {"question": text, "subject": text, "choices": List(text)}
    arc = {
        "id": text,
        "question": text,
        "choices": {"text": List(text), "label": List(text)},
        "answerKey": text,
    }
    boolq = {"question": text, "answer": Value("bool"), "passage": text}
    letters = ClassLabel(names=["A", "B", "C", "D"])
    _put(home, "mmlu", "MMLU", "all", "test", MMLU_ROWS, Features(**mmlu, answer=letters))
    _put(home, "arc", "ARC_DATASET", "ARC-Easy", "test", ARC_ROWS, Features(arc))
    _put(home, "boolq", "BOOLQ_DATASET", "default", "validation", BOOLQ_ROWS, Features(boolq))


def _put(
    home: Path,
    package: str,
    prefix: str,
    config: str,
    split: str,
    rows: Sequence[dict[str, Any]],
    features: Any,
) -> None:
    """One data set, in the revision that the task's code asks for."""
    from datasets import DatasetInfo
    from datasets.arrow_writer import ArrowWriter

    paths = {"mmlu": "cais/mmlu", "arc": "allenai/ai2_arc", "boolq": "google/boolq"}
    task = importlib.import_module(f"inspect_evals.{package}.{package}")
    path, revision = paths[package], getattr(task, f"{prefix}_REVISION")
    name = path.split("/")[-1]
    folder = home / "datasets" / path.replace("/", "___") / config / "0.0.0" / revision
    folder.mkdir(parents=True)
    writer = ArrowWriter(path=str(folder / f"{name}-{split}.arrow"), features=features)
    for row in rows:
        writer.write(row)
    count, size = writer.finalize()
    sizes = {"num_bytes": size, "num_examples": count, "dataset_name": name}
    DatasetInfo(
        features=features,
        builder_name="parquet",
        dataset_name=name,
        config_name=config,
        version="0.0.0",
        splits=[{"name": split, **sizes}],
        dataset_size=size,
    ).write_to_directory(str(folder))

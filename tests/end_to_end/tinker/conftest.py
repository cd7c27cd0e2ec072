"""A server of Tinker's API with two checkpoints, and a config for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from proctor import get_tokenizer

sys.path.insert(0, str(Path(__file__).parent))

from fake_server import KEY, STEP, FakeServer


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The key that the server takes, in the environment, and none of a person's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    monkeypatch.delenv("TINKER_CREDENTIAL_CMD", raising=False)
    monkeypatch.delenv("TINKER_BASE_URL", raising=False)
    return KEY


@pytest.fixture
def server(key: str, smollm2_folder: Path) -> Iterator[FakeServer]:
    """A server with a base model that is always wrong and three checkpoints, 2 and 10 right."""
    base = str(smollm2_folder)
    encode = get_tokenizer(base).encode
    right, wrong = (encode(f"{word}<|im_end|>") for word in ("Paris", "Rome"))
    steps = ["sampler_weights/step-2", "weights/step-2", "sampler_weights/step-9"]
    fake = FakeServer(
        base_models={base: 2048},
        runs={"run-1:train:0": (base, [*steps, "sampler_weights/step-10"])},
        answers={
            base: wrong,
            STEP.format(2): right,
            STEP.format(9): wrong,
            STEP.format(10): right,
        },
    )
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()


@pytest.fixture
def write_config(tmp_path: Path) -> Any:
    """Writes a config of two questions for a model; returns its name."""

    def write(model: dict[str, Any], **more: Any) -> str:
        rows = [
            {"id": str(n), "input": f"{n}. Capital of France?", "target": "Paris"} for n in "12"
        ]
        capitals = {
            "name": "capitals",
            "dataset": {"type": "inline", "rows": rows},
            "graders": ["substring"],
        }
        text = yaml.safe_dump({"model": model, "evaluators": [capitals], **more})
        (tmp_path / "evals.yaml").write_text(text, encoding="utf-8")
        return "evals.yaml"

    return write

"""Runs of base models and checkpoints over HTTP, through the real SDK."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import PARIS


def test_base_model_is_run_under_its_name(server, write_config, command_line, smollm2_folder):
    config = write_config(
        {"backend": "tinker", "base_url": server.url, "base_model": str(smollm2_folder)}
    )
    printed = command_line("run", config, "--out", "out", "--json", with_backend=False)
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"]["capitals/score"] == 0.0
    model = json.loads(Path("out/run.json").read_text())["model"]
    assert model["backend"] == "tinker"
    assert model["base_model"] == str(smollm2_folder)
    assert model["checkpoint"] is None
    assert model["context_length"] == 2048


def test_checkpoint_is_run_by_its_path(server, write_config, command_line, smollm2_folder):
    config = write_config(
        {"backend": "tinker", "base_url": server.url, "model_path": PARIS.format(2)}
    )
    printed = command_line("run", config, "--out", "out", "--json", with_backend=False)
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"]["capitals/score"] == 1.0
    model = json.loads(Path("out/run.json").read_text())["model"]
    assert model["checkpoint"] == PARIS.format(2)
    assert model["base_model"] == str(smollm2_folder)
    assert "/asample" in server.asked

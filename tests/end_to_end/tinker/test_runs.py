"""Runs of base models and checkpoints over HTTP, through the real SDK."""

from __future__ import annotations

import json
from pathlib import Path

from fake_server import KEY, STEP


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
        {"backend": "tinker", "base_url": server.url, "model_path": STEP.format(2)}
    )
    printed = command_line("run", config, "--out", "out", "--json", with_backend=False)
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"]["capitals/score"] == 1.0
    model = json.loads(Path("out/run.json").read_text())["model"]
    assert model["checkpoint"] == STEP.format(2)
    assert model["base_model"] == str(smollm2_folder)
    assert "/asample" in server.asked


def test_checkpoint_brings_its_renderer(server, write_config, command_line):
    server.metadata["run-1:train:0"] = {"renderer_name": "role_colon"}
    config = write_config(
        {"backend": "tinker", "base_url": server.url, "model_path": STEP.format(2)}
    )
    command_line("run", config, "--out", "out", with_backend=False)
    record = json.loads(Path("out/run.json").read_text())
    assert record["model"]["renderer_name"] == "role_colon"
    assert record["renderers"]["capitals"].startswith("role_colon:")


def test_command_line_replaces_model_and_renderer(server, write_config, command_line, monkeypatch):
    monkeypatch.setenv("TINKER_BASE_URL", server.url)
    server.metadata["run-1:train:0"] = {"renderer_name": "role_colon"}
    config = write_config({"backend": "local"})
    printed = command_line(
        *("run", config, "--out", "out", "--model-path", STEP.format(2)),
        *("--renderer", "chat_template"),
        with_backend=False,
    )
    assert printed.code == 0, printed.err
    record = json.loads(Path("out/run.json").read_text())
    assert record["model"]["checkpoint"] == STEP.format(2)
    assert record["renderers"]["capitals"].startswith("chat_template:")


def test_public_checkpoint_of_another_account(server, write_config, command_line, smollm2_folder):
    public = "tinker://run-9/sampler_weights/final"
    server.public[public] = str(smollm2_folder)
    server.answers[public] = server.answers[STEP.format(2)]
    config = write_config({"backend": "tinker", "base_url": server.url, "model_path": public})
    printed = command_line("run", config, "--out", "out", "--json", with_backend=False)
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"]["capitals/score"] == 1.0


def test_path_as_some_servers_return_it(server, write_config, command_line):
    short = "tinker://run-1:train:0/step-10"
    config = write_config({"backend": "tinker", "base_url": server.url, "model_path": short})
    command_line("run", config, "--out", "out", with_backend=False)
    model = json.loads(Path("out/run.json").read_text())["model"]
    assert model["checkpoint"] == STEP.format(10)


def test_no_secret_is_stored(server, write_config, command_line):
    address = server.url.replace("http://", "http://me:pass-word-7@") + "?token=query-8"
    config = write_config({"backend": "tinker", "base_url": address, "model_path": STEP.format(2)})
    printed = command_line("run", config, "--out", "out", with_backend=False)
    texts = [path.read_text() for path in Path("out").iterdir()] + [printed.out, printed.err]
    assert server.url.removeprefix("http://") in texts[0] + "".join(texts)
    for secret in (KEY, "pass-word-7", "query-8"):
        assert not [text for text in texts if secret in text]


def test_request_that_hangs_fails_and_ends(server, write_config, command_line):
    server.hanging = {"/retrieve_future"}
    config = write_config(
        {"backend": "tinker", "base_url": server.url, "model_path": STEP.format(2)},
        request_timeout=1,
    )
    printed = command_line("run", config, "--out", "out", "--json", with_backend=False)
    assert printed.code == 1
    samples = [json.loads(line) for line in Path("out/samples.jsonl").read_text().splitlines()]
    assert [sample["status"] for sample in samples] == ["failed", "failed"]
    assert all("no answer within 1 s" in sample["error"] for sample in samples)
    assert "capitals/score" not in json.loads(printed.out)["metrics"]

"""What can be wrong before anything is sampled: one line with what to do, within 30 seconds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from fake_server import KEY, STEP

import proctor.sampling.tinker.service


def check(command_line, server, config, *words, arguments=()):
    """Runs a config that can't be; returns the one line that says why."""
    printed = command_line("run", config, "--out", "out", *arguments, with_backend=False)
    assert printed.code == 2, printed
    lines = printed.err.strip().splitlines()
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0], lines[0]
    assert "; " in lines[0], lines[0]
    assert KEY not in lines[0]
    if server is not None:
        assert "/asample" not in server.asked
    return lines[0]


@pytest.fixture
def config_of(server, write_config):
    return lambda **options: write_config(
        {"backend": "tinker", "base_url": server.url, **(options or {"model_path": STEP.format(2)})}
    )


@pytest.fixture
def impatient(monkeypatch):
    """Deadlines of a second, so that what hangs does not hold the suite up."""
    monkeypatch.setattr(proctor.sampling.tinker.service, "STEP_SECONDS", 1.0)
    monkeypatch.setattr(proctor.sampling.tinker.service, "CLOSE_SECONDS", 0.2)


@pytest.mark.parametrize("value", [None, ""])
def test_no_key(server, config_of, command_line, monkeypatch, value):
    monkeypatch.delenv("TINKER_API_KEY")
    if value is not None:
        monkeypatch.setenv("TINKER_API_KEY", value)
    check(command_line, server, config_of(), "no key", "set TINKER_API_KEY")
    assert server.asked == []


def test_wrong_key(server, config_of, command_line, monkeypatch):
    monkeypatch.setenv("TINKER_API_KEY", "tml-wrong-key-0002")
    line = check(command_line, server, config_of(), "refused the key (401)", "TINKER_API_KEY")
    assert "tml-wrong-key-0002" not in line


def test_key_that_is_none(server, config_of, command_line, monkeypatch):
    monkeypatch.setenv("TINKER_API_KEY", "sk-of-another-service")
    line = check(command_line, server, config_of(), "tml-", "check TINKER_API_KEY")
    assert "sk-of-another-service" not in line


def test_key_that_a_server_repeats(server, config_of, command_line):
    server.failing = {"/create_session": 422}
    check(command_line, server, config_of(), "refused (TINKER_API_KEY)")


def test_account_without_billing(server, config_of, command_line, impatient):
    server.failing = {"/get_server_capabilities": 402}
    check(command_line, server, config_of(), "no answer within 1 s", "billing")


def test_deleted_checkpoint(server, config_of, command_line):
    config = config_of(model_path=STEP.format(7))
    check(command_line, server, config, f"no checkpoint {STEP.format(7)}", "step-10", "deleted")


def test_checkpoint_of_no_run(server, config_of, command_line):
    config = config_of(model_path="tinker://gone/sampler_weights/final")
    check(command_line, server, config, "no checkpoint tinker://gone/sampler_weights/final")


def test_base_model_contradicts_the_checkpoint(server, config_of, command_line, smollm2_folder):
    config = config_of(model_path=STEP.format(2), base_model="Qwen/Qwen3-8B")
    words = (f"of '{smollm2_folder}', not of 'Qwen/Qwen3-8B'", f"base_model: {smollm2_folder}")
    check(command_line, server, config, *words)


def test_base_model_that_agrees_is_taken(server, config_of, command_line, smollm2_folder):
    config = config_of(model_path=STEP.format(2), base_model=str(smollm2_folder))
    assert command_line("run", config, "--out", "out", with_backend=False).code == 0


def test_base_model_that_is_not_served(server, config_of, command_line, smollm2_folder):
    config = config_of(base_model="Qwen/Qwen3-8B")
    words = ("no model 'Qwen/Qwen3-8B'", f"it has: {smollm2_folder}")
    check(command_line, server, config, *words)


@pytest.mark.parametrize(
    "path",
    [
        "run/sampler_weights/x",
        "http://run/sampler_weights/x",
        "tinker://run",
        "tinker://run/sampler_weights",
        "tinker://run/external_weights/x",
        "tinker://run/sampler_weights/x/y",
        "tinker://run//x",
        "tinker://run/sampler_weights/a b",
    ],
)
def test_malformed_path(server, config_of, command_line, path):
    for value in (path, [STEP.format(2), path]):
        check(
            *(command_line, server, config_of(model_path=value)),
            *("is no checkpoint's path", "tinker://RUN/sampler_weights/NAME"),
        )
    assert server.asked == []


def test_training_run_without_sampler_checkpoints(server, config_of, command_line, smollm2_folder):
    server.runs["run-2"] = (str(smollm2_folder), ["weights/final"])
    config = config_of(training_run="run-2")
    check(command_line, server, config, "'run-2' has no sampler checkpoint", "save_weights_for_")


def test_training_run_that_is_none(server, config_of, command_line):
    check(command_line, server, config_of(training_run="run-3"), "no training run 'run-3'")
    check(command_line, server, config_of(training_run="a/b"), "'a/b' is no training run's id")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model_path": STEP.format(2), "training_run": "r"}, ["model_path", "training_run"]),
        ({"model_path": STEP.format(2), "every_nth": 2}, ["every_nth", "training_run"]),
        ({"model_path": []}, ["model_path", "empty"]),
        ({"base_model": None}, ["base_model, model_path or training_run"]),
        ({"model_path": STEP.format(2), "base_url": "localhost:8000"}, ["base_url", "https://"]),
    ],
)
def test_options_that_contradict(server, config_of, command_line, options, words):
    check(command_line, server, config_of(**options), *words)
    assert server.asked == []


def test_arguments_that_contradict(server, config_of, command_line):
    both = ("--model-path", STEP.format(2), "--training-run", "r")
    check(command_line, server, config_of(), "exclude each other", arguments=both)


@pytest.mark.parametrize(
    "where", ["/client/config", "/get_server_capabilities", "/checkpoints", "_session", "/healthz"]
)
def test_step_that_hangs(server, config_of, command_line, impatient, where):
    server.hanging = {where}
    begun = time.monotonic()
    check(command_line, server, config_of(), "no answer within 1 s", "base_url")
    assert time.monotonic() - begun < 30


def test_overload_is_said(server, config_of, command_line, impatient):
    server.failing = {"/training_runs/run-1:train:0": 503}
    words = "no answer within 1 s when asked for the training run"
    check(command_line, server, config_of(), words)


def test_server_that_hangs_holds_up_no_other(
    server, config_of, command_line, monkeypatch, impatient
):
    server.hanging = {"/client/config"}
    check(command_line, server, config_of(), "no answer within 1 s")
    server.hanging = set()
    monkeypatch.setattr(proctor.sampling.tinker.service, "STEP_SECONDS", 10.0)
    assert command_line("run", config_of(), "--out", "other", with_backend=False).code == 0


@pytest.fixture
def silent_port():
    """A port that takes connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    held = []
    threading.Thread(
        target=lambda: [held.append(listener.accept()) for _ in range(9)], daemon=True
    ).start()
    return listener.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "words"), [("closed", "can't be reached"), ("silent", "no answer within 10 s")]
)
def test_process_ends_within_half_a_minute(
    key, write_config, command_line, silent_port, tmp_path, kind, words
):
    """A whole process with the deadlines as they are, threads of the SDK included."""
    if kind == "closed":
        with socket.create_server(("127.0.0.1", 0)) as unused:
            silent_port = unused.getsockname()[1]
    address = f"http://me:pass-word-7@127.0.0.1:{silent_port}"
    config = write_config(
        {"backend": "tinker", "base_url": address, "model_path": [STEP.format(2), STEP.format(9)]}
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "proctor", "run", config, "--out", "out"],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert f"127.0.0.1:{silent_port}" in done.stderr
    assert "pass-word-7" not in done.stderr
    assert done.stdout == ""

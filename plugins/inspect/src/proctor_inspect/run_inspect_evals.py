"""Inspect tasks against a checkpoint, with the arguments of tinker-cookbook's command.

``python -m proctor_inspect.run_inspect_evals model_path=tinker://... tasks=inspect_evals/ifeval
renderer_name=...`` is ``proctor run --task ...`` in other words: it makes a config of them, and
prints the scores and keeps the samples as that does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from proctor import ConfigError, console, python_file_in

DEFAULTS: Mapping[str, Any] = {
    "backend": "tinker",
    "model_path": None,
    "model_name": None,
    "base_url": None,
    "tasks": None,
    "renderer_name": None,
    "seed": None,
    "temperature": 1.0,
    "max_tokens": 1000,
    "top_p": 1.0,
    "top_k": -1,
    "limit": None,
    "epochs": None,
    "max_connections": 512,
    "log_dir": None,
}
"""The arguments, with tinker-cookbook's names and values where it has them."""

USAGE = f"""\
usage: python -m proctor_inspect.run_inspect_evals tasks=A,B [model_path=...] [NAME=VALUE ...]

  model_path     the checkpoint: tinker://...
  model_name     the base model; with a checkpoint, it must be the checkpoint's own
  tasks          Inspect tasks, separated by commas
  renderer_name  without it, the checkpoint's, else the one of the model's family

all arguments: {", ".join(DEFAULTS)}
example: python -m proctor_inspect.run_inspect_evals renderer_name=qwen3 \\
           model_path=tinker://RUN/sampler_weights/final tasks=inspect_evals/mmlu_0_shot
"""


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The arguments by name, the defaults among them.

    Raises:
        ConfigError: One is unknown, has no value or the wrong kind of value, or none names a task.
    """
    given = dict(DEFAULTS)
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals:
            raise ConfigError(f"{argument!r} is no NAME=VALUE", fix="--help shows the arguments")
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            raise ConfigError(f"unknown argument {name!r}", fix=f"the arguments are {known}")
        given[name] = text if name in _TEXTS else _number(name, text)
    if not given["tasks"]:
        raise ConfigError("no tasks are named", fix="add tasks=inspect_evals/ifeval")
    return given


def _number(name: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{name} is a number, not {text!r}") from None


_TEXTS = {"backend", "model_path", "model_name", "base_url", "tasks", "renderer_name", "log_dir"}


def config_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The config that the arguments stand for."""
    model = {"backend": given["backend"]}
    names = {"model_path": "model_path", "model_name": "base_model", "base_url": "base_url"}
    if given["backend"] != "tinker":
        names = {"model_path": "model", "base_url": "base_url"}
    model |= {key: given[name] for name, key in names.items() if given[name] is not None}
    tasks = [python_file_in(Path.cwd(), task) for task in given["tasks"].split(",")]
    evaluator = {"type": "inspect", "name": "inspect", "tasks": tasks}
    evaluator |= {key: given[key] for key in ("limit", "epochs") if given[key] is not None}
    sampling = {key: given[key] for key in ("max_tokens", "temperature", "top_p", "top_k")}
    config: dict[str, Any] = {
        "model": model,
        "sampling": sampling,
        "evaluators": [evaluator],
        "concurrency": given["max_connections"],
    }
    if given["renderer_name"] is not None:
        config["renderer"] = given["renderer_name"]
    if given["seed"] is not None:
        config["seed"] = given["seed"]
    return config


def main(arguments: Sequence[str]) -> None:
    """Runs the tasks and exits as ``proctor run`` does."""
    if not arguments or {"-h", "--help"} & set(arguments):
        click.echo(USAGE, nl=False)
        return
    try:
        given = parse(arguments)
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    config = config_of(given)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "inspect.yaml"
        file.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        out = ["--out", given["log_dir"]] if given["log_dir"] else []
        console(["run", str(file), *out])


if __name__ == "__main__":
    main(sys.argv[1:])

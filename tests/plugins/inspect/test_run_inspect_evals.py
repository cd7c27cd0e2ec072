"""The documented command: its arguments, and the config that they stand for."""

from __future__ import annotations

import pytest

from proctor import ConfigError
from proctor_inspect.run_inspect_evals import config_of, main, parse


def test_the_documented_arguments_are_a_config():
    given = parse(
        [
            "model_path=tinker://RUN/sampler_weights/final",
            "model_name=Qwen/Qwen3-8B",
            "tasks=inspect_evals/ifeval,inspect_evals/mmlu_0_shot",
            "renderer_name=qwen3",
            "limit=5",
            "seed=3",
        ]
    )
    config = config_of(given)
    assert config["model"] == {
        "backend": "tinker",
        "model_path": "tinker://RUN/sampler_weights/final",
        "base_model": "Qwen/Qwen3-8B",
    }
    assert config["renderer"] == "qwen3"
    assert config["seed"] == 3
    [evaluator] = config["evaluators"]
    assert evaluator["tasks"] == ["inspect_evals/ifeval", "inspect_evals/mmlu_0_shot"]
    assert evaluator["limit"] == 5
    # tinker-cookbook's own values where nothing is said
    assert config["sampling"]["temperature"] == 1.0
    assert config["sampling"]["max_tokens"] == 1000


def test_without_a_renderer_the_model_decides():
    assert "renderer" not in config_of(parse(["tasks=a", "model_name=m"]))


def test_a_tasks_file_is_that_of_the_folder_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [evaluator] = config_of(parse(["tasks=./my.py@qa,inspect_evals/ifeval"]))["evaluators"]
    assert evaluator["tasks"] == [f"{tmp_path / 'my.py'}@qa", "inspect_evals/ifeval"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "no tasks are named"),
        (["tasks=a", "model_pth=b"], "unknown argument 'model_pth'"),
        (["tasks"], "'tasks' is no NAME=VALUE"),
        (["tasks=a", "limit=ten"], "limit is a number, not 'ten'"),
    ],
)
def test_a_mistake_is_one_line(arguments, complaint, capsys):
    with pytest.raises(ConfigError, match=complaint):
        parse(arguments)
    if arguments:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        printed = capsys.readouterr().err
        assert complaint in printed
        assert printed.count("\n") == 1


def test_help_shows_the_arguments(capsys):
    main(["--help"])
    shown = capsys.readouterr().out
    assert "model_path" in shown
    assert "example: python -m proctor_inspect.run_inspect_evals" in shown

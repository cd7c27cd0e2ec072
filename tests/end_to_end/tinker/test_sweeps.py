"""Sweeps: the same evaluators on several checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_server import STEP

from proctor.configs import yaml_file
from proctor.sampling.tinker.paths import folder_names

RUN = "run-1:train:0"


def scores(printed):
    checkpoints = json.loads(printed.out)["checkpoints"]
    return [(c["name"], c["metrics"].get("capitals/score")) for c in checkpoints]


def test_list_in_a_config_keeps_its_order(server, write_config, command_line):
    paths = [STEP.format(10), STEP.format(9)]
    config = write_config({"backend": "tinker", "base_url": server.url, "model_path": paths})
    printed = command_line("run", config, "--out", "out", "--json", with_backend=False)
    assert printed.code == 0, printed.err
    assert scores(printed) == [("step-10", 1.0), ("step-9", 0.0)]
    for name, path in zip(("step-10", "step-9"), paths, strict=True):
        run = json.loads((Path("out") / name / "run.json").read_text())
        assert run["model"]["checkpoint"] == path
        assert run["status"] == "complete"
        assert len((Path("out") / name / "samples.jsonl").read_text().splitlines()) == 2
    written = json.loads(Path("out/sweep.json").read_text())
    assert written["checkpoints"] == json.loads(printed.out)["checkpoints"]


def test_training_run_is_all_its_sampler_checkpoints_the_oldest_first(
    server, write_config, command_line
):
    config = write_config({"backend": "tinker", "base_url": server.url, "base_model": "other"})
    text = Path(config).read_text().replace("  base_model: other\n", "  model_path: tinker://a/b\n")
    Path(config).write_text(text)
    printed = command_line(
        "run", config, "--training-run", RUN, "--out", "out", "--json", with_backend=False
    )
    assert printed.code == 0, printed.err
    assert scores(printed) == [("step-2", 1.0), ("step-9", 0.0), ("step-10", 1.0)]


def test_every_nth_counts_back_from_the_last(server, write_config, command_line):
    config = write_config({"backend": "tinker", "base_url": server.url, "training_run": RUN})
    printed = command_line(
        "run", config, "--every-nth", "2", "--out", "out", "--json", with_backend=False
    )
    assert printed.code == 0, printed.err
    assert scores(printed) == [("step-2", 1.0), ("step-10", 1.0)]


def test_failing_checkpoint_loses_no_other(server, write_config, command_line):
    config = write_config({"backend": "tinker", "base_url": server.url, "base_model": "other"})
    Path(config).write_text(Path(config).read_text().replace("  base_model: other\n", ""))
    gone = STEP.format(7)
    arguments = [x for p in (gone, STEP.format(2)) for x in ("--model-path", p)]
    printed = command_line("run", config, *arguments, "--out", "out", with_backend=False)
    assert printed.code == 1
    assert "step-7: failed: model_path:" in printed.out
    assert f"has no checkpoint {gone}" in printed.out
    rows = [line for line in printed.out.splitlines() if "step-" in line and "failed:" not in line]
    assert ["step-7" in rows[0], "failed" in rows[0]] == [True, True]
    assert "step-2" in rows[1]
    assert "1.000 [" in rows[1]
    assert "capitals/substring" in printed.out
    entries = json.loads(Path("out/sweep.json").read_text())["checkpoints"]
    assert [entry["status"] for entry in entries] == ["failed", "complete"]


def test_table_shows_trouble_beside_the_score(server, write_config, command_line):
    server.hanging = {"/retrieve_future"}
    config = write_config(
        {"backend": "tinker", "base_url": server.url, "model_path": [STEP.format(2)]},
        request_timeout=1,
    )
    printed = command_line("run", config, "--out", "out", with_backend=False)
    assert printed.code == 1
    assert "no score" in printed.out
    assert "failed 2" in printed.out


def test_folder_that_holds_a_run_is_left_alone(server, write_config, command_line):
    config = write_config(
        {"backend": "tinker", "base_url": server.url, "model_path": [STEP.format(2)]}
    )
    Path("out/step-2").mkdir(parents=True)
    Path("out/step-2/run.json").write_text("{}")
    printed = command_line("run", config, "--out", "out", with_backend=False)
    assert printed.code == 2
    assert "out/step-2 holds a run already" in printed.err
    assert "/asample" not in server.asked


def test_mistake_of_the_config_is_said_once(server, write_config, command_line):
    config = write_config(
        {
            "backend": "tinker",
            "base_url": server.url,
            "model_path": [STEP.format(2), STEP.format(9)],
        }
    )
    Path(config).write_text(Path(config).read_text().replace("'1'", "'2'"))
    printed = command_line("run", config, "--out", "out", with_backend=False)
    assert printed.code == 2
    assert printed.err.count("error:") == 1
    assert "/asample" not in server.asked


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["tinker://a/weights/x", "tinker://a/weights/y"], ["x", "y"]),
        (["tinker://a/weights/x", "tinker://b/weights/x"], ["a-weights-x", "b-weights-x"]),
        (
            ["tinker://a:1/weights/x", "tinker://a_1/weights/x"],
            ["a_1-weights-x", "a_1-weights-x-2"],
        ),
        (["tinker://a/weights/.."], ["_"]),
    ],
)
def test_folders_are_apart_and_inside(paths, names):
    assert folder_names(paths) == names


def test_a_config_is_parsed_once_whatever_is_run_of_it(
    server, write_config, command_line, monkeypatch
):
    """Each checkpoint is evaluated by what the file held when the sweep began."""
    parsed = []

    class Counted(yaml_file._Loader):
        def __init__(self, stream):
            parsed.append(stream)
            super().__init__(stream)

    monkeypatch.setattr(yaml_file, "_Loader", Counted)
    config = write_config({"backend": "tinker", "base_url": server.url})
    printed = command_line(
        "run", config, "--training-run", RUN, "--out", "out", "--json", with_backend=False
    )
    assert len(scores(printed)) == 3, printed.err
    assert parsed == [Path(config).read_text()]

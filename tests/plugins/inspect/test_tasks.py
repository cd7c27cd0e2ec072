"""Tasks found by name, and those that can't run here: one line before anything is sampled."""

from __future__ import annotations

import importlib.metadata
import stat

import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import match

from proctor import (
    ConfigError,
    Dataset,
    DatasetError,
    Example,
    ProctorError,
    UnknownComponentError,
    select,
)
from proctor_inspect import tasks

MY_TASKS = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes

@task
def capitals(n: int = 2):
    rows = [Sample("Capital of France?", target="Paris"), Sample("Of Italy?", target="Rome")]
    return Task(dataset=rows[:n], scorer=includes())

@task
def colours():
    return Task(dataset=[Sample("Colour of grass?", target="green")], scorer=includes())
"""


@pytest.fixture
def my_tasks(tmp_path):
    file = tmp_path / "my_tasks.py"
    file.write_text(MY_TASKS)
    return str(file)


class Listed(Dataset):
    """Rows that are there already."""

    rows: list[Example]

    def examples(self):
        return iter(self.rows)


def refused(spec, kind=ProctorError, **task_args):
    with pytest.raises(kind) as error:
        tasks.load([spec], task_args)
    line = str(error.value)
    assert "\n" not in line
    return line


def test_a_file_gives_all_its_tasks_or_the_named_one(my_tasks):
    assert [t.label for t in tasks.load([my_tasks], {})] == ["capitals", "colours"]
    assert [t.label for t in tasks.load([f"{my_tasks}@colours"], {})] == ["colours"]
    (task,) = tasks.load([f"{my_tasks}@capitals"], {"n": 1})
    assert len(task.examples()) == 1


def test_rows_without_an_id_get_inspects_own(my_tasks):
    (task,) = tasks.load([f"{my_tasks}@capitals"], {})
    assert [example.id for example in task.examples()] == ["1", "2"]


def test_an_id_that_stands_twice_is_said():
    rows = [Sample("a", id="x", target="1"), Sample("b", id="x", target="2")]
    (task,) = tasks.load([Task(dataset=MemoryDataset(rows), scorer=match(), name="twice")], {})
    with pytest.raises(DatasetError, match="the id 'x' twice"):
        task.examples()


@pytest.mark.parametrize("option", [None, "subject"])
def test_strata_are_the_values_of_the_field_that_is_named(option):
    """A few rows of a small subject are drawn as often as those of a large one."""
    field = option or "stratum"
    subjects = ["history"] * 60 + [f"small {n}" for n in range(40)]
    rows = [
        Sample(f"?{n}", target="x", id=n, metadata={field: subject, "level": 1})
        for n, subject in enumerate(subjects)
    ]
    task = tasks.LoadedTask("t", "t", Task(dataset=MemoryDataset(rows), scorer=match()))
    drawn = [
        example.metadata["stratum"].startswith("small")
        for seed in range(40)
        for _, example in select(Listed(rows=task.examples(option)), (), limit=30, seed=seed).rows()
    ]
    assert sum(drawn) / len(drawn) == pytest.approx(0.4, abs=0.06)


def test_a_field_that_no_sample_has_is_refused_with_those_there_are():
    rows = [Sample("?", target="x", id=1, metadata={"subject": "a", "level": 1})]
    task = tasks.LoadedTask("t", "t", Task(dataset=MemoryDataset(rows), scorer=match()))
    with pytest.raises(
        DatasetError, match=r"no sample has the metadata 'sbject'; .*level, subject"
    ):
        task.examples("sbject")


def test_an_unknown_task_lists_near_names():
    line = refused("inspect_evals/mmlu_0shot", UnknownComponentError)
    assert "did you mean 'inspect_evals/mmlu_0_shot'" in line
    assert "'inspect_evals/mmlu_0_shot'" in refused("mmlu_0_shot", UnknownComponentError)


def test_an_unknown_package_is_named_to_install():
    line = refused("my_evals/capitals", UnknownComponentError)
    assert "pip install my_evals" in line


def test_a_missing_file_and_a_missing_task_of_a_file_are_told_apart(my_tasks, tmp_path):
    assert "no file" in refused(str(tmp_path / "nothing.py@capitals"), UnknownComponentError)
    assert "nothing" in refused(f"{my_tasks}@nothing", UnknownComponentError)
    empty = tmp_path / "empty.py"
    empty.write_text("x = 1\n")
    assert "has no task" in refused(str(empty), UnknownComponentError)


def test_ifeval_names_the_package_that_it_needs():
    """It is not on PyPI, so that no environment here has it."""
    assert "instruction_following_eval" in refused("inspect_evals/ifeval", ConfigError)


def test_a_dataset_that_cant_be_downloaded_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    line = refused("inspect_evals/pubmedqa", DatasetError)
    assert "can't be downloaded" in line
    assert "PubMedQA" in line


def test_a_wrong_argument_is_said(my_tasks):
    assert "task_args" in refused(f"{my_tasks}@colours", ConfigError, shade="dark")


def test_a_file_with_a_mistake_is_said(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("from inspect_ai import task\nimport nothing_like_it\n@task\ndef a(): ...\n")
    assert "pip install nothing_like_it" in refused(f"{file}@a", ConfigError)


def test_a_task_without_a_scorer_or_rows_is_refused():
    rows = [Sample("a", target="b")]
    assert "no scorer" in refused(Task(dataset=rows, name="unscored"), ConfigError)


def test_two_tasks_of_one_name_would_overwrite_each_other(my_tasks, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(MY_TASKS)
    with pytest.raises(ConfigError, match="two tasks are called 'capitals'"):
        tasks.load([f"{my_tasks}@capitals", f"{other}@capitals"], {})


@pytest.mark.parametrize(
    ("program", "complaint"),
    [(None, "there is no docker here"), ("exit 1", "docker info fails")],
)
def test_a_sandbox_that_is_not_there_is_said(monkeypatch, tmp_path, program, complaint):
    """Also where the client is installed and no engine runs."""
    if program:
        docker = tmp_path / "docker"
        docker.write_text(f"#!/bin/sh\n{program}\n")
        docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = [Sample("a", target="b")]
    task = Task(dataset=rows, scorer=match(), sandbox="docker", name="boxed")
    line = refused(task, ConfigError)
    assert complaint in line
    assert "leave the task out" in line


def test_a_sandbox_that_is_there_is_accepted(monkeypatch, tmp_path):
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 0\n")
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    task = Task(dataset=[Sample("a", target="b")], scorer=match(), sandbox="docker", name="boxed")
    assert [t.label for t in tasks.load([task], {})] == ["boxed"]


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0"])
def test_an_incompatible_inspect_is_one_line(version):
    with pytest.raises(ConfigError, match=f"inspect-ai {version} is not supported") as error:
        tasks.check_version(version)
    assert "pip install 'inspect-ai>=" in str(error.value)
    tasks.check_version("0.3.999")


def test_the_versions_are_those_that_the_distribution_requires():
    requires = importlib.metadata.requires("proctor-inspect")
    [line] = [line for line in requires if line.startswith("inspect-ai")]
    assert set(line.removeprefix("inspect-ai").split(",")) == {
        f">={tasks.TESTED[0]}",
        f"<{tasks.TESTED[1]}",
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"num_choices": 5}, "epochs: 5"),
        ({"effort": "low"}, "effort"),
        ({"verbosity": "low"}, "verbosity"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"internal_tools": True}, "internal_tools"),
        ({"logit_bias": {1: 2.0}}, "logit_bias"),
    ],
)
def test_what_a_sampling_client_cant_do_is_refused_before_anything_is_sampled(asked, said):
    task = Task(dataset=[Sample("a", target="b")], scorer=match(), config=GenerateConfig(**asked))
    assert said in refused(task, ConfigError)


def test_one_choice_is_what_there_is():
    config = GenerateConfig(num_choices=1, temperature=0.5, parallel_tool_calls=True)
    task = Task(dataset=[Sample("a", target="b")], scorer=match(), config=config)
    assert len(tasks.load([task], {})) == 1

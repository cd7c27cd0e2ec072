"""A plugin in one file, without packaging."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.components.build import build
from proctor.components.fingerprints import describe, fingerprint
from proctor.plugins.active import plugin_manager

EXAMPLE = Path(__file__).parents[3] / "examples" / "house_grader.py"

CONFIG = """\
model: {backend: fine_model}
evaluators:
  - {name: capitals, dataset: fine_rows, graders: [starts_with]}
min_coverage: 0.5
"""


@pytest.fixture
def folder(tmp_path: Path, fine_folder: Any) -> Path:
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "evals.yaml").write_text(CONFIG)
    (tmp_path / "named.yaml").write_text("plugins: [./house_grader.py]\n" + CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("--plugin", "./house_grader.py", "run", "evals.yaml"),
        ("--plugin=house_grader.py", "run", "evals.yaml"),
        ("run", "named.yaml"),
        ("--plugin", "./house_grader.py", "run", "named.yaml"),
    ],
)
def test_the_example_is_used_by_option_and_by_config(
    arguments: tuple[str, ...], folder: Path, command_line: Any
) -> None:
    printed = command_line(*arguments, "--json", "--out", "run", with_backend=False)
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"]["capitals/starts_with/score"] == 0.5
    record = json.loads((folder / "run" / "run.json").read_text())
    (grader,) = record["config"]["evaluators"][0]["options"]["graders"]
    assert grader["type"] == "house_grader.py/starts_with"
    assert grader["source"].startswith("sha256:")
    assert record["versions"]["house_grader.py"] == grader["source"]


def test_without_it_the_name_is_unknown(folder: Path, command_line: Any) -> None:
    printed = command_line("run", "evals.yaml", with_backend=False)
    assert printed.code == 2
    assert "unknown grader 'starts_with'" in printed.err


def test_a_config_finds_the_file_beside_itself(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (entry,) = proctor.load_config(folder / "named.yaml").evaluators
    assert entry.evaluator.grader_names() == ["starts_with"]


def test_a_changed_file_is_another_grader_by_its_fingerprint(
    folder: Path, fine_folder: Any
) -> None:
    def loaded() -> Any:
        manager = plugin_manager()
        manager.load_file(folder / "house_grader.py")
        return build("grader", "starts_with")

    first = loaded()
    fine_folder.add("import proctor\n@proctor.hookimpl\ndef proctor_run_started(run): ...\n")
    assert fingerprint(loaded()) == fingerprint(first)
    file = folder / "house_grader.py"
    file.write_text(file.read_text().replace(".startswith(", ".endswith("))
    fine_folder.add("import proctor\n@proctor.hookimpl\ndef proctor_run_finished(run): ...\n")
    second = loaded()
    assert fingerprint(second) != fingerprint(first)
    assert describe(second)["type"] == describe(first)["type"]
    example = proctor.Example("a", "?", "Paris")
    from proctor.testing import make_sample

    answer = make_sample(example, "It is Paris")
    assert (first.grade(example, answer), second.grade(example, answer)) == (False, True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("import absent_package", "the distribution that has the module 'absent_package'"),
        ("def f(:", "SyntaxError"),
        ("x = 1", "it has no hook; define proctor_register(registry)"),
        ("def proctor_register(registry): ...", "put @proctor.hookimpl on it"),
    ],
)
def test_a_file_that_was_asked_for_and_is_broken_ends_it(
    source: str, message: str, folder: Path, command_line: Any
) -> None:
    (folder / "house_grader.py").write_text(source)
    for arguments in (("--plugin", "house_grader.py", "list"), ("run", "named.yaml")):
        printed = command_line(*arguments, with_backend=False)
        assert printed.code == 2
        assert printed.err.count("\n") == 1
        assert message in printed.err
        assert "house_grader.py" in printed.err


def test_a_file_that_is_not_there(folder: Path, command_line: Any) -> None:
    printed = command_line("--plugin", "gone.py", "list", with_backend=False)
    assert printed.code == 2
    assert "gone.py" in printed.err


def test_two_files_of_one_name_are_told_apart_or_refused(folder: Path, fine_folder: Any) -> None:
    (folder / "other").mkdir()
    shutil.copy(EXAMPLE, folder / "other")
    manager = plugin_manager()
    manager.load_file(folder / "house_grader.py")
    manager.load_file(folder / "other" / ".." / "house_grader.py")
    with pytest.raises(proctor.PluginError, match="have one name; rename one of the files"):
        manager.load_file(folder / "other" / "house_grader.py")
    assert build("grader", "starts_with").ignore_case


def test_a_name_that_an_installed_plugin_has_is_a_conflict(folder: Path, fine_folder: Any) -> None:
    file = folder / "rival.py"
    file.write_text(EXAMPLE.read_text().replace('"starts_with"', '"fine"'))
    plugin_manager().load_file(file)
    with pytest.raises(proctor.UnknownComponentError, match=r"fine-evals/fine and rival\.py/fine"):
        build("grader", "fine")
    assert type(build("grader", "rival.py/fine")).__name__ == "StartsWith"
    statuses = {p.name: p.status for p in plugin_manager().plugins}
    assert (statuses["fine"], statuses["rival"]) == ("conflict", "conflict")

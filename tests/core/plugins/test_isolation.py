"""Plugins in every state at once: each is explained, and none touches another.

Elsewhere a missing import read as "unknown benchmark", one broken plugin hid all others, and of two
plugins with one name the last one won.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

import proctor
from proctor.components.build import build
from proctor.plugins.active import plugin_manager
from proctor.plugins.core_names import KINDS
from proctor.plugins.hook_arguments import ObservedRun

STATES = {
    "fine": "ok",
    "raising": "broken",
    "exiting": "broken",
    "lacking": "broken",
    "lazy": "ok",
    "left": "conflict",
    "right": "conflict",
    "misspelt": "broken",
    "unmarked": "broken",
    "mistaken": "broken",
    "newer": "broken",
    "empty": "broken",
}

RUN = """\
model: {backend: fine_model}
evaluators:
  - {name: capitals, dataset: fine_rows, graders: [fine]}
min_coverage: 0.5
"""


def test_everything_else_works(crowded_folder: Any, proctor_in: Any, tmp_path: Any) -> None:
    (tmp_path / "evals.yaml").write_text(RUN)
    ended = proctor_in(crowded_folder, "run", "evals.yaml", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.json()["metrics"]["capitals/fine/score"] == 0.5
    listed = proctor_in(crowded_folder, "list", "grader", "--json")
    assert listed.code == 0
    names = {row["name"] for row in listed.json()}
    assert {"fine", "lazy", "twin", "first", "second"} <= names
    assert not names & {"misspelt", "unmarked", "mistaken", "newer", "lacking"}


def test_each_plugin_has_its_state(crowd: Any) -> None:
    found = {plugin.name: plugin.status for plugin in plugin_manager().plugins}
    assert {name: found.get(name) for name in STATES} == STATES
    same = [p for p in plugin_manager().plugins if p.name == "same"]
    assert [(p.distribution, p.status) for p in same] == [
        ("first-evals", "conflict"),
        ("second-evals", "conflict"),
    ]


REMEDIES = {
    "raising": ("RuntimeError: boom", "mend or uninstall raising-evals"),
    "exiting": ("SystemExit", "mend or uninstall exiting-evals"),
    "lacking": ("No module named 'absent_package'", "pip install 'absent-package>=2'"),
    "lazy": (
        "No module named 'another_absent_package'",
        "has the module 'another_absent_package'",
    ),
    "left": ("grader 'twin' is also right-evals/twin", "write 'left-evals/twin'"),
    "right": ("grader 'twin' is also left-evals/twin", "write 'right-evals/twin'"),
    "misspelt": ("no hook is called 'proctor_registre'", "did you mean 'proctor_register'?"),
    "unmarked": ("'proctor_register' is not marked", "put @proctor.hookimpl on it"),
    "mistaken": ("'proctor_register' has no argument 'registrar'", "its arguments: registry"),
    "newer": ("needs proctor>=99", "pip install --upgrade 'proctor>=99'"),
    "empty": ("it has no hook", "proctor_register"),
}


def test_doctor_names_each_with_its_remedy(crowded_folder: Any, proctor_in: Any) -> None:
    ended = proctor_in(crowded_folder, "plugins", "doctor", "--json")
    assert ended.code == 1
    rows = ended.json()
    by_plugin: dict[str, list[Any]] = {}
    for row in rows:
        by_plugin.setdefault(row["plugin"], []).append(row)
    assert "fine" not in by_plugin
    for name, (problem, remedy) in REMEDIES.items():
        (row,) = by_plugin[name]
        assert problem in row["problem"], row
        assert remedy in row["remedy"], row
    assert {row["distribution"] for row in by_plugin["same"]} == {"first-evals", "second-evals"}
    for row in by_plugin["same"]:
        assert "the plugin name 'same' is also that of" in row["problem"]
        assert f"{row['distribution']}/same" in row["remedy"]


def test_doctor_says_the_same_to_people(crowded_folder: Any, proctor_in: Any) -> None:
    ended = proctor_in(crowded_folder, "plugins", "doctor")
    assert ended.code == 1
    for problem, remedy in REMEDIES.values():
        assert problem in ended.out
        assert remedy in ended.out


def test_list_shows_every_state(crowded_folder: Any, proctor_in: Any) -> None:
    ended = proctor_in(crowded_folder, "plugins", "--json")
    assert ended.code == 0
    rows = {row["name"]: row for row in ended.json()}
    assert {name: rows[name]["status"] for name in STATES} == STATES
    assert rows["fine"]["version"] == "1.0"
    assert {"kind": "grader", "name": "fine"} in rows["fine"]["registers"]
    assert rows["raising"]["registers"] == []
    table = proctor_in(crowded_folder, "plugins").out
    assert "RuntimeError: boom" in table


LINES = {
    "raising": (
        "unknown grader 'raising'; broken plugin raising-evals/raising: RuntimeError: boom; mend",
        "--no-plugin raising-evals\n",
    ),
    "something-else": ("raising-evals/raising: RuntimeError: boom; broken plugin", "doctor says"),
    "raising-evals/x": ("unknown grader", "broken plugin raising-evals/raising: RuntimeError"),
    "lacking-evals/x": ("No module named 'absent_package'", "pip install 'absent-package>=2'"),
    "lazy": (
        "grader 'lazy' can't be imported",
        "has the module 'another_absent_package'",
    ),
    "twin": ("grader 'twin' is ambiguous: left-evals/twin and right-evals/twin", "in full"),
    "misspelt-evals/misspelt": ("unknown grader", "did you mean 'proctor_register'?"),
    "unmarked-evals/unmarked": ("unknown grader", "put @proctor.hookimpl on it"),
    "newer-evals/newer": ("unknown grader 'newer-evals/newer'", "needs proctor>=99"),
    "frist": ("unknown grader 'frist'", "did you mean 'first'?"),
}


@pytest.mark.parametrize("name", LINES)
def test_using_a_name_gives_the_one_right_line(
    name: str, crowd: Any, command_line: Any, tmp_path: Any
) -> None:
    (tmp_path / "evals.yaml").write_text(RUN.replace("[fine]", json.dumps([name])))
    printed = command_line("run", "evals.yaml", with_backend=False)
    assert printed.code == 2, printed.err
    assert printed.err.startswith("error: evals.yaml:3: evaluators[0].graders[0]")
    assert printed.err.count("\n") == 1
    for part in LINES[name]:
        assert part in printed.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["left-evals/twin", "right-evals/twin", "first", "second"])
def test_names_of_plugins_in_conflict_work_in_full(name: str, crowd: Any) -> None:
    assert isinstance(build("grader", name), proctor.Grader)


def test_a_broken_plugin_of_one_name_is_not_hidden_by_near_names(crowd: Any) -> None:
    with pytest.raises(proctor.UnknownComponentError, match="broken plugin newer-evals/newer"):
        build("grader", "newer-evals/fine")


def test_no_plugin_named_in_an_error_twice(crowd: Any) -> None:
    with pytest.raises(proctor.UnknownComponentError) as caught:
        build("grader", "no-such-thing-at-all")
    line = str(caught.value)
    for name in ("raising", "lacking", "misspelt", "unmarked", "newer"):
        assert line.count(f"{name}-evals/{name}:") == 1


def test_a_plugin_that_raises_halfway_leaves_no_name_behind(plugin_folder: Any) -> None:
    plugin_folder.add(
        "import proctor\n@proctor.hookimpl\ndef proctor_register(registry):\n"
        "    registry.grader('half', 'a:B')\n    raise ValueError('halfway')\n"
    )
    manager = plugin_manager()
    assert "half" not in {r.name for r in manager.registry.of_kind("grader")}
    (plugin,) = [p for p in manager.plugins if p.distribution == "house-evals"]
    assert plugin.problems[0].what == "ValueError: halfway"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("registry.grader('a b', 'a:B')", "'a b' is no name for a grader"),
        ("registry.grader('a', 'no_class')", "write it as 'module:Class'"),
        ("registry.grader('a', proctor.Grader)", "imported only when used"),
        ("registry.grader('a', {'dataset': 'x'})", "grader 'a' is a mapping"),
        ("registry.grader('a', 'a:B'); registry.grader('a', 'a:C')", "registered twice"),
    ],
)
def test_a_wrong_registration_says_how_to_do_it(
    call: str, message: str, plugin_folder: Any
) -> None:
    plugin_folder.add(
        f"import proctor\n@proctor.hookimpl\ndef proctor_register(registry):\n    {call}\n"
    )
    (plugin,) = [p for p in plugin_manager().plugins if p.distribution == "house-evals"]
    assert plugin.status == "broken"
    assert message in str(plugin.problems[0])


def test_two_distributions_with_one_module(plugin_folder: Any, names_component: Any) -> None:
    plugin_folder.add(names_component("one"), name="one", distribution="one-evals")
    plugin_folder.add(names_component("two"), name="two", distribution="two-evals")
    info = plugin_folder.path / "two_evals-1.0.dist-info"
    (info / "entry_points.txt").write_text("[proctor]\ntwo = one_evals\n")
    problems = {p.name: p.problems for p in plugin_manager().plugins}
    assert problems["one"] == []
    assert problems["two"][0].what == "its module is that of one-evals/one"


def test_a_second_copy_of_a_distribution_is_not_loaded(
    plugin_folder: Any, names_component: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proctor.testing import PluginFolder

    PluginFolder(tmp_path).add(names_component("old"), version="0.9")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    plugin_folder.add(names_component("new"), version="1.1")
    (plugin,) = [p for p in plugin_manager().plugins if p.distribution == "house-evals"]
    assert (plugin.version, plugin.status) == ("1.1", "ok")


def test_blocked_plugins_are_not_imported(fine_folder: Any, proctor_in: Any) -> None:
    fine_folder.add("raise SystemExit('imported')\n", name="trap", distribution="trap-evals")
    for how in (["--no-plugin", "trap"], ["--no-plugin=trap-evals/trap"]):
        rows = proctor_in(fine_folder, *how, "plugins", "--json").json()
        states = {row["name"]: row["status"] for row in rows}
        assert (states["trap"], states["fine"]) == ("blocked", "ok")
    rows = proctor_in(fine_folder, "plugins", "--json", PROCTOR_PLUGINS="fine-evals").json()
    assert {row["name"] for row in rows if row["status"] == "ok"} == {"fine"}
    rows = proctor_in(fine_folder, "plugins", "--json", PROCTOR_PLUGINS="").json()
    assert {row["status"] for row in rows} == {"blocked"}


def test_a_name_of_a_plugin_that_was_left_out_says_so(
    fine_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCTOR_PLUGINS", "")
    for name in ("fine", "fine-evals/fine"):
        with pytest.raises(proctor.UnknownComponentError) as caught:
            build("grader", name)
        assert "fine-evals/fine" in str(caught.value)
        assert "left out" in str(caught.value)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_misspelt_plugin_to_leave_out_is_an_error(
    how: str, fine_folder: Any, proctor_in: Any
) -> None:
    if how == "option":
        ended = proctor_in(fine_folder, "--no-plugin", "fien", "list")
    else:
        ended = proctor_in(fine_folder, "list", PROCTOR_PLUGINS="fien")
    assert ended.code == 2
    assert "no plugin 'fien'; did you mean 'fine'?" in ended.err


def test_an_observer_that_raises_is_dropped_with_one_line(
    fine_folder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fine_folder.add(
        "import proctor\nseen = []\n"
        "@proctor.hookimpl\ndef proctor_sample_finished(record):\n"
        "    seen.append(record)\n    raise ValueError('no room')\n",
        name="watching",
        distribution="watching-evals",
    )
    fine_folder.add(
        "import proctor\nseen = []\n"
        "@proctor.hookimpl\ndef proctor_sample_finished(record):\n    seen.append(record)\n",
        name="other",
        distribution="other-evals",
    )
    manager, run = plugin_manager(), ObservedRun(None, {})
    with caplog.at_level(logging.WARNING, "proctor"):
        manager.sample_finished({"key": 1}, run)
        manager.sample_finished({"key": 2}, run)
    assert len(caplog.records) == 1
    assert "watching-evals/watching" in caplog.text
    assert len(sys.modules["watching_evals"].seen) == 1
    assert len(sys.modules["other_evals"].seen) == 2


def test_core_names_cannot_be_blocked_or_taken(
    fine_folder: Any, names_component: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine_folder.add(
        names_component("graded", "fine_parts:Rows", "evaluator"),
        name="greedy",
        distribution="greedy-evals",
    )
    config = proctor.load_config({"evaluators": [{"dataset": "fine_rows", "graders": ["fine"]}]})
    assert isinstance(config.evaluators[0].evaluator, proctor.GradedEvaluator)
    assert config.evaluators[0].name == "graded"
    assert set(KINDS) == {"evaluator", "grader", "dataset", "renderer", "backend", "command"}

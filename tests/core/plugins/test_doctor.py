"""``proctor plugins doctor``: what is slow, heavy or hidden."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.plugins.active import plugin_manager
from proctor.plugins.doctor import diagnose
from proctor.plugins.manager import PluginManager


def problems_of(*distributions: str) -> Any:
    """What is wrong with each of some plugins, where only those are there; or with the one."""
    found: dict[str, list[str]] = {distribution: [] for distribution in distributions}
    for finding in diagnose(PluginManager(only=distributions)):
        found[finding.plugin.distribution].append(finding.problem.what)
    return found if len(found) > 1 else found[distributions[0]]


def test_a_sound_plugin_has_no_problem_and_exit_0(fine_folder: Any, proctor_in: Any) -> None:
    ended = proctor_in(fine_folder, "plugins", "doctor", PROCTOR_PLUGINS="fine-evals")
    assert ended.code == 0, ended.out
    assert "1 plugin, no problem" in ended.out
    as_json = proctor_in(fine_folder, "plugins", "doctor", "--json", PROCTOR_PLUGINS="fine-evals")
    assert (as_json.code, as_json.json()) == (0, [])


def test_plugins_that_were_left_out_are_not_looked_at(fine_folder: Any, proctor_in: Any) -> None:
    fine_folder.add("raise ValueError('boom')", name="bad", distribution="bad-evals")
    ended = proctor_in(fine_folder, "plugins", "doctor", PROCTOR_PLUGINS="fine-evals")
    assert ended.code == 0
    assert "bad-evals/bad" in ended.out.splitlines()[-1]
    assert proctor_in(fine_folder, "plugins", "doctor", PROCTOR_PLUGINS="bad").code == 1


def test_every_plugin_that_pulls_a_heavy_package_is_named(
    fine_folder: Any, names_component: Any
) -> None:
    """The first one that imports it hides it from the second in one process."""
    for name in ("aaa", "bbb"):
        fine_folder.add(
            f"import jax\n{names_component(name)}",
            name=name,
            distribution=f"{name}-evals",
            modules={"jax.py": ""},
        )
    found = problems_of("fine-evals", "aaa-evals", "bbb-evals")
    assert found.pop("fine-evals") == []
    for problems in found.values():
        (problem,) = problems
        assert "its import pulls in jax" in problem


def test_a_component_that_pulls_a_heavy_package_is_named(
    fine_folder: Any, names_component: Any
) -> None:
    fine_folder.add(
        names_component("weighty", "weighty_parts:Weighty"),
        name="weighty",
        distribution="weighty-evals",
        modules={"jax.py": "", "weighty_parts.py": "import jax\nclass Weighty: pass\n"},
    )
    (problem,) = problems_of("weighty-evals")
    assert "importing weighty_parts pulls in jax" in problem


def test_slow_import_is_named_and_a_fast_one_is_not(fine_folder: Any, names_component: Any) -> None:
    fine_folder.add(
        f"import time\ntime.sleep(0.3)\n{names_component('slow')}",
        name="slow",
        distribution="slow-evals",
    )
    found = problems_of("slow-evals", "fine-evals")
    (problem,) = found["slow-evals"]
    milliseconds = int(problem.split(" takes ")[1].split()[0])
    assert 300 <= milliseconds < 5_000
    assert found["fine-evals"] == []


def test_slow_once_is_not_slow(fine_folder: Any, names_component: Any, tmp_path: Any) -> None:
    """A busy machine makes any import slow once: only what is slow again is named."""
    mark = tmp_path / "imported"
    fine_folder.add(
        f"import pathlib, time\nmark = pathlib.Path({str(mark)!r})\n"
        f"if not mark.exists():\n    mark.touch()\n    time.sleep(0.3)\n{names_component('once')}",
        name="once",
        distribution="once-evals",
    )
    manager = PluginManager(only=["once-evals"])
    (plugin,) = [p for p in manager.plugins if p.name == "once"]
    assert plugin.seconds > 0.3
    assert diagnose(manager) == []


def test_a_requirement_that_is_not_installed_is_named(
    fine_folder: Any, names_component: Any
) -> None:
    fine_folder.add(
        names_component("needy", "fine_parts:Fine"),
        name="needy",
        distribution="needy-evals",
        requires=["absent-package>=2", "pluggy", "other; extra == 'more'", "pytest>=9999"],
    )
    assert problems_of("needy-evals") == [
        "it needs absent-package>=2, which is not installed",
        "it needs pytest>=9999, which is not installed",
    ]


def test_one_missing_package_is_one_problem(fine_folder: Any, names_component: Any) -> None:
    fine_folder.add(
        names_component("lacking", "lacking_parts:Lacking"),
        name="lacking",
        distribution="lacking-evals",
        requires=["Absent-Package>=2"],
        modules={"lacking_parts.py": "import absent_package\n"},
    )
    (finding,) = diagnose(PluginManager(only=["lacking-evals"]))
    assert finding.problem.what.startswith("grader 'lacking' can't be imported")
    assert finding.problem.remedy == "install what it needs: pip install 'Absent-Package>=2'"


def test_a_component_that_is_not_there_is_not_a_missing_package(
    fine_folder: Any, names_component: Any
) -> None:
    for name, target in (("gone", "fine_parts:Gone"), ("lost", "fine_evals.lost:Lost")):
        fine_folder.add(names_component(name, target), name=name, distribution=f"{name}-evals")
    findings = diagnose(PluginManager(only=["gone", "lost"]))
    assert [finding.plugin.name for finding in findings] == ["gone", "lost"]
    for finding in findings:
        assert f"mend or uninstall {finding.plugin.distribution}" in finding.problem.remedy


def test_a_command_that_the_core_has_is_named(fine_folder: Any, names_component: Any) -> None:
    fine_folder.add(
        names_component("run", "fine_parts:Fine", "command"),
        name="rival",
        distribution="rival-evals",
    )
    (problem,) = problems_of("rival-evals")
    assert "command 'run' is the core's own" in problem


def test_a_command_of_two_plugins_is_an_error_that_names_both(
    fine_folder: Any, names_component: Any, proctor_in: Any
) -> None:
    for name in ("one", "two"):
        fine_folder.add(
            names_component("review", "fine_parts:Fine", "command"),
            name=name,
            distribution=f"{name}-evals",
        )
    ended = proctor_in(fine_folder, "review")
    assert ended.code == 2
    assert "ambiguous: one-evals/review and two-evals/review" in ended.err


def test_a_torn_distribution_hides_no_plugin(fine_folder: Any) -> None:
    info = fine_folder.path / "torn-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("")
    (info / "entry_points.txt").write_text("[proctor]\nno equals sign\n")
    assert "fine" in {plugin.name for plugin in plugin_manager().plugins}


@pytest.mark.parametrize("command", [["--help"], ["plugins"], ["list"]])
def test_components_are_imported_when_listed_only(
    command: list[str], fine_folder: Any, names_component: Any, proctor_in: Any
) -> None:
    """``--help`` pays for entry modules alone: what a component imports is paid when listed."""
    fine_folder.add(
        names_component("loud", "loud_parts:Loud"),
        name="loud",
        distribution="loud-evals",
        modules={"loud_parts.py": "print('component imported')\nclass Loud:\n    'Loud.'\n"},
    )
    ended = proctor_in(fine_folder, *command)
    assert ended.code == 0
    assert ("component imported" in ended.out) == (command == ["list"])

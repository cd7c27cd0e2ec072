"""What is declared as a dependency is what is imported, and it is pinned."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NOT_IMPORTED = {
    ("proctor", "jinja2"): "transformers renders chat templates with it",
    ("proctor-local", "accelerate"): "transformers loads GGUF files with it",
    ("proctor-local", "gguf"): "transformers loads GGUF files with it",
}
"""Dependencies that another package needs for what we use it for."""


def requirements_in(file: Path) -> list[str]:
    """The requirement lines of a file and of those that it includes with -r."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            lines += requirements_in(file.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def declared(distribution) -> dict[str, Requirement]:
    project = distribution.project["project"]
    lines = list(project.get("dependencies", []))
    for extra in project.get("optional-dependencies", {}).values():
        lines += extra
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def imported(modules) -> set[str]:
    """The distributions whose packages are imported anywhere in some modules."""
    owners = importlib.metadata.packages_distributions()
    packages = {found.package for module in modules for found in module.imports}
    packages -= {*sys.stdlib_module_names, "__future__"}
    return {canonicalize_name(owners.get(name, [name])[0]) for name in packages}


def test_every_import_is_declared_and_every_dependency_imported(distributions):
    for distribution in distributions:
        excused = {need for owner, need in NOT_IMPORTED if owner == distribution.name}
        used = imported(distribution.modules) - {distribution.name}
        assert used & excused == set(), "imported: no excuse needed"
        assert set(declared(distribution)) == used | excused, distribution.name


def test_isolated_tests_import_only_what_their_environment_has(root, core, distributions):
    everywhere = [Requirement(line) for line in requirements_in(root / "requirements/test.txt")]
    shared = {canonicalize_name(requirement.name) for requirement in everywhere}
    for distribution in distributions:
        group = distribution.project.get("dependency-groups", {}).get("test", [])
        there = shared | {canonicalize_name(Requirement(line).name) for line in group}
        there |= {*declared(core), "proctor", *declared(distribution), distribution.name}
        assert distribution.test_modules, distribution.tests
        installed = {canonicalize_name(d.name) for d in importlib.metadata.distributions()}
        # What is not installed even here is a module that a test writes for itself.
        used = imported(distribution.test_modules) & installed
        assert used - there == set(), distribution.name


def test_plugins_require_the_core_they_are_written_for(plugins):
    for plugin in plugins:
        assert set(str(declared(plugin)["proctor"].specifier).split(",")) == {">=0.1", "<0.2"}


@pytest.fixture(scope="module")
def pins(root) -> dict[str, str]:
    found = {}
    for line in requirements_in(root / "requirements" / "constraints.txt"):
        name, version = line.split("==")
        found[canonicalize_name(name)] = version
    return found


@pytest.fixture(scope="module")
def direct(root, distributions) -> list[Requirement]:
    """Every requirement that this checkout states itself."""
    lines: list[str] = []
    for distribution in distributions:
        project = distribution.project
        lines += [str(requirement) for requirement in declared(distribution).values()]
        lines += project["build-system"]["requires"]
        for group in project.get("dependency-groups", {}).values():
            lines += group
    for file in (root / "requirements").glob("*.txt"):
        if file.name not in ("constraints.txt", "service.txt", "peers.txt"):
            lines += [line for line in requirements_in(file) if not line.startswith("-")]
    ours = {distribution.name for distribution in distributions}
    return [r for r in map(Requirement, lines) if canonicalize_name(r.name) not in ours]


def test_every_direct_dependency_is_pinned_within_its_range(pins, direct):
    assert {canonicalize_name(requirement.name) for requirement in direct} == set(pins)
    for requirement in direct:
        version = pins[canonicalize_name(requirement.name)]
        assert re.fullmatch(r"[0-9.]+", version)
        assert requirement.specifier.contains(version), requirement


def test_development_installs_every_distribution(root, distributions):
    editable = {
        line.removeprefix("-e ")
        for line in requirements_in(root / "requirements" / "dev.txt")
        if line.startswith("-e ")
    }
    assert editable == {d.folder.relative_to(root).as_posix() for d in distributions}


def test_distributions_agree_on_version_and_python(distributions):
    facts = {
        (d.project["project"]["version"], d.project["project"]["requires-python"])
        for d in distributions
    }
    assert facts == {(importlib.metadata.version("proctor"), ">=3.11")}


@pytest.mark.parametrize(
    ("suite", "there"),
    [("service", {"skyrl", "jax", "torch", "uv"}), ("peers", {"lm_eval", "torch", "transformers"})],
)
def test_an_environment_beside_a_suite_is_pinned_whole(suite, there, root):
    lines = requirements_in(root / "requirements" / f"{suite}.txt")
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9a-z.]+", line) for line in lines)
    assert there <= {line.split("==")[0] for line in lines}


def test_the_environments_have_the_torch_of_the_tests(pins, root):
    for suite in ("service", "peers"):
        lines = requirements_in(root / "requirements" / f"{suite}.txt")
        assert f"torch=={pins['torch']}" in lines

"""Who may import whom, read from the source."""

from __future__ import annotations

import ast
import importlib
import types

import pytest

import proctor

PUBLIC_MODULES = ("renderers", "testing")
FORBIDDEN_NAMES = {"common", "helper", "helpers", "misc", "util", "utils"}


def test_core_imports_no_plugin(core, plugins):
    packages = {plugin.package for plugin in plugins}
    assert packages
    offences = [
        f"{module.place}:{found.line} imports {found.module}"
        for module in core.modules
        for found in module.imports
        if found.package in packages or found.package.startswith("proctor_")
    ]
    assert offences == []


def is_public(module_name: str, name: str | None) -> bool:
    """Whether a plugin may import a name: it is in proctor, or in a module that proctor exports."""
    if module_name == "proctor":
        return name is None or name in proctor.__all__
    exported = module_name.removeprefix("proctor.")
    if exported not in PUBLIC_MODULES and exported not in proctor.__all__:
        return False
    module = importlib.import_module(module_name)
    if not isinstance(module, types.ModuleType) or name is None:
        return True
    return not name.startswith("_") and name in getattr(module, "__all__", vars(module))


def test_plugins_import_public_names_of_the_core_only(plugins):
    offences = []
    for plugin in plugins:
        for module in plugin.modules:
            offences += [
                f"{module.place}:{found.line} imports {found.name} from {found.module}"
                for found in module.imports
                if found.package == "proctor" and not is_public(found.module, found.name)
            ]
            offences += [
                f"{module.place}:{node.lineno} uses proctor.{node.attr}"
                for node in ast.walk(module.tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "proctor"
                and not is_public("proctor", node.attr)
            ]
    assert offences == []


@pytest.mark.parametrize(
    ("module", "name"),
    [("proctor.plugins.registry", "Registry"), ("proctor", "_HOMES"), ("proctor.plugins", None)],
)
def test_internals_of_the_core_are_not_public(module, name):
    assert not is_public(module, name)


def test_plugins_import_no_other_plugin(plugins):
    offences = [
        f"{module.place}:{found.line} imports {found.module}"
        for plugin in plugins
        for module in plugin.modules
        for found in module.imports
        if found.package.startswith("proctor_") and found.package != plugin.package
    ]
    assert offences == []


def test_what_import_proctor_and_help_reach_is_light(core, heavy_packages):
    modules = {module.name: module for module in core.modules}
    entry = core.project["project"]["scripts"]["proctor"].split(":")[0]
    waiting, reached = ["proctor", entry], set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in modules:
            continue
        reached.add(name)
        for found in modules[name].imports:
            if not found.deferred:
                waiting += [found.module, f"{found.module}.{found.name}"]
        waiting.append(name.rpartition(".")[0])
    offences = [
        f"{modules[name].place}:{found.line} imports {found.module}"
        for name in sorted(reached)
        for found in modules[name].imports
        if not found.deferred and found.package in heavy_packages
    ]
    assert offences == []
    assert {"proctor", entry} < reached


def test_entry_modules_of_plugins_import_only_proctor(plugins):
    for plugin in plugins:
        (entry,) = plugin.project["project"]["entry-points"]["proctor"].values()
        modules = {module.name: module for module in plugin.modules}
        found = {i.package for i in modules[entry].imports if not i.deferred}
        assert found <= {"proctor", "__future__", "typing"}, modules[entry].place


def test_modules_are_named_for_what_they_hold(root, distributions):
    paths = [module.path for distribution in distributions for module in distribution.modules]
    paths += (root / "tests").rglob("*.py")
    vague = [path for path in paths if {path.stem, path.parent.name} & FORBIDDEN_NAMES]
    assert vague == []


def test_modules_hold_one_idea(root, tracked_files):
    longest = 400  # the rule of thumb is 300
    lengths = {
        file.relative_to(root).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in tracked_files
        if file.suffix == ".py"
    }
    assert {"dev.py", "noxfile.py", "tests/conftest.py", "benchmarks/inline.py"} <= set(lengths)
    assert {place: lines for place, lines in lengths.items() if lines > longest} == {}


def test_reader_tells_deferred_imports_from_others(imports_in_source):
    source = """
import torch
if TYPE_CHECKING:
    import tinker
else:
    import datasets
class A:
    import gguf
    def f(self):
        from scipy import stats
async def g():
    import openai
try:
    import pyarrow.parquet
except ImportError:
    pass
"""
    found = imports_in_source(source)
    assert {i.package for i in found if not i.deferred} == {"torch", "datasets", "gguf", "pyarrow"}
    assert {i.package for i in found if i.deferred} == {"tinker", "scipy", "openai"}


def test_reader_resolves_relative_imports(imports_in_source):
    found = imports_in_source("from ..types import Grade\nfrom . import x", "proctor.renderers")
    assert [(i.module, i.name) for i in found] == [
        ("proctor.types", "Grade"),
        ("proctor.renderers", "x"),
    ]

"""What ``proctor plugins new`` writes: a distribution that installs, with tests that pass.

The files beside this module are its templates; ``$name`` and the like stand for what changes.
"""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from proctor.errors import ConfigError
from proctor.version import __version__

KINDS = ("grader", "evaluator", "dataset")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class PluginProject:
    """A plugin's names.

    Attributes:
        folder: Where its files are.
        distribution: What pip installs.
        module: What Python imports.
        component: What a config names.
        class_name: The component's class.
        kind: The component's kind.
    """

    folder: Path
    distribution: str
    module: str
    component: str
    class_name: str
    kind: str


def write_plugin_project(name: str, kind: str, folder: Path) -> PluginProject:
    """Writes a new plugin's files.

    Args:
        name: The distribution's name; without a ``proctor-`` before it, also the component's.
        kind: One of ``KINDS``.
        folder: The folder to make; an empty one is taken as it is.

    Raises:
        ConfigError: The name is none for a distribution and a module, or the folder can't be
            made or has files in it.
    """
    project = _named(name, kind, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already", fix="take another --out, or remove it")
    values = {
        "distribution": project.distribution,
        "module": project.module,
        "component": project.component,
        "class_name": project.class_name,
        "kind": kind,
        "accepted": _accepted_core(),
    }
    templates = resources.files("proctor.plugins.template")
    try:
        for file, template in _files(project).items():
            text = (templates / f"{template}.txt").read_text(encoding="utf-8")
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(text).substitute(values), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"can't write {folder}: {error.strerror}", fix="take another --out"
        ) from error
    return project


def _named(name: str, kind: str, folder: Path) -> PluginProject:
    module = name.replace("-", "_")
    component = name.removeprefix("proctor-").replace("-", "_")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for a plugin",
            fix="use lower case letters, digits and hyphens, such as proctor-polite",
        )
    if name == "proctor" or module in sys.stdlib_module_names or keyword.iskeyword(component):
        raise ConfigError(f"{name!r} is taken", fix=f"try 'proctor-{name}'")
    class_name = "".join(part.capitalize() for part in component.split("_"))
    if not class_name.isidentifier():
        class_name = f"{kind.capitalize()}{class_name}"
    return PluginProject(folder, name, module, component, class_name, kind)


def _files(project: PluginProject) -> dict[str, str]:
    """The template of each file."""
    source = f"src/{project.module}"
    return {
        "pyproject.toml": "pyproject",
        "README.md": f"readme_{project.kind}",
        f"{source}/__init__.py": "entry_module",
        f"{source}/py.typed": "empty",
        f"{source}/{project.component}_{project.kind}.py": project.kind,
        f"tests/test_{project.component}.py": f"test_{project.kind}",
    }


def _accepted_core() -> str:
    """The versions of the core that the plugin is written for: up to the next minor one."""
    major, minor, *_ = __version__.split(".")
    return f">={major}.{minor},<{major}.{int(minor) + 1}"

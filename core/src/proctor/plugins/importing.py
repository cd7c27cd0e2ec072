"""Imports of what plugins and configs name, and what to do where one fails."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from proctor.plugins.discovery import missing_requirements

Code: TypeAlias = Any  # what a plugin or a person wrote: a class, a function


def import_remedy(error: BaseException, distribution: str) -> str:
    """What to do about a failed import."""
    missing = missing_requirements(distribution)
    if isinstance(error, ImportError) and missing:
        return "install what it needs: pip install " + " ".join(repr(line) for line in missing)
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        if importlib.util.find_spec(package) is None:
            # an import's name is no distribution's: that of a stranger's package may be the same
            owner = (
                "" if distribution.endswith(".py") else f", which {distribution} does not declare"
            )
            return f"install the distribution that has the module {package!r}{owner}"
    if distribution.endswith(".py"):
        return f"mend {distribution}"
    return f"mend or uninstall {distribution}, or leave it out: --no-plugin {distribution}"


def import_target(target: str) -> Code:
    """Imports ``module:Name``, or ``path/to/file.py:Name``."""
    module_name, _, attribute = target.rpartition(":")
    if module_name.endswith(".py"):
        found: Code = import_file(Path(module_name))
    else:
        found = importlib.import_module(module_name)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def import_file(path: Path) -> ModuleType:
    """Imports a lone Python file under a name of its own; a changed file is another module.

    Raises:
        FileNotFoundError: There is no such file.
    """
    path = path.expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    content = hashlib.sha256(str(path).encode() + b"\0" + path.read_bytes()).hexdigest()[:12]
    name = f"proctor_file_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}_{content}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def module_of(code: object) -> str:
    """The name of the module that defines a class or a function; methods of built-in types too."""
    return getattr(code, "__module__", None) or "builtins"

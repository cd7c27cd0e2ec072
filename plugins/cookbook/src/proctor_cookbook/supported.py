"""Which tinker-cookbook this distribution works with."""

from __future__ import annotations

import importlib.metadata

from packaging.requirements import Requirement

from proctor import PluginError


def supported_versions() -> str:
    """The versions of tinker-cookbook that this distribution declares."""
    lines = importlib.metadata.requires("proctor-cookbook") or []
    requirements = map(Requirement, lines)
    return str(next(r.specifier for r in requirements if r.name == "tinker-cookbook"))


def check_version() -> None:
    """Makes sure that the installed tinker-cookbook is one that this distribution supports.

    Raises:
        PluginError: It is not.
    """
    installed = importlib.metadata.version("tinker-cookbook")
    supported = supported_versions()
    if not Requirement(f"tinker-cookbook{supported}").specifier.contains(installed):
        ours = importlib.metadata.version("proctor-cookbook")
        raise PluginError(
            f"proctor-cookbook {ours} supports tinker-cookbook {supported}, not {installed}",
            fix=f"pip install 'tinker-cookbook{supported}', or a newer proctor-cookbook",
        )

"""The entry points that are installed, and whether what they require is there too."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

GROUP = "proctor"
"""The entry-point group."""


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """One entry point of one distribution.

    Attributes:
        name: The entry point's name.
        distribution: The distribution's name.
        version: Its version.
        entry_point: What is loaded.
        requirements: What the distribution declares to require.
    """

    name: str
    distribution: str
    version: str
    entry_point: importlib.metadata.EntryPoint
    requirements: tuple[str, ...]


def installed_plugins() -> list[InstalledPlugin]:
    """Every entry point of the group, by distribution and name.

    Distributions are read one by one, not by ``importlib.metadata.entry_points``, which raises for
    all of them where a single one's metadata is damaged. A distribution that is found twice on the
    path is the one that Python would import, the first.
    """
    found: dict[tuple[str, str], InstalledPlugin] = {}
    owners: dict[str, object] = {}
    for distribution in importlib.metadata.distributions():
        for plugin in _plugins_of(distribution):
            owner = re.sub(r"[-_.]+", "-", plugin.distribution).lower()
            if owners.setdefault(owner, distribution) is distribution:
                found[owner, plugin.name] = plugin
    return [found[key] for key in sorted(found)]


def _plugins_of(distribution: importlib.metadata.Distribution) -> Iterator[InstalledPlugin]:
    try:
        entry_points = list(distribution.entry_points.select(group=GROUP))
        if not entry_points:
            return
        name, version = distribution.metadata["Name"], distribution.version
        requirements = tuple(distribution.requires or ())
    except Exception:  # metadata that can't be read names no plugin; pip says what is wrong with it
        return
    for entry_point in entry_points:
        yield InstalledPlugin(
            entry_point.name, name or entry_point.value, version, entry_point, requirements
        )


def unmet_core_requirement(requirements: tuple[str, ...]) -> str | None:
    """The requirement on proctor that this version doesn't meet, if there is one."""
    from proctor.version import __version__

    for name, text, accepted in _applicable(requirements):
        if name == "proctor" and not accepted.contains(__version__, prereleases=True):
            return text
    return None


def missing_requirements(distribution: str) -> list[str]:
    """What a distribution declares to require, and is not installed or has another version."""
    try:
        requirements = tuple(importlib.metadata.requires(distribution) or ())
    except importlib.metadata.PackageNotFoundError:
        return []
    missing = []
    for name, text, accepted in _applicable(requirements):
        if name == "proctor":
            continue
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(text)
            continue
        if not accepted.contains(version, prereleases=True):
            missing.append(text)
    return missing


def _applicable(requirements: tuple[str, ...]) -> Iterator[tuple[str, str, SpecifierSet]]:
    """Each requirement that holds here without extras: its name, its text, its versions."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        text = f"{requirement.name}{requirement.specifier}"
        yield canonicalize_name(requirement.name), text, requirement.specifier

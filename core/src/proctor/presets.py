"""Presets: evaluators that a plugin or a config composed and named, for others to build on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proctor.build import Place
from proctor.errors import ConfigError, PluginError, UnknownComponentError
from proctor.yaml_file import read_yaml

if TYPE_CHECKING:
    from proctor.plugins import PluginManager

COMPOSED = "proctor/graded"
"""The type of an evaluator that a config composes: no plugin can take this name."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A composed evaluator with a name.

    Attributes:
        owner: The distribution, or the config, that named it.
        spec: The evaluator's mapping.
        place: Where that stands, for errors and for relative paths.
    """

    owner: str
    spec: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Expanded:
    """A spec in which no preset is left.

    Attributes:
        spec: The evaluator's mapping.
        place: Where each of its options stands.
        presets: The presets that it was built on, the outermost first, each with its owner.
    """

    spec: dict[str, Any]
    place: Place
    presets: tuple[str, ...] = ()


def expand(
    spec: Mapping[str, Any], place: Place, presets: Mapping[str, Preset] | None = None
) -> Expanded:
    """Puts the options of a preset under those of the spec that uses it.

    An option that the spec gives replaces the preset's as a whole. Without a ``name`` of its own,
    the evaluator is called what the preset is called.

    Args:
        spec: An evaluator's mapping, with its type.
        place: Where it stands.
        presets: The config's own presets.

    Raises:
        ConfigError: A preset is built on itself.
        UnknownComponentError: Its name is ambiguous.
    """
    merged, used = dict(spec), list[str]()
    while preset := _find(merged.get("type"), place, presets or {}):
        bare = str(merged["type"]).rsplit("/", 1)[-1]
        full_name = f"{preset.owner}/{bare}"
        if full_name in used:
            circle = " -> ".join([*used, full_name])
            raise ConfigError(f"a preset is built on itself: {circle}", where=str(place))
        used.append(full_name)
        given = {key: value for key, value in merged.items() if key != "type"}
        place = place.over(preset.place, [key for key in preset.spec if key not in given])
        merged = {"type": COMPOSED, "name": bare, **preset.spec, **given}
    return Expanded(merged, place, tuple(used))


def _find(name: Any, place: Place, presets: Mapping[str, Preset]) -> Preset | None:
    from proctor.plugins import plugin_manager

    if not isinstance(name, str) or ":" in name:
        return None
    if name in presets:
        return presets[name]
    found = plugin_manager().registry.find("evaluator", name, str(place), others=presets)
    if not isinstance(found.target, Mapping):
        return None
    return Preset(found.distribution, found.target, Place(found.file, (found.name,)))


def read_presets(value: Any, place: Place, manager: PluginManager) -> dict[str, Preset]:
    """The presets of a config, and those of the other configs that it takes some from.

    Args:
        value: A mapping of names to evaluators, a config's path, or a list of either.
        place: Where it stands.
        manager: Takes the single-file plugins of those other configs.

    Raises:
        ConfigError: It is none of these, a file can't be read, or a name stands twice.
    """
    presets: dict[str, Preset] = {}
    _read(value, place, manager, presets, ())
    for name, preset in presets.items():
        try:
            taken = manager.registry.find("evaluator", name)
        except UnknownComponentError:
            continue
        raise ConfigError(
            f"{name!r} is also the evaluator {taken.qualified_name}",
            where=str(preset.place),
            fix="call the preset something else",
        )
    return presets


def _read(
    value: Any,
    place: Place,
    manager: PluginManager,
    presets: dict[str, Preset],
    files: tuple[Path, ...],
) -> None:
    if value is None:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            _read(item, place / index, manager, presets, files)
    elif isinstance(value, Mapping):
        for name, spec in value.items():
            _add(str(name), spec, place / str(name), presets)
    elif isinstance(value, (str, Path)):
        file = place.anchored(value)
        if file in files:
            raise ConfigError(f"{file} takes presets from itself", where=str(place))
        raw, there = read_yaml(file)
        if "presets" not in raw:
            raise ConfigError(
                f"{file} has no presets", where=str(place), fix="put them under 'presets:' there"
            )
        load_plugin_files(raw.get("plugins"), there / "plugins", manager)
        _read(raw["presets"], there / "presets", manager, presets, (*files, file))
    else:
        raise ConfigError(
            f"presets are names with evaluators, or files that have some, not {value!r}",
            where=str(place),
        )


def _add(name: str, spec: Any, place: Place, presets: dict[str, Preset]) -> None:
    if not isinstance(spec, Mapping):
        raise ConfigError(f"a preset is an evaluator's mapping, not {spec!r}", where=str(place))
    if name in presets:
        raise ConfigError(
            f"there are two presets {name!r}",
            where=str(place),
            fix=f"the other is at {presets[name].place}",
        )
    owner = place.file.name if place.file else "config"
    presets[name] = Preset(owner, dict(spec), place)


def load_plugin_files(value: Any, place: Place, manager: PluginManager) -> None:
    """Loads the single-file plugins that a config names.

    Raises:
        ConfigError: It is no list of files, or a file is not there.
        PluginError: A file can't be loaded.
    """
    if value is None:
        return
    if not isinstance(value, list):
        raise ConfigError("expected a list of files", where=str(place))
    for index, item in enumerate(value):
        if not isinstance(item, (str, Path)):
            raise ConfigError(f"{item!r} is no file", where=str(place / index))
        file = place.anchored(item)
        if not file.is_file():
            raise ConfigError(f"no plugin file {file}", where=str(place / index))
        try:
            manager.load_file(file)
        except PluginError as error:
            where = f"{place / index} ({error.where or file})"
            raise PluginError(error.what, where=where, fix=error.fix) from error

"""The presets and the single-file plugins that a config names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from proctor.components.place import Place, Written
from proctor.components.presets import Preset
from proctor.configs.yaml_file import read_yaml
from proctor.errors import ConfigError, PluginError, UnknownComponentError

if TYPE_CHECKING:
    from proctor.plugins.manager import PluginManager


def read_presets(value: Written, place: Place, manager: PluginManager) -> dict[str, Preset]:
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
    value: Written,
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
        config = read_yaml(file)
        raw, there = config.content, config.place
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


def _add(name: str, spec: Written, place: Place, presets: dict[str, Preset]) -> None:
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


def load_plugin_files(value: Written, place: Place, manager: PluginManager) -> None:
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

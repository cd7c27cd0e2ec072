"""Presets: evaluators that a plugin or a config composed and named, for others to build on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proctor.components.place import Place, Written
from proctor.errors import ConfigError

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
    spec: Mapping[str, Written]
    place: Place


@dataclass(frozen=True, slots=True)
class Expanded:
    """A spec in which no preset is left.

    Attributes:
        spec: The evaluator's mapping.
        place: Where each of its options stands.
        presets: The presets that it was built on, the outermost first, each with its owner.
    """

    spec: dict[str, Written]
    place: Place
    presets: tuple[str, ...] = ()


def expand(
    spec: Mapping[str, Written], place: Place, presets: Mapping[str, Preset] | None = None
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


def _find(name: Written, place: Place, presets: Mapping[str, Preset]) -> Preset | None:
    from proctor.plugins.active import plugin_manager

    if not isinstance(name, str) or ":" in name:
        return None
    if name in presets:
        return presets[name]
    found = plugin_manager().registry.find("evaluator", name, str(place), others=presets)
    if not isinstance(found.target, Mapping):
        return None
    return Preset(found.distribution, found.target, Place(found.file, (found.name,)))

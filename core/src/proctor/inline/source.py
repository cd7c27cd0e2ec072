"""What inline evaluations are made from: a config, or a list of evaluators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from proctor.components.build import construct
from proctor.components.place import Place, Written
from proctor.configs.config import Config, InlineOptions
from proctor.configs.loading import load_config
from proctor.errors import ConfigError

ConfigSource = Path | str | Mapping[str, Written] | Sequence[Written]
"""A YAML file, the same as a mapping, or a list of evaluators."""


def load_inline_config(
    source: ConfigSource, *, log_path: Path | str | None = None, **options: Written
) -> Config:
    """Reads a config for use inside a training loop.

    Args:
        source: The config.
        log_path: In place of the config's own ``inline.log_path``.
        **options: Keys of ``inline``, in place of the config's own.

    Raises:
        ConfigError: It is no config, or something in it is wrong.
    """
    if isinstance(source, (str, Path, Mapping)):
        config = load_config(source)
    elif isinstance(source, Sequence) and not isinstance(source, bytes):
        config = load_config({"evaluators": list(source)})
    else:
        raise ConfigError(
            f"{type(source).__module__}.{type(source).__qualname__} is no config of evaluators",
            fix="give a YAML file, the same as a mapping, or a list of evaluators",
        )
    if log_path is not None:
        options["log_path"] = log_path
    if options:
        given = config.options.inline.model_dump(exclude_unset=True) | options
        config.options.inline = construct(
            InlineOptions, given, Place(keys=("inline",)), label="inline"
        )
    return config

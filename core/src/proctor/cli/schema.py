"""``proctor schema``: what an editor needs to complete and check a config."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  proctor schema --out proctor.schema.json
  proctor schema evals.yaml --out evals.schema.json
"""
)
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file.")
def schema(config: Path | None, out: Path | None) -> None:
    """Print the JSON schema of a config, with the names and options of every installed plugin.

    With CONFIG, the schema also has the names of that config's presets and plugin files.
    """
    from proctor.configs.preset_files import load_plugin_files, read_presets
    from proctor.configs.schema import config_schema
    from proctor.configs.yaml_file import read_yaml
    from proctor.errors import ConfigError
    from proctor.plugins.active import plugin_manager

    presets = None
    if config is not None:
        file = read_yaml(config)
        raw, place = file.content, file.place
        load_plugin_files(raw.get("plugins"), place / "plugins", plugin_manager())
        presets = read_presets(raw.get("presets"), place / "presets", plugin_manager())
    text = json.dumps(config_schema(presets), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"can't write {out}: {error.strerror}", fix="take another --out"
        ) from error
    click.echo(f"wrote {out}")

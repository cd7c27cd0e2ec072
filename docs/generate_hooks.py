"""Writes hooks.md from the hook specifications: ``python docs/generate_hooks.py``."""

from __future__ import annotations

import inspect
from pathlib import Path

from proctor.plugins import hookspecs

HEAD = """\
# The hooks of plugins

<!-- Written by docs/generate_hooks.py from the docstrings in proctor/hookspecs.py. -->
"""


def reference() -> str:
    """The text of hooks.md."""
    parts = [HEAD, _text(hookspecs)]
    for name, hook in vars(hookspecs).items():
        if name.startswith("proctor_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            parts += [f"## `{name}({arguments})`", _text(hook)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _text(documented: object) -> str:
    return (inspect.getdoc(documented) or "").replace("``", "`")


if __name__ == "__main__":
    Path(__file__).with_name("hooks.md").write_text(reference(), encoding="utf-8")

"""``python -m proctor``."""

from __future__ import annotations

from proctor.cli.main import console

if __name__ == "__main__":
    console()

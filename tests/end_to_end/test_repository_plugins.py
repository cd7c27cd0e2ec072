"""Every plugin of this repository, as ``proctor plugins doctor`` sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def test_every_plugin_of_the_repository_is_sound(command_line: Any) -> None:
    printed = command_line("plugins", "doctor", "--json", with_backend=False)
    ours = {f"proctor-{folder.parent.name}" for folder in (ROOT / "plugins").glob("*/*.toml")}
    assert [row for row in json.loads(printed.out) if row["distribution"] in ours] == []
    listed = json.loads(command_line("plugins", "--json", with_backend=False).out)
    assert {row["distribution"] for row in listed if row["status"] == "ok"} >= ours

"""What the tests of the datasets share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proctor import Example
from proctor_datasets.inline import Inline


@pytest.fixture
def one() -> Callable[..., Example]:
    """The example that a row becomes: ``one(row, option=...)``."""

    def run(row: dict[str, Any], **options: Any) -> Example:
        (example,) = Inline(rows=[row], **options).examples()
        return example

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file: ``write(name, content)`` returns its path."""

    def run(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return run

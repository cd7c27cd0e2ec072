"""Fixtures for the tests of plugins.

pytest loads this module wherever Proctor is installed, so it imports nothing of Proctor until a
fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from proctor.testing import PluginFolder, ScriptedClient


@pytest.fixture
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PluginFolder]:
    """A folder on this process's path in which a test's plugins are found."""
    from proctor.testing import PluginFolder

    with PluginFolder(tmp_path_factory.mktemp("plugins")) as folder:
        yield folder


@pytest.fixture
def scripted_client() -> Callable[..., ScriptedClient]:
    """Makes sampling clients whose answers a function makes."""
    from proctor.testing import ScriptedClient

    return ScriptedClient

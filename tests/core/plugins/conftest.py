"""Plugins in every state, in one environment, without pip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proctor.testing import PluginFolder

FINE = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.grader("fine", "fine_parts:Fine")
    registry.dataset("fine_rows", "fine_parts:Rows")
    registry.backend("fine_model", "fine_parts:Model")
"""

FINE_PARTS = """
import proctor
from proctor.testing import ByteTokenizer, ScriptedClient

class Fine(proctor.Grader):
    '''Correct when the answer is the target.'''

    def grade(self, example, sample) -> bool:
        return sample.text.strip() in example.targets

class Rows(proctor.Dataset):
    '''Two rows.'''

    def examples(self):
        yield proctor.Example("france", "Capital of France?", "Paris")
        yield proctor.Example("italy", "Capital of Italy?", "Rome")

class Model(proctor.Backend):
    '''Says Paris.'''

    async def open_model(self):
        return proctor.OpenedModel(
            client=ScriptedClient(lambda prompt, index: "Paris"),
            identity=proctor.ModelIdentity(backend="fine", base_model="x-base", digest="1"),
            tokenizer=ByteTokenizer(),
        )
"""


def naming(name: str, target: str = "fine_parts:Fine", kind: str = "grader") -> str:
    """The source of a plugin that names one component."""
    return (
        "import proctor\n\n@proctor.hookimpl\ndef proctor_register(registry):\n"
        f"    registry.{kind}({name!r}, {target!r})\n"
    )


@pytest.fixture
def names_component() -> Callable[..., str]:
    return naming


@dataclass(frozen=True)
class Ended:
    """How a command in a process of its own ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def proctor_in() -> Callable[..., Ended]:
    """Runs ``proctor`` in a fresh process that finds a folder's plugins."""

    def run(folder: PluginFolder, *arguments: str, cwd: Path | None = None, **env: str) -> Ended:
        child = subprocess.run(
            [sys.executable, "-P", "-c", "from proctor.cli.main import main; main()", *arguments],
            env=folder.environment | {"COLUMNS": "200"} | env,
            cwd=cwd or folder.path,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Ended(child.returncode, child.stdout, child.stderr)

    return run


@pytest.fixture
def fine_folder(plugin_folder: PluginFolder) -> PluginFolder:
    """A folder with one plugin, which works."""
    plugin_folder.add(
        FINE, name="fine", distribution="fine-evals", modules={"fine_parts.py": FINE_PARTS}
    )
    return plugin_folder


@pytest.fixture(scope="session")
def crowded_folder(tmp_path_factory: pytest.TempPathFactory) -> PluginFolder:
    """One environment with a plugin in each state that there is."""
    folder = PluginFolder(tmp_path_factory.mktemp("crowded"))

    def add(name: str, source: str, distribution: str = "", **more: Any) -> None:
        folder.add(source, name=name, distribution=distribution or f"{name}-evals", **more)

    add("fine", FINE, modules={"fine_parts.py": FINE_PARTS})
    add("raising", "raise RuntimeError('boom')\n")
    add("exiting", "raise SystemExit(0)\n")
    add("lacking", "import absent_package\n", requires=["absent-package>=2"])
    add(
        "lazy",
        naming("lazy", "lazy_parts:Lazy"),
        modules={"lazy_parts.py": "import another_absent_package\n"},
    )
    add("left", naming("twin"))
    add("right", naming("twin"))
    add("same", naming("first"), "first-evals")
    add("same", naming("second"), "second-evals")
    add("misspelt", naming("misspelt").replace("proctor_register", "proctor_registre"))
    add("unmarked", naming("unmarked").replace("@proctor.hookimpl\n", ""))
    add("mistaken", naming("mistaken").replace("registry", "registrar"))
    add("newer", naming("newer"), requires=["proctor>=99"])
    add("empty", "import proctor\n")
    folder.add(naming("fine"), name="torn", distribution="torn-evals")
    (folder.path / "torn_evals-1.0.dist-info" / "entry_points.txt").write_text("[proctor\nno\n")
    return folder


@pytest.fixture
def crowd(crowded_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The crowded folder on this process's path."""
    monkeypatch.delenv("PROCTOR_PLUGINS", raising=False)
    assert os.path.isdir(crowded_folder.path)
    with crowded_folder:
        yield crowded_folder

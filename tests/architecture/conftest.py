"""What the architecture tests read: the distributions of this checkout, their modules' imports."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """One imported name: ``from module import name``, or ``import module`` where name is None."""

    module: str
    name: str | None
    line: int
    deferred: bool
    """Whether it stands in a function, or under TYPE_CHECKING: nothing pays for it on import."""

    @property
    def package(self) -> str:
        return self.module.split(".")[0]


@dataclass(frozen=True)
class Module:
    path: Path
    name: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), self.path.name)

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def imports(self) -> list[Import]:
        package = self.name.split(".")
        if self.path.name != "__init__.py":
            package = package[:-1]
        return list(imports_of(self.tree, package))


def imports_of(node: ast.AST, package: list[str], deferred: bool = False) -> Iterator[Import]:
    """Every import beneath a node; ``package`` is what a relative import starts from."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, None, node.lineno, deferred)
        return
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            yield Import(module, alias.name, node.lineno, deferred)
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for child in node.body:
            yield from imports_of(child, package, True)
        for child in node.orelse:
            yield from imports_of(child, package, deferred)
        return
    inside = deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for child in ast.iter_child_nodes(node):
        yield from imports_of(child, package, inside)


@dataclass(frozen=True)
class Distribution:
    folder: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        name: str = self.project["project"]["name"]
        return name

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    @property
    def tests(self) -> Path:
        folder = self.folder.relative_to(ROOT).as_posix()
        return ROOT / "tests" / folder

    @cached_property
    def test_modules(self) -> list[Module]:
        return [Module(path, path.stem) for path in sorted(self.tests.rglob("*.py"))]

    @cached_property
    def modules(self) -> list[Module]:
        source = self.folder / "src"
        found = []
        for path in sorted(source.rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            found.append(Module(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
        return found


def read_distribution(folder: Path) -> Distribution:
    return Distribution(
        folder, tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    )


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tracked_files() -> list[Path]:
    """Every file of the checkout that git tracks."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


@pytest.fixture(scope="session")
def core() -> Distribution:
    return read_distribution(ROOT / "core")


@pytest.fixture(scope="session")
def plugins() -> list[Distribution]:
    folders = sorted(folder for folder in (ROOT / "plugins").iterdir() if folder.is_dir())
    return [read_distribution(folder) for folder in folders]


@pytest.fixture(scope="session")
def distributions(core: Distribution, plugins: list[Distribution]) -> list[Distribution]:
    return [core, *plugins]


@pytest.fixture(scope="session")
def imports_in_source() -> Any:
    """The imports of a piece of source text, for tests of the reader itself."""

    def read(source: str, package: str = "") -> list[Import]:
        return list(imports_of(ast.parse(source), package.split(".") if package else []))

    return read


@pytest.fixture(scope="session")
def heavy_packages() -> frozenset[str]:
    """Packages that cost seconds or gigabytes, and are imported when a component opens."""
    return frozenset(
        {
            "accelerate",
            "datasets",
            "gguf",
            "inspect_ai",
            "jax",
            "openai",
            "pandas",
            "pyarrow",
            "scipy",
            "sentence_transformers",
            "statsmodels",
            "tensorflow",
            "tinker",
            "tinker_cookbook",
            "torch",
            "transformers",
        }
    )

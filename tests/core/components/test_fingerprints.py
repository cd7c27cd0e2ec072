"""What a fingerprint tells apart, and what it does not."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.components.build import build
from proctor.components.fingerprints import describe
from proctor.testing import PluginFolder

PLUGIN = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.grader("says", "{module}:Says")
    registry.grader("agrees", "{module}:agrees")
"""

PARTS = '''
"""{text}"""
from collections.abc import Callable

import proctor

class Says(proctor.Grader):
    """{text}"""

    loud: bool = False
    """{text}"""

    # {text}
    def grade(self, example, sample) -> bool:
        """{text}"""
        return {verdict}

class Unnamed(Says):
    """{text}"""

    clean: Callable[[str], str] | None = None

def agrees(response: str, target: str) -> bool:
    """{text}"""
    return {verdict}

def lowered(text: str) -> str:
    # {text}
    return text.lower()
'''

Installed = Callable[..., Any]


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    """Installs another release of a distribution; returns its module of components."""
    folders: list[PluginFolder] = []

    def install(
        module: str = "house_parts", text: str = "One.", verdict: str = "False", version: int = 1
    ) -> Any:
        while folders:
            folders.pop().__exit__(None, None, None)
        path = tmp_path / f"{module}-{len(list(tmp_path.iterdir()))}"
        path.mkdir()
        parts = PARTS.format(text=text, verdict=verdict)
        if version != 1:
            parts = parts.replace("loud: bool", f"version = {version}\n    loud: bool")
        folder = PluginFolder(path)
        folder.add(PLUGIN.format(module=module), modules={f"{module}.py": parts})
        folders.append(folder.__enter__())
        return importlib.import_module(module)

    yield install
    while folders:
        folders.pop().__exit__(None, None, None)


def fingerprints(parts: Any) -> dict[str, str]:
    """The fingerprint of every kind of part, each way that it can be made."""
    module = parts.__name__
    cleaned = parts.Unnamed(clean=parts.lowered)
    by_name = proctor.GradedEvaluator(dataset=Rows(), graders=["says", "agrees"]).graders
    by_path = [f"{module}:Says", f"{module}:agrees"]
    by_import = proctor.GradedEvaluator(dataset=Rows(), graders=by_path).graders
    in_python = proctor.GradedEvaluator(dataset=Rows(), graders=[parts.Says(), parts.agrees])
    made = {
        "class by name": by_name[0],
        "class by import path": by_import[0],
        "class in Python": in_python.graders[0],
        "function by name": by_name[1],
        "function by import path": by_import[1],
        "function in Python": in_python.graders[1],
        "class without a name": parts.Unnamed(),
        "option that is a function": cleaned,
    }
    return {how: proctor.fingerprint(part) for how, part in made.items()}


class Rows(proctor.Dataset):
    """One row."""

    def examples(self) -> Iterator[proctor.Example]:
        yield proctor.Example("a", "?", "x")


def test_a_component_is_one_however_it_was_made(installed: Installed) -> None:
    found = fingerprints(installed())
    for kind in ("class", "function"):
        assert found[f"{kind} by name"] == found[f"{kind} by import path"]
        assert found[f"{kind} by name"] == found[f"{kind} in Python"]
    assert len(set(found.values())) == 4
    named = proctor.GradedEvaluator(dataset=Rows(), graders=["says"]).graders[0]
    assert describe(named) == {
        "type": "house-evals/says",
        "version": 1,
        "options": {"loud": False},
    }


def test_moving_to_another_module_and_changing_a_comment_change_nothing(
    installed: Installed,
) -> None:
    before = fingerprints(installed())
    assert fingerprints(installed("other_parts", text="Another.")) == before


def test_a_raised_version_is_another_component(installed: Installed) -> None:
    before, after = fingerprints(installed()), fingerprints(installed(version=2))
    for how in before:
        assert (before[how] != after[how]) is (not how.startswith("function")), how


def test_what_has_no_version_is_told_by_what_it_does(installed: Installed) -> None:
    """A registered class speaks by its version; nothing else can."""
    before, after = fingerprints(installed()), fingerprints(installed(verdict="True"))
    for how in before:
        assert (before[how] != after[how]) is how.startswith("function"), how


def test_an_option_is_part_of_it(installed: Installed) -> None:
    parts = installed()
    assert proctor.fingerprint(parts.Says(loud=True)) != proctor.fingerprint(parts.Says())
    lowered = proctor.fingerprint(parts.Unnamed(clean=parts.lowered))
    assert lowered != proctor.fingerprint(parts.Unnamed(clean=str.strip))


def test_options_of_a_function_are_refused(installed: Installed) -> None:
    installed()
    with pytest.raises(proctor.ConfigError, match="agrees has no option 'loud'"):
        proctor.GradedEvaluator(dataset=Rows(), graders=[{"type": "agrees", "loud": True}])


def test_a_function_is_called_by_the_name_that_it_is_registered_under(
    installed: Installed,
) -> None:
    installed()
    by_name = proctor.GradedEvaluator(dataset=Rows(), graders=["says", "agrees", "agrees"])
    assert by_name.grader_names() == ["says", "agrees", "agrees-2"]


def test_functions_of_ones_own_are_told_apart() -> None:
    def yes(response: str, target: str) -> bool:
        return True

    def no(response: str, target: str) -> bool:
        return False

    def at_most(length: int) -> Any:
        def is_short(response: str, target: str) -> bool:
            return len(response) <= length

        return is_short

    graders = [yes, no, at_most(3), at_most(4), at_most(3)]
    graders += [lambda response, target: target in response, lambda response, target: True]
    found = [proctor.fingerprint(build("grader", grader)) for grader in graders]
    assert len(set(found)) == 6
    assert found[2] == found[4]


def test_what_a_partial_function_is_bound_to_is_part_of_it() -> None:
    found = [proctor.fingerprint(functools.partial(round, ndigits=n)) for n in (1, 2, 1)]
    assert found[0] == found[2] != found[1]

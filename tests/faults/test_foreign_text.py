"""Hostile text in every output: nothing is obeyed, hidden or forged."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from proctor.cli.terminal import printable, printable_line, safe_json

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://example.org\x07here\x1b]8;;\x07",
    "C1": "\x9b31mred",
    "C1 string": "\x90q\x9c",
    "return": "complete\rfailed",
    "backspace": "1.0\x08\x08\x080.0",
    "bell": "\x07",
    "null": "a\x00b",
    "delete": "a\x7fb",
    "vertical tab": "a\x0bb\x0cc",
    "right to left": "\u202egnp.exe",
    "isolate": "\u2066a\u2069",
    "mark": "a\u200fb\u061c",
    "zero width": "Par\u200bis",
    "joiner": "Par\u200dis",
    "word joiner": "Par\u2060is",
    "byte order": "\ufeffParis",
    "soft hyphen": "Par\u00adis",
    "tags": "Paris\U000e0041\U000e0042",
    "selectors": "Paris\U000e0101",
    "separator": "a\u2028b\u2029c",
    "next line": "a\x85b",
    "half": "a\ud800b",
    "private": "a\ue000b",
    "markup": "[bold red]x[/bold red] [link=https://example.org]y[/link]",
}


def is_safe(text: str) -> bool:
    """Whether a terminal shows a text as it stands, newlines apart."""
    hidden = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return all(c == "\n" or unicodedata.category(c) not in hidden for c in text) and not any(
        0xE0100 <= ord(c) < 0xE01F0 for c in text
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_shown_and_not_obeyed(name: str) -> None:
    text = HOSTILE[name]
    assert is_safe(printable(text))
    assert is_safe(printable_line(text))
    if name != "markup":
        assert printable(text) != text


def test_two_answers_that_differ_look_different() -> None:
    looks = {printable(text) for text in ("Paris", *(HOSTILE[n] for n in ("zero width", "joiner")))}
    assert len(looks) == 3


@pytest.mark.parametrize("text", ["a\nb\tc", "naïve", "東京 🗼", "e\u0301", "❤️", "½"])
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text
    assert json.loads(safe_json(json.dumps(text, ensure_ascii=False))) == text


def test_a_line_stays_one() -> None:
    assert printable_line("a\nerror: b\tc") == "a\\nerror: b\\tc"


@pytest.mark.parametrize("name", HOSTILE)
def test_json_means_the_same_and_holds_nothing_hidden(name: str) -> None:
    text = safe_json(json.dumps({name: HOSTILE[name]}, ensure_ascii=False))
    assert is_safe(text)
    assert json.loads(text) == {name: HOSTILE[name]}


PLUGIN = """\
import json
from pathlib import Path

import proctor

HOSTILE = json.loads(Path("hostile.json").read_text())


class Rows(proctor.Dataset):
    def examples(self):
        for number, text in enumerate(HOSTILE):
            yield proctor.Example(
                id=f"{number}\\nerror: forged {text}", input=f"Say <{number}> {text}", target=text
            )


class Says(proctor.Grader):
    def grade(self, example, sample):
        return proctor.Grade(1.0, explanation=f"why\\nerror: forged {example.target}")


class Breaks(proctor.Grader):
    def grade(self, example, sample):
        raise ValueError(f"no\\nerror: forged {example.target}")


@proctor.hookimpl
def proctor_register(registry):
    registry.dataset("hostile", Rows)
    registry.grader("says", Says)
    registry.grader("breaks", Breaks)


@proctor.hookimpl
def proctor_evaluation_finished(result, run):
    raise ValueError(f"observer\\n{HOSTILE[0]}")
"""
CONFIG = {
    "plugins": ["./hostile.py"],
    "renderer": "role_colon",
    "evaluators": [
        {
            "name": "hostile",
            "dataset": {"type": "hostile"},
            "graders": ["says", "breaks"],
        }
    ],
}


@pytest.fixture
def run_folder(command_line: Any, tmp_path: Path) -> str:
    """A run whose ids, questions, answers, targets, explanations and errors are all hostile."""
    texts = [text for name, text in HOSTILE.items() if name != "half"]
    (tmp_path / "hostile.json").write_text(json.dumps(texts))
    (tmp_path / "hostile.py").write_text(PLUGIN)
    answers = {f"<{number}>": text for number, text in enumerate(texts)}
    config = CONFIG | {"model": {"backend": "scripted", "answers": answers}}
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert is_safe(printed.out), printed.out
    assert is_safe(printed.err), printed.err
    return "run"


def test_a_run_and_its_answers_are_shown_safely(run_folder: str, command_line: Any) -> None:
    shown = command_line("show", run_folder)
    assert shown.code == 0, shown.err
    assert is_safe(shown.out)
    assert not any(line.startswith("error:") for line in shown.out.splitlines())
    assert "[bold red]x[/bold red]" in shown.out


def test_their_json_is_safe_and_whole(run_folder: str, command_line: Any) -> None:
    flat = command_line("show", run_folder, "--json").out
    assert is_safe(flat)
    rows = [json.loads(line) for line in flat.splitlines()]
    assert {row["target"] for row in rows} == set(HOSTILE.values()) - {HOSTILE["half"]}
    results = command_line("run", "evals.yaml", "--out", "again", "--json")
    assert is_safe(results.out)
    assert json.loads(results.out)["metrics"]["hostile/says/score"] == 1.0
    assert is_safe(command_line("lint", "evals.yaml").out)
    assert is_safe(command_line("lint", "evals.yaml", "--json").out)

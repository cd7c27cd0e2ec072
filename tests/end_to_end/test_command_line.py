"""The command line as a person meets it: what it prints, where, and in how many columns."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
model:
  backend: scripted
  answers: {France: Paris, Germany: Berlin, Italy: ITALY, Spain: SPAIN}
plugins: [PLUGIN]
evaluators:
  - name: the-capitals-of-the-world-by-a-long-name
    dataset:
      type: inline
      rows:
        - {id: france, input: Capital of France, target: Paris}
        - {id: germany, input: Capital of Germany, target: Berlin}
        - {id: italy, input: Capital of Italy, target: Rome}
        - {id: spain, input: Capital of Spain, target: Madrid}
    graders: [substring, exact]
"""
NAME = "the-capitals-of-the-world-by-a-long-name"

EVALUATOR = """\
from pydantic import SecretStr

import proctor


class Chatty(proctor.SamplingClientEvaluator):
    \"\"\"Prints [bold]what[/nothing] it does.\"\"\"

    def __init__(self, api_key: SecretStr | None = None) -> None:
        self.api_key = api_key

    async def __call__(self, client):
        print("hello from the evaluator")
        return {"accuracy": 0.5}


@proctor.hookimpl
def proctor_register(registry):
    registry.evaluator("chatty", Chatty)
"""


@pytest.fixture
def config(tmp_path: Path, scripted_backend: Path) -> Any:
    """Writes a config whose last two answers are given."""

    def write(italy: str = "Rome", spain: str = "Madrid") -> str:
        text = CONFIG.replace("ITALY", italy).replace("SPAIN", spain)
        (tmp_path / "evals.yaml").write_text(text.replace("PLUGIN", str(scripted_backend)))
        return "evals.yaml"

    return write


@pytest.fixture
def chatty(tmp_path: Path, scripted_backend: Path) -> Path:
    """A config with an in-house evaluator, in a folder of its own."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "chatty.py").write_text(EVALUATOR)
    path = folder / "evals.yaml"
    path.write_text(
        f"model: {{backend: scripted}}\nplugins: [{scripted_backend}]\n"
        "evaluators: [{type: './chatty.py:Chatty'}]\n"
    )
    return path


def proctor_command(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **settings)


def test_headlines_are_whole_in_a_narrow_pipe(config: Any, tmp_path: Path) -> None:
    ran = proctor_command(
        "run", config(spain="CUT"), cwd=tmp_path, env={**os.environ, "COLUMNS": "60"}
    )
    assert ran.returncode == 0, ran.stderr
    headline = next(line for line in ran.stdout.splitlines() if line.startswith(f"{NAME}/exact"))
    doubt = "interval untrusted (few clusters, few events)"
    assert headline.endswith(f"n=4  {doubt}  truncated 1 (1.000 over complete answers)")
    folder = ran.stdout.split("run: ")[1].split("\n")[0]
    assert (tmp_path / folder / "results.json").is_file()
    assert "\x1b" not in ran.stdout + ran.stderr


def test_on_a_terminal_the_bar_is_on_stderr_and_the_results_are_alone_on_stdout(
    config: Any, tmp_path: Path
) -> None:
    results = tmp_path / "results.txt"
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.environ.update(COLUMNS="60", TERM="xterm")
        file = os.open(results, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, 1)
        arguments = ["-m", "proctor", "run", config(italy="FAIL"), "--json"]
        os.execv(sys.executable, [sys.executable, *arguments])
    shown = b""
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:
            break
        if not block:
            break
        shown += block
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert b"1 failed" in shown
    assert b"\x1b[?25h" in shown
    assert json.loads(results.read_text())["status"] == "failed"


def test_show_says_each_score_or_why_there_is_none(
    command_line: Any, config: Any, tmp_path: Path
) -> None:
    """A run without a score was shown without a word on it."""
    assert command_line("run", config(spain="CUT"), "--out", "good").code == 0
    shown = command_line("show", "good").out
    assert f"{NAME}/exact  0.750 [" in shown
    assert "few events)  truncated 1 (1.000 over complete answers)\n" in shown
    assert command_line("run", config(italy="FAIL"), "--out", "bad").code == 1
    shown = command_line("show", "bad").out
    assert f"{NAME}/exact  no score: 3 of 4 answers have a grade" in shown
    assert "failed 1\n" in shown


def test_show_says_why_a_run_has_no_results(command_line: Any, config: Any, tmp_path: Path) -> None:
    assert command_line("run", config(), "--out", "run").code == 0
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record |= {"status": "failed", "error": "no space\x1b[31m left"}
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    (tmp_path / "run" / "results.json").unlink()
    shown = command_line("show", "run", "--example", "france").out
    assert "the run has no results: it is failed: no space\\x1b[31m left" in shown


def test_show_worst_shows_what_is_not_graded_best(
    command_line: Any, config: Any, tmp_path: Path
) -> None:
    assert command_line("run", config(italy="Milan", spain="CUT"), "--out", "run").code == 0
    with (tmp_path / "run" / "grades.jsonl").open() as file:
        kept = [line for line in file if "\"read 'Berlin'\"" not in line]
    kept = [line for line in kept if "Berlin" not in line]
    (tmp_path / "run" / "grades.jsonl").write_text("".join(kept))
    lines = command_line("show", "run", "--worst", "--json").out.splitlines()
    # germany's grades were lost: whether they were the best is not known
    assert [json.loads(line)["example"] for line in lines] == ["germany", "italy", "spain"]
    assert "no samples like that" in command_line(
        "show", "run", "--worst", "--example", "france"
    ).out  # fmt: skip


def test_what_an_evaluator_prints_is_no_part_of_the_results(
    command_line: Any, chatty: Path
) -> None:
    printed = command_line("run", str(chatty), "--json")
    assert json.loads(printed.out)["metrics"] == {"Chatty/accuracy": 0.5}
    assert "hello from the evaluator" in printed.err


@pytest.mark.parametrize("key", ["98765", "[sk-98765]"])
def test_an_error_holds_no_secret(command_line: Any, chatty: Path, key: str) -> None:
    chatty.write_text(chatty.read_text().replace("Chatty'", f"Chatty', api_key: {key}"))
    printed = command_line("run", str(chatty))
    assert printed.code == 2
    assert "api_key" in printed.err
    assert "98765" not in printed.err


def test_a_run_holds_no_secret(command_line: Any, chatty: Path, tmp_path: Path) -> None:
    chatty.write_text(chatty.read_text().replace("Chatty'", "Chatty', api_key: sk-98765"))
    assert command_line("run", str(chatty), "--out", "run").code == 0
    written = [path.read_text() for path in (tmp_path / "run").iterdir()]
    assert '"(secret)"' in "".join(written)
    assert "98765" not in "".join(written)


def test_true_is_no_number_of_steps(command_line: Any, chatty: Path) -> None:
    chatty.write_text(chatty.read_text().replace("Chatty'", "Chatty', every: true"))
    printed = command_line("run", str(chatty))
    assert printed.code == 2
    assert "evals.yaml:3" in printed.err
    assert "every" in printed.err


def test_list_shows_a_summary_as_it_stands_and_a_line_each_in_a_pipe(
    command_line: Any, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets in a docstring were read as markup, and the list was a MarkupError."""
    monkeypatch.setenv("COLUMNS", "60")
    plugin = str(chatty.with_name("chatty.py"))
    printed = command_line("--plugin", plugin, "list", "evaluator")
    assert printed.code == 0, printed.err
    line = next(line for line in printed.out.splitlines() if "chatty" in line)
    assert line.split()[-1] == "api_key"
    assert "Prints [bold]what[/nothing] it does." in line
    graders = command_line("list", "grader").out
    assert "Correct when the answer contains the target, or any of several." in graders


def test_lint_says_that_it_has_nothing_to_look_at(command_line: Any, chatty: Path) -> None:
    printed = command_line("lint", str(chatty))
    assert printed.code == 0
    assert "no evaluator" in printed.out
    assert json.loads(command_line("lint", str(chatty), "--json").out) == {}


LINTED = """\
plugins: [chatty.py]
evaluators:
  - {name: graded, graders: [judged], dataset: {type: inline, rows: [{id: a, input: Capital}]}}
  - {name: exactly, graders: [exact], dataset: {type: inline, rows: [{id: a, input: Capital}]}}
  - {type: chatty, name: house}
  - type: nll
    dataset: {type: inline, rows: [{id: a, input: A, target: Rome}, {id: b, input: B}]}
  - type: choice_logprob
    dataset: {type: inline, rows: [
      {id: a, input: A, target: 1, choices: [yes it is, no way]},
      {id: b, input: B, target: Rome},
      {id: c, input: C, target: 0, choices: [yes it is, not at all]}]}
"""

JUDGED = """

class Judged(proctor.Grader):
    needs_target = False

    def grade(self, example, sample) -> bool:
        return True


@proctor.hookimpl(specname="proctor_register")
def more(registry):
    registry.grader("judged", Judged)
"""


def test_lint_looks_at_every_evaluator_with_a_dataset_and_names_the_others(
    command_line: Any, tmp_path: Path
) -> None:
    (tmp_path / "chatty.py").write_text(EVALUATOR + JUDGED)
    (tmp_path / "evals.yaml").write_text(LINTED)
    printed = command_line("lint", "evals.yaml", "--json", with_backend=False)
    found = {
        name: {finding["check"]: finding["rows"] for finding in report["findings"]}
        for name, report in json.loads(printed.out).items()
    }
    assert list(found) == ["graded", "exactly", "nll", "choice_logprob"]
    assert "no-target" not in found["graded"]
    assert found["exactly"]["no-target"] == [1]
    assert found["nll"]["no-target"] == [2]
    assert "refused-row" not in found["nll"]
    assert found["choice_logprob"]["refused-row"] == [2]
    assert "gold-position" not in found["choice_logprob"]
    line = "house  not looked at: it has no dataset that lint can read\n"
    assert printed.err == line
    assert printed.code == 1
    printed = command_line("lint", "evals.yaml", with_backend=False)
    assert printed.out.endswith(line)
    assert "the evaluator can't use it: row 'b' has no choices (rows 2)" in printed.out


def test_debug_may_stand_anywhere(config: Any, tmp_path: Path) -> None:
    """The error says that --debug shows the traceback; at the end of the line, it was refused."""
    (tmp_path / "broken.yaml").write_text("evaluators: [nothing]\nmodel: {backend: scripted}\n")
    for arguments in (["--debug", "run", "broken.yaml"], ["run", "broken.yaml", "--debug"]):
        ran = proctor_command(*arguments, cwd=tmp_path)
        assert "Traceback" in ran.stderr
        assert "No such option" not in ran.stderr


def test_a_run_gives_ctrl_c_back(command_line: Any, config: Any) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert command_line("run", config()).code == 0
    assert signal.getsignal(signal.SIGINT) is before


ODD = """\
import proctor
from proctor import EvaluationResult


class Odd:
    async def __call__(self, client):
        return {}

    async def evaluate(self, client, context):
        metrics = {f"{context.name}/key of :key:": 1.0}
        return EvaluationResult(context.name, metrics, details={"nan": float("nan"), "set": {3}})
"""


def test_the_json_is_strict_whatever_a_result_holds(
    command_line: Any, tmp_path: Path, scripted_backend: Path
) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    (tmp_path / "evals.yaml").write_text(
        "model: {backend: scripted}\nevaluators: [{type: './odd.py:Odd'}]\n"
    )
    printed = command_line("run", "evals.yaml", "--json", "--out", "run")
    assert printed.code == 0, printed.err

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    result = json.loads(printed.out, parse_constant=refuse)["evaluators"]["Odd"]
    assert result["details"] == {"nan": "nan", "set": "{3}"}
    assert "Odd/key of :key:  1" in command_line("show", "run").out

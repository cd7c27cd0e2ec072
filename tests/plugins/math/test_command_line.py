"""The grader by its name in a config, run from the command line."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

ROWS = """
import proctor


class Rows(proctor.Dataset):
    "Questions with a formula for an answer."

    def examples(self):
        for name, target in (("half", "1/2"), ("root", "\\\\sqrt{8}"), ("tower", "4")):
            yield proctor.Example(id=name, input=f"What is {name}?", target=target)
"""

CONFIG = r"""
model:
  backend: scripted
  answers: {half: 'It is $\frac{2}{4}$.', root: 'It is $2\sqrt{2}$.', tower: 'It is $9^{9^{9^9}}$.'}
renderer: role_colon
min_coverage: 0.5
evaluators:
  - name: formulas
    dataset: rows.py:Rows
    graders: [math]
"""


def test_a_run_grades_formulas_in_processes_and_leaves_none(command_line):
    Path("rows.py").write_text(ROWS, encoding="utf-8")
    Path("evals.yaml").write_text(CONFIG, encoding="utf-8")
    before = set(multiprocessing.active_children())
    ended = command_line("run", "evals.yaml", "--out", "run", "--json")
    assert ended.code == 0, ended.err
    grades = [json.loads(line) for line in Path("run/grades.jsonl").read_text().splitlines()]
    graded = [grade["value"] for grade in grades if grade["outcome"] == "graded"]
    assert graded == [1.0, 1.0]
    # a tower of powers can't be decided in time: it is no wrong answer
    (left_open,) = [grade for grade in grades if grade["outcome"] != "graded"]
    assert left_open["outcome"] == "ungraded"
    assert left_open["reason"]
    assert set(multiprocessing.active_children()) <= before

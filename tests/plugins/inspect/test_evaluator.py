"""The evaluator ``inspect``: Inspect's tasks, and our ledger of what became of each sample."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, accuracy, includes, mean, scorer, stderr
from inspect_ai.solver import generate

import proctor
from proctor import EvaluationContext, ProctorError, SamplingOptions
from proctor.testing import Hang, Reply, ScriptedClient
from proctor_inspect import InspectAPIFromTinkerSampling
from proctor_inspect.evaluator import InspectEvaluator

CAPITALS = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Peru": "Lima"}


def capitals_task(name="capitals", scorers=None):
    rows = [
        Sample(f"Capital of {land}?", target=city, id=land.lower())
        for land, city in CAPITALS.items()
    ]
    return Task(dataset=rows, solver=generate(), scorer=scorers or includes(), name=name)


def scripted(**answers):
    def script(prompt, index):
        return next((a for land, a in answers.items() if land in prompt), "I don't know.")

    return ScriptedClient(script)


class Kept:
    """A record sink that keeps everything."""

    def __init__(self):
        self.samples, self.grades = [], []

    def sample(self, record):
        self.samples.append(record)

    def grade(self, record):
        self.grades.append(record)


def evaluated(client, tasks=None, context=None, **options):
    """An evaluation of the capitals with a scripted client: the result, and the records."""
    sink = Kept()
    evaluator = InspectEvaluator(tasks=["capitals"], **options)
    from proctor_inspect import tasks as loading

    evaluator._loaded = loading.load(tasks or [capitals_task()], {})
    settings = {"renderer": "role_colon", "sink": sink, "min_coverage": 0.5, **(context or {})}
    made = EvaluationContext.for_client(client, name="std", **settings)
    return asyncio.run(evaluator.evaluate(client, made)), sink


RIGHT = {land: f"{city}." for land, city in CAPITALS.items()}


def test_scores_intervals_and_inspects_own_metrics(tmp_path):
    result, sink = evaluated(scripted(**{**RIGHT, "Peru": "Cusco"}))
    metrics = result.metrics
    assert metrics["std/score"] == metrics["std/capitals/includes/score"] == 0.75
    assert metrics["std/capitals/includes/accuracy"] == 0.75
    assert metrics["std/capitals/includes/n"] == 4
    assert 0 < metrics["std/capitals/includes/ci_low"] < 0.75
    assert metrics["std/capitals/includes/inspect_stderr"] == pytest.approx(0.25)
    assert len(sink.samples) == 4
    [peru] = [record for record in sink.samples if record["example"] == "peru"]
    assert peru["messages"][-1]["content"] == "Cusco"
    assert peru["calls"][0]["tokens"]
    assert {grade["grader"] for grade in sink.grades} == {"capitals/includes"}


# Story 1: a thinking model ran out of tokens; its unfinished reasoning held the target


def test_an_answer_that_was_cut_off_is_no_success():
    client = scripted(**{**RIGHT, "Peru": Reply("Lima, or rather", "length", ends=False)})
    result, sink = evaluated(client)
    assert result.metrics["std/capitals/includes/score"] == 0.75
    assert result.metrics["std/capitals/includes/truncated"] == 1
    # what Inspect makes of the same answers, which is why ours stands beside it
    assert result.metrics["std/capitals/includes/accuracy"] == 1.0
    [peru] = [record for record in sink.samples if record["example"] == "peru"]
    assert peru["status"] == "truncated"


# Story 2: half the requests failed and accuracy was 1.0; all failed and nothing said so


def test_failed_requests_are_missing_and_withhold_the_score():
    lost = {"Italy": ValueError("no such model"), "Peru": ValueError("no such model")}
    result, _ = evaluated(scripted(**{**RIGHT, **lost}), context={"min_coverage": 0.95})
    assert result.metrics["std/capitals/includes/coverage"] == 0.5
    assert result.metrics["std/capitals/includes/failed"] == 2
    assert "std/score" not in result.metrics
    assert "std/capitals/includes/accuracy" not in result.metrics
    assert "2 of 4 answers" in result.withheld


def test_when_all_samples_fail_it_is_an_error():
    client = ScriptedClient(lambda prompt, index: ValueError("no such model"))
    with pytest.raises(ProctorError, match=r"all 4 samples failed: .*no such model"):
        evaluated(client)


# Story 5: two evaluators in one step crashed each other


def test_several_at_once_queue_and_one_that_fails_leaves_the_others():
    """Two inspect evaluators and a graded one, in one event loop."""

    class Capitals(proctor.Dataset):
        def examples(self):
            for land, city in CAPITALS.items():
                yield proctor.Example(land, f"Capital of {land}?", city)

    def contains(response: str, target: str) -> bool:
        return target in response

    from proctor_inspect import tasks as loading

    async def all_three():
        good, bad = InspectEvaluator(tasks=["a"]), InspectEvaluator(tasks=["b"])
        good._loaded = loading.load([capitals_task()], {})
        bad._loaded = loading.load([capitals_task()], {})
        graded = proctor.GradedEvaluator(dataset=Capitals(), graders=[contains])
        clients = scripted(**RIGHT), ScriptedClient(lambda *_: ValueError("down"))

        def context(client):
            return EvaluationContext.for_client(client, renderer="role_colon")

        return await asyncio.gather(
            good.evaluate(clients[0], context(clients[0]).named("good")),
            bad.evaluate(clients[1], context(clients[1]).named("bad")),
            graded.evaluate(clients[0], context(clients[0]).named("graded")),
            return_exceptions=True,
        )

    good, bad, graded = asyncio.run(all_three())
    assert good.metrics["good/score"] == 1.0
    assert isinstance(bad, ProctorError)
    assert graded.metrics["graded/score"] == 1.0


def test_they_queue_across_threads_too():
    results = []

    def work():
        results.append(evaluated(scripted(**RIGHT))[0].metrics["std/score"])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1.0, 1.0, 1.0]


def test_while_something_outside_runs_inspect_ours_waits(tmp_path):
    async def both():
        from inspect_ai.model import Model

        from proctor_inspect import tasks as loading

        is_asked = asyncio.Event()

        def answer(prompt, index):
            is_asked.set()
            return Reply("Paris", seconds=0.3)

        client = ScriptedClient(answer)
        api = InspectAPIFromTinkerSampling("role_colon", "m", sampling_client=client)
        outside = asyncio.create_task(
            eval_async(
                capitals_task("outside"), model=[Model(api, api_config())], log_dir=str(tmp_path)
            )
        )
        await is_asked.wait()
        ours = InspectEvaluator(tasks=["a"])
        ours._loaded = loading.load([capitals_task()], {})
        mine = scripted(**RIGHT)
        context = EvaluationContext.for_client(mine, name="std", renderer="role_colon")
        result = await ours.evaluate(mine, context)
        return result, (await outside)[0]

    result, outside = asyncio.run(both())
    assert result.metrics["std/score"] == 1.0
    assert outside.status == "success"


def api_config():
    from inspect_ai.model import GenerateConfig

    return GenerateConfig(max_tokens=20)


# Story 6: two tasks on one dataset overwrote each other; only the first scorer was reported


def test_every_task_and_every_scorer_is_reported():
    @scorer(metrics=[accuracy(), stderr()])
    def long_enough():
        async def score(state, target):
            return Score(value="C" if len(state.output.completion) > 5 else "I")

        return score

    @scorer(metrics={"length": [mean()], "vowels": [mean()]})
    def shape():
        async def score(state, target):
            text = state.output.completion
            return Score(value={"length": len(text), "vowels": sum(c in "aeiou" for c in text) / 9})

        return score

    tasks = [
        capitals_task("first", [includes(), long_enough()]),
        capitals_task("second", [includes(), shape()]),
    ]
    result, _ = evaluated(scripted(**RIGHT), tasks)
    names = [grader.grader for grader in result.graders]
    assert names == [
        "first/includes",
        "first/long_enough",
        "second/includes",
        "second/shape.length",
        "second/shape.vowels",
    ]
    assert result.metrics["std/first/long_enough/accuracy"] == 0.5
    lengths = [len(answer) for answer in RIGHT.values()]
    assert result.metrics["std/second/shape.length/mean"] == sum(lengths) / 4
    assert result.metrics["std/second/shape.length/score"] == sum(lengths) / 4


def test_an_unscored_sample_is_missing():
    @scorer(metrics=[accuracy()])
    def sometimes():
        async def score(state, target):
            if "Lima" in state.output.completion:
                return Score.unscored(reason="grader_failed")
            return Score(value="C")

        return score

    result, _ = evaluated(scripted(**RIGHT), [capitals_task(scorers=sometimes())])
    assert result.metrics["std/capitals/sometimes/ungraded"] == 1
    assert result.metrics["std/capitals/sometimes/coverage"] == 0.75


def test_a_value_that_is_no_number_is_no_zero():
    """Inspect warns and takes it for 0."""

    @scorer(metrics=[accuracy()])
    def wordy():
        async def score(state, target):
            return Score(value="excellent" if "Lima" in state.output.completion else "C")

        return score

    result, _ = evaluated(scripted(**RIGHT), [capitals_task(scorers=wordy())])
    assert result.metrics["std/capitals/wordy/ungraded"] == 1
    assert result.metrics["std/capitals/wordy/score"] == 1.0


def test_limit_takes_the_same_samples_and_not_the_first():
    chosen = []
    for seed in range(6):
        _, sink = evaluated(scripted(**RIGHT), limit=2, context={"seed": seed})
        chosen.append({record["example"] for record in sink.samples})
        _, again = evaluated(scripted(**RIGHT), limit=2, context={"seed": seed})
        assert {record["example"] for record in again.samples} == chosen[-1]
    assert len(set(map(frozenset, chosen))) > 1
    assert all(len(ids) == 2 for ids in chosen)


def test_epochs_are_one_cluster_each_and_have_seeds_of_their_own():
    client = scripted(**RIGHT)
    result, sink = evaluated(client, epochs=3)
    assert result.metrics["std/capitals/includes/n"] == 4
    assert {record["index"] for record in sink.samples} == {0, 1, 2}
    assert len({params.seed for params in client.parameters}) == 12


def test_sampling_options_arrive_and_a_tasks_own_come_first():
    client = scripted(**RIGHT)
    sampling = SamplingOptions(max_tokens=33, temperature=0.5, top_p=0.9, top_k=7)
    evaluated(client, sampling=sampling)
    params = client.parameters[0]
    assert (params.max_tokens, params.temperature, params.top_p, params.top_k) == (33, 0.5, 0.9, 7)


def test_a_request_that_hangs_is_a_failed_sample():
    client = scripted(**{**RIGHT, "Peru": Hang()})
    result, _ = evaluated(client, context={"request_timeout": 3.0})
    assert result.metrics["std/capitals/includes/failed"] == 1


def test_logging_hooks_and_the_terminal_stay_as_they_were(capsys, tmp_path):
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.excepthook)
    evaluated(scripted(**RIGHT), context={"folder": tmp_path})
    assert (root.level, list(root.handlers), sys.excepthook) == before
    assert capsys.readouterr().out == ""
    assert len(list((tmp_path / "inspect").glob("*.eval"))) == 1


def test_a_config_runs_it_and_show_reads_it(command_line, tmp_path):
    (tmp_path / "my_tasks.py").write_text(
        "from inspect_ai import Task, task\n"
        "from inspect_ai.dataset import Sample\n"
        "from inspect_ai.scorer import includes\n"
        "@task\n"
        "def capitals():\n"
        "    rows = [Sample('Capital of France?', target='Paris'),\n"
        "            Sample('Capital of Italy?', target='Rome')]\n"
        "    return Task(dataset=rows, scorer=includes())\n"
    )
    config = {
        "model": {"backend": "scripted", "answers": {"France": "Paris", "Italy": "Milan"}},
        "renderer": "role_colon",
        "evaluators": [{"type": "inspect", "tasks": ["./my_tasks.py@capitals"]}],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert printed.code == 0, printed.err
    assert "inspect/capitals/includes  0.500" in printed.out
    assert "Inspect: accuracy 0.5" in printed.out
    shown = command_line("show", "run").out
    assert "Capital of Italy?" in shown
    assert "capitals/includes: graded 0" in shown


def test_a_mistake_is_met_before_the_model_is_opened(command_line, tmp_path, opened_marker):
    config = {
        "model": {"backend": "scripted"},
        "evaluators": [{"type": "inspect", "tasks": ["inspect_evals/ifeval"]}],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert printed.code == 2
    assert "instruction_following_eval" in printed.err
    assert printed.err.count("\n") == 1
    assert not opened_marker.exists()

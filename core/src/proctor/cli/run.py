"""``proctor run``: evaluate a model from a config."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from proctor.cli.interrupts import Interrupts, say_to_a_person
from proctor.cli.main import THREAD_PREFIX

if TYPE_CHECKING:
    from proctor.runs.report import RunReport
    from proctor.runs.run_options import RunOptions
    from proctor.runs.sweep import SweepReport

Result = TypeVar("Result")


@click.command(
    epilog="""\b
Examples:
  proctor run evals.yaml
  proctor run evals.yaml --limit 50 --out runs/first
  proctor run evals.yaml --json > scores.json
  proctor run evals.yaml --model-path tinker://RUN/sampler_weights/step-100
  proctor run evals.yaml --training-run RUN --every-nth 5
  proctor run --task inspect_evals/gsm8k,./my_task.py@qa --model-path tinker://... --renderer qwen3
"""
)
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="TASK,...",
    help="Inspect tasks, in place of a config; the model is that of --model-path or --backend.",
)
@click.option("--backend", metavar="NAME", help="With --task: the model's backend, if not tinker.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The run's folder; else runs/TIME-NAME."
)
@click.option("--limit", type=click.IntRange(min=1), help="Most examples of each evaluator.")
@click.option("--renderer", help="The renderer, in place of the config's.")
@click.option("--seed", type=int, help="The seed, in place of the config's.")
@click.option(
    "--model-path",
    "model_paths",
    multiple=True,
    metavar="PATH",
    help="A checkpoint, tinker://..., in place of the config's model; repeat for a sweep.",
)
@click.option("--training-run", metavar="ID", help="All sampler checkpoints of a training run.")
@click.option(
    "--every-nth",
    type=click.IntRange(min=1),
    metavar="N",
    help="Each n-th checkpoint only, counted back from the last.",
)
@click.option("--strict", is_flag=True, help="A renderer that looks wrong is an error.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def run(**given: Any) -> None:  # what a person gave, as click reads it
    """Evaluate the model of CONFIG, a YAML file, with its evaluators.

    Prints each score with its 95% interval, and keeps every prompt, answer and grade in the run's
    folder. Exits with 1 where too few answers could be graded for a score to be trusted.

    Several checkpoints are a sweep: one run each, in folders of their names, and one table.

    The first Ctrl-C, or SIGTERM or SIGHUP, stops sending and keeps what comes back; the second
    stops at once.
    """
    from proctor.cli.progress import progress_for
    from proctor.cli.terminal import safe_json
    from proctor.runs.json_text import to_document
    from proctor.runs.run_options import RunOptions
    from proctor.runs.sweep import SweepReport

    arguments = Arguments(**given)
    progress = progress_for(sys.stderr)
    options = RunOptions(progress, limit=arguments.limit, is_strict=arguments.strict)
    evaluate, folder = _prepared(arguments, options, progress.say)

    interrupts = Interrupts(options.stop)

    async def execute() -> RunReport | SweepReport:
        task = asyncio.ensure_future(evaluate())
        interrupts.end(task)
        return await task

    # what evaluators print is no part of the results
    as_json = arguments.as_json
    printed = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    try:
        with printed, progress, interrupts:
            report = run_to_its_end(execute())
    except (asyncio.CancelledError, KeyboardInterrupt):
        remove_empty(folder)
        kept = f"what came back is in {folder}" if folder.exists() else "nothing was sampled"
        say_to_a_person(f"interrupted; {kept}")
        raise click.exceptions.Exit(interrupts.exit_code) from None
    except BaseException:
        remove_empty(folder)
        raise
    if as_json:
        click.echo(safe_json(to_document(report.to_json() | {"folder": str(folder)})), nl=False)
    elif isinstance(report, SweepReport):
        _print_sweep(report)
    else:
        _print_report(report)
    if report.status == "interrupted":
        raise click.exceptions.Exit(interrupts.exit_code)
    if report.exit_code:
        raise click.exceptions.Exit(report.exit_code)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the command line gives, by the names that click has for it."""

    config: Path | None
    tasks: tuple[str, ...]
    backend: str | None
    out: Path | None
    limit: int | None
    renderer: str | None
    seed: int | None
    model_paths: tuple[str, ...]
    training_run: str | None
    every_nth: int | None
    strict: bool
    as_json: bool

    def config_file(self) -> Path:
        """The config, or the one that stands in for it."""
        if self.config is None:
            return stand_in_config(self.tasks, self.backend)
        if self.tasks or self.backend:
            raise click.UsageError("--task and --backend stand in place of a config")
        return self.config


def _prepared(
    arguments: Arguments, options: RunOptions, say: Callable[[str], None]
) -> tuple[Callable[[], Awaitable[RunReport | SweepReport]], Path]:
    """Reads the config; returns what evaluates it, and the folder that the run goes to."""
    from proctor.configs.loading import load_config
    from proctor.configs.yaml_file import read_yaml
    from proctor.runs.folder import new_run_folder
    from proctor.runs.offline import run_config
    from proctor.runs.sweep import ChosenCheckpoints, SweepingBackend, run_sweep

    file = arguments.config_file()
    config = read_yaml(file)
    overrides = {"renderer": arguments.renderer, "seed": arguments.seed}
    chosen = ChosenCheckpoints(arguments.model_paths, arguments.training_run, arguments.every_nth)
    loaded = load_config(config, **overrides, model=chosen.model(config.content.get("model")))
    folder = arguments.out or new_run_folder(Path("runs"), file.stem)

    async def evaluate() -> RunReport | SweepReport:
        checkpoints = None
        if isinstance(loaded.backend, SweepingBackend):
            checkpoints = await loaded.backend.checkpoints()
        if checkpoints is None:
            return await run_config(loaded, folder, options)
        return await run_sweep(
            config,
            loaded.options.model,
            checkpoints,
            folder,
            overrides=overrides,
            announce=lambda name: say(f"checkpoint {name}"),
            options=options,
        )

    return evaluate, folder


def stand_in_config(tasks: Sequence[str], backend: str | None) -> Path:
    """A config of Inspect tasks, in a file that is gone when the process ends.

    Args:
        tasks: The tasks, several in a text separated by commas.
        backend: The model's backend; None for tinker, whose model other options name.
    """
    names = [name.strip() for text in tasks for name in text.split(",") if name.strip()]
    if not names:
        raise click.UsageError("give a CONFIG, or --task with the names of Inspect tasks")
    from proctor.components.component import python_file_in

    folder = tempfile.TemporaryDirectory(prefix="proctor-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / "tasks.yaml"
    specs = [python_file_in(Path.cwd(), name) for name in names]
    config = {
        "model": {"backend": backend or "tinker"},
        "evaluators": [{"type": "inspect", "tasks": specs}],
    }
    # JSON is YAML
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def remove_empty(folder: Path) -> None:
    """Removes the folder of a run that never claimed it, and its parent if that is empty too."""
    with contextlib.suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def run_to_its_end(work: Awaitable[Result]) -> Result:
    """Runs a coroutine on an event loop of its own, and waits for nothing that it abandoned.

    ``asyncio.run`` waits until every task has heeded its cancellation, and for every thread: a
    client that hangs would keep the process alive after its run was done.
    """
    loop = asyncio.new_event_loop()
    threads = ThreadPoolExecutor(thread_name_prefix=THREAD_PREFIX)
    loop.set_default_executor(threads)
    task = asyncio.ensure_future(work, loop=loop)
    try:
        while True:
            try:
                return loop.run_until_complete(task)
            except (SystemExit, KeyboardInterrupt):
                # asyncio lets these through from any task: this one was not the run's own
                if task.done():
                    raise
    finally:
        leftover = asyncio.all_tasks(loop)
        for task in leftover:
            task.cancel()
        if leftover:
            loop.run_until_complete(asyncio.wait(leftover, timeout=1.0))
        threads.shutdown(wait=False, cancel_futures=True)


def _print_report(report: RunReport) -> None:
    from rich.console import Console

    from proctor.cli.score_table import print_report
    from proctor.cli.terminal import printable

    console = Console(highlight=False, soft_wrap=True, emoji=False)
    print_report(console, report)
    if report.unwritten is not None:
        console.print(printable(f"not written: {report.unwritten}"), markup=False)
    console.print(printable(f"run: {report.folder}"), markup=False)
    console.print(printable(f"look at the answers: proctor show {report.folder}"), markup=False)


def _print_sweep(sweep: SweepReport) -> None:
    from rich.console import Console

    from proctor.cli.sweep_table import sweep_failures, sweep_table

    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        # a file has no edge to wrap at
        console = Console(highlight=False, emoji=False, width=1000)
    console.print(sweep_table(sweep))
    for line in sweep_failures(sweep):
        console.print(line, markup=False, style="red", soft_wrap=True)
    if sweep.is_interrupted:
        console.print("interrupted: checkpoints that did not come up are not in the table")
    console.print(f"runs: {sweep.folder}", markup=False, soft_wrap=True)

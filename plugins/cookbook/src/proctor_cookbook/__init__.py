"""The bridge to tinker-cookbook."""

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the evaluator."""
    registry.evaluator("cookbook_benchmark", "proctor_cookbook.benchmarks:CookbookBenchmark")

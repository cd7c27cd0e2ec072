"""The evaluator ``inspect``, Inspect's scorers as graders, and its models as backends."""

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the components."""
    registry.evaluator("inspect", "proctor_inspect.evaluator:InspectEvaluator")
    registry.grader("inspect_scorer", "proctor_inspect.scorer_grader:InspectScorer")
    registry.backend("inspect", "proctor_inspect.backend:InspectBackend")
    registry.command("export", "proctor_inspect.command:export")


def __getattr__(name: str) -> Any:
    if name == "InspectAPIFromTinkerSampling":
        from proctor_inspect.model_api.tinker_sampling import InspectAPIFromTinkerSampling

        return InspectAPIFromTinkerSampling
    raise AttributeError(f"module 'proctor_inspect' has no attribute {name!r}")

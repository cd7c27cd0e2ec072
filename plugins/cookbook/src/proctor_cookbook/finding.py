"""Benchmarks and renderers of tinker-cookbook, by name."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING, Any

from proctor import ConfigError, RendererError
from proctor_cookbook import RENDERERS
from proctor_cookbook.renderers import make_renderer

if TYPE_CHECKING:
    from tinker_cookbook.eval.benchmarks import BenchmarkBuilder
    from tinker_cookbook.renderers import Renderer

PACKAGE = "tinker_cookbook.eval.benchmarks"


def find_benchmark(name: str) -> BenchmarkBuilder:
    """The benchmark of a name, whose module registers it when it is imported.

    Raises:
        ConfigError: There is none, or its module needs a package that is not installed.
    """
    from tinker_cookbook.eval import benchmarks

    modules = sorted({m.name for m in pkgutil.iter_modules(benchmarks.__path__)})
    # a module may register several, such as aime_2026 of aime
    for module in sorted(modules, key=lambda m: -len(m)):
        if name in benchmarks.REGISTRY:
            break
        if name.startswith(module.removeprefix("_").split("_")[0]):
            _import_benchmark(f"{PACKAGE}.{module}", name)
    if name in benchmarks.REGISTRY:
        return benchmarks.REGISTRY[name]
    known = sorted({*benchmarks.REGISTRY, *(m for m in modules if not m.startswith("_"))})
    near = difflib.get_close_matches(name, known, n=1)
    raise ConfigError(
        f"tinker-cookbook has no benchmark {name!r}",
        fix=f"did you mean {near[0]!r}?" if near else f"its benchmarks: {', '.join(known)}",
    )


def _import_benchmark(module: str, name: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        raise ConfigError(
            f"the benchmark {name!r} needs the package {missing!r}", fix=f"pip install {missing}"
        ) from error


def renderer_for(name: str | None, base_model: str, tokenizer: Any) -> tuple[str, Renderer]:
    """tinker-cookbook's renderer for a model, and its name.

    Args:
        name: The renderer's name; None for the one that tinker-cookbook recommends.
        base_model: The model's name.
        tokenizer: The model's tokenizer.

    Raises:
        RendererError: There is no such renderer, or none is known for the model.
    """
    from tinker_cookbook import model_info

    if name is None:
        try:
            name = model_info.get_recommended_renderer_name(base_model)
        except Exception as error:
            raise RendererError(
                f"tinker-cookbook knows no renderer for {base_model!r}",
                fix="add 'renderer: NAME', one of its names",
            ) from error
    elif name not in RENDERERS:
        near = difflib.get_close_matches(name, RENDERERS, n=1)
        raise RendererError(
            f"tinker-cookbook has no renderer {name!r}",
            fix=f"did you mean {near[0]!r}?" if near else f"its renderers: {', '.join(RENDERERS)}",
        )
    return name, make_renderer(name, tokenizer)

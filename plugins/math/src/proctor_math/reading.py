"""Formulas as math-verify reads them, whole or not at all."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from proctor_math.notation import Notation


@cache
def _extraction() -> list[Any]:
    r"""What math-verify is to read: LaTeX only.

    Beside it, it would take the first number of what it can't read: ``1`` of ``1-\frac{1}{``. And
    its own list of units holds single letters: it reads ``3t`` as 3. Units are taken off before.
    """
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig

    # it warns with each answer that its timers are off, which they have to be: the pool's run
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    return [
        LatexExtractionConfig(
            normalization_config=NormalizationConfig(
                basic_latex=True,
                units=False,
                malformed_operators=True,
                nits=True,
                boxed="none",
                equations=False,
            )
        )
    ]


def read_formula(notation: Notation) -> Any | None:
    """The formula as sympy's expression; None where it can't be read from end to end."""
    from math_verify import parse

    if notation.has_scattered_numbers or not notation.latex or "$" in notation.latex:
        return None
    found = parse(f"${notation.latex}$", _extraction(), parsing_timeout=None)
    return _region(found[0]) if found and not isinstance(found[0], str) else None


def _region(reading: Any) -> Any:
    """The set of ``x<1`` or ``x>2``, which math-verify keeps as a set of two inequalities."""
    import sympy
    from sympy.core.relational import Relational

    inequalities = isinstance(reading, sympy.FiniteSet) and all(
        isinstance(part, Relational) and not isinstance(part, sympy.Eq) for part in reading.args
    )
    if not inequalities or len(reading.free_symbols) != 1:
        return reading
    try:
        return sympy.Or(*reading.args).as_set()
    except Exception:  # sympy solves no such inequality; it stays what it was
        return reading


def is_equal(target: Any, answer: Any) -> bool:
    """Math-verify's own verdict.

    Raises:
        RecursionError: It had no room for one, and the like.
    """
    from math_verify import verify

    try:
        return bool(
            verify(
                target,
                answer,
                timeout_seconds=None,
                raise_on_error=True,
                allow_set_relation_comp=True,
            )
        )
    except (RecursionError, MemoryError, OverflowError):
        raise
    except Exception:
        # what it can't compare, such as a matrix with an interval, it holds for unequal
        return False

"""What math-verify calls equal and is not: numbers that are only near each other."""

from __future__ import annotations

from typing import Any

EXACT = 1e-12
"""The relative difference of numbers that are the same, with room for how they are computed."""

ROUNDED = 1e-4
"""The relative difference of a decimal from what it stands for, as 0.333333 from 1/3."""


def are_near(target: Any, answer: Any) -> bool:
    """Whether two readings that math-verify holds for equal are so at higher precision."""
    import sympy

    left_sides = {_left_side(target), _left_side(answer)}
    if len(left_sides) == 2 and None not in left_sides:
        return True  # an equation in another form, which math-verify has solved
    target, answer = _value(target), _value(answer)
    if target == answer:
        return True
    if isinstance(target, sympy.MatrixBase) and isinstance(answer, sympy.MatrixBase):
        return all(map(are_near, target.flat(), answer.flat()))
    one, other = _elements(target), _elements(answer)
    if one is not None and other is not None:
        return len(one) == len(other) and all(
            any(are_near(element, candidate) for candidate in other) for element in one
        )
    if isinstance(target, sympy.Expr) and isinstance(answer, sympy.Expr):
        return _are_near_expressions(target, answer)
    return True  # nothing here that a precision could tell apart


def holds_for_numbers(relation: Any) -> bool | None:
    """Whether a relation without variables is true; None for others."""
    import sympy

    if not isinstance(relation, sympy.Eq) or relation.free_symbols:
        return None
    if not isinstance(relation.lhs, sympy.Expr) or not isinstance(relation.rhs, sympy.Expr):
        return None
    return _are_near_expressions(relation.lhs, relation.rhs)


def is_statement(relation: Any) -> bool:
    """Whether an equation says what something is, as ``x=5`` and ``f(2)=5`` do."""
    import sympy
    from latex2sympy2_extended import is_expr_of_only_symbols
    from latex2sympy2_extended.logic import And

    first = relation._unsorted_args[0] if isinstance(relation, And) else relation
    if not isinstance(first, sympy.Eq):
        return True
    left = first.lhs
    return (
        not left.free_symbols
        or is_expr_of_only_symbols(left)
        or isinstance(left, (sympy.Function, sympy.Derivative, sympy.Integral, sympy.Sum))
    )


def canonical(reading: Any) -> str:
    """One spelling of a reading, for telling which answers agree."""
    import sympy

    value = _value(reading)
    elements = _elements(value)
    if elements is not None and not isinstance(value, sympy.Interval):
        names = {element.lhs for element in elements if isinstance(element, sympy.Eq)}
        # x=1 and x=2 are 1 and 2; x=1 and y=2 are not
        keys = [canonical(element) if len(names) < 2 else str(element) for element in elements]
        return "{" + ", ".join(sorted(keys)) + "}"
    try:
        done = value.doit()
        return str(sympy.nsimplify(done, rational=True) if done.is_number else done)
    except Exception:  # too large to be written out; a wrong key only parts answers that agree
        return str(value)


def _value(reading: Any) -> Any:
    """The right side of ``x = 5``, and everything else as it is."""
    import sympy
    from latex2sympy2_extended.logic import And

    if isinstance(reading, And):
        reading = reading._unsorted_args[-1]
    return reading.rhs if isinstance(reading, sympy.Eq) else reading


def _left_side(reading: Any) -> Any | None:
    import sympy

    return reading.lhs if isinstance(reading, sympy.Eq) else None


def _elements(value: Any) -> list[Any] | None:
    import sympy

    if isinstance(value, sympy.Interval):
        return [value.start, value.end]
    if isinstance(value, (sympy.FiniteSet, sympy.Tuple)):
        return list(value.args)
    return None


def _are_near_expressions(target: Any, answer: Any) -> bool:
    import sympy

    symbols = sorted(target.free_symbols | answer.free_symbols, key=str)
    # values without a pattern that a formula could happen to share
    places = {symbol: sympy.Rational(7 * n + 11, 5 * n + 8) for n, symbol in enumerate(symbols)}
    numbers = []
    for expression in (target, answer):
        number = expression.subs(places).doit().evalf(30)
        if not number.is_number or not number.is_finite:
            return True
        numbers.append(number)
    first, second = numbers
    size = max(abs(first), abs(second))
    if size == 0 or first == second:
        return True
    difference = abs(first - second) / size
    if difference < EXACT:
        return True
    if first == 0 or second == 0 or size < 1e-25:
        # a difference of equal terms leaves noise where it should leave nothing
        return bool((target - answer).equals(0))
    floats = [expression.has(sympy.Float) for expression in (target, answer)]
    exact = [
        not has_float and not _is_terminating(expression)
        for has_float, expression in zip(floats, (target, answer), strict=True)
    ]
    # a decimal may be the rounding of what has no end, and of nothing else
    return bool(any(floats) and any(exact) and difference < ROUNDED)


def _is_terminating(expression: Any) -> bool:
    """Whether a number has a last decimal."""
    import sympy

    value = expression.doit() if not expression.free_symbols else expression
    if not isinstance(value, sympy.Rational):
        return False
    rest = int(value.q)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1

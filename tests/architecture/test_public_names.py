"""What ``proctor`` exports: one table, for people and for type checkers."""

from __future__ import annotations

import ast

import proctor


def test_every_public_name_resolves():
    missing = [name for name in proctor.__all__ if not hasattr(proctor, name)]
    assert missing == []
    assert len(set(proctor.__all__)) == len(proctor.__all__)


def test_type_checkers_see_the_names_that_run_time_has(core):
    """The imports under TYPE_CHECKING and the lazy table must not drift apart."""
    module = next(module for module in core.modules if module.name == "proctor")
    seen = {
        (found.module, found.name)
        for found in module.imports
        if found.deferred and found.package == "proctor"
    }
    lazy = {(home, name) for home, names in proctor._HOMES.items() for name in names}
    assert seen == lazy


def test_no_name_is_imported_before_it_is_used(core):
    module = next(module for module in core.modules if module.name == "proctor")
    at_once = [found.module for found in module.imports if not found.deferred]
    assert [name for name in at_once if name.startswith("proctor")] == []
    assert any(isinstance(node, ast.FunctionDef) for node in module.tree.body)

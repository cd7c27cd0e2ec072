"""The reference of hooks in the docs is what the hook specifications say."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import re

from proctor.plugins import hook_arguments, hookspecs


def test_the_reference_is_what_the_specifications_say(root):
    spec = importlib.util.spec_from_file_location("generate_hooks", root / "docs/generate_hooks.py")
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    written = (root / "docs" / "hooks.md").read_text(encoding="utf-8")
    assert written == generator.reference(), "run: python docs/generate_hooks.py"


def test_every_hook_with_its_arguments_is_in_it(root):
    written = (root / "docs" / "hooks.md").read_text(encoding="utf-8")
    hooks = {n: h for n, h in vars(hookspecs).items() if n.startswith("proctor_")}
    assert len(hooks) >= 7
    for name, hook in hooks.items():
        assert f"## `{name}({', '.join(inspect.signature(hook).parameters)})`" in written


def test_every_attribute_of_what_hooks_are_given_is_in_it(root):
    written = (root / "docs" / "hooks.md").read_text(encoding="utf-8")
    for name in ("folder", "record", "step", "name", "metrics", "withheld", "details"):
        assert f"\n- `{name}`: " in written
    fields = {field.name for field in dataclasses.fields(hook_arguments.ObservedRun)}
    assert fields <= set(re.findall(r"^- `(\w+)`: ", written, re.MULTILINE))

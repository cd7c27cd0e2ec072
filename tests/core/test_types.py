from __future__ import annotations

import proctor


def test_a_component_may_have_options_that_are_messages() -> None:
    class Opening(proctor.Component):
        """Begins a conversation."""

        message: proctor.Message

    made = Opening(message={"role": "user", "content": [{"type": "text", "text": "Hello"}]})
    assert made.message["role"] == "user"


def test_targets_are_always_a_list() -> None:
    def targets(target: object, choices: tuple[str, ...] | None = None) -> list[str]:
        return proctor.Example(id="e", input="?", target=target, choices=choices).targets

    assert targets(None) == []
    assert targets("a") == ["a"]
    assert targets(["a", "b"]) == ["a", "b"]
    assert targets(1, ("x", "y")) == ["y"]


def test_a_models_key_tells_checkpoints_apart() -> None:
    def key(**parts: str) -> str:
        return proctor.ModelIdentity(backend="tinker", base_model="m", **parts).key

    assert len({key(checkpoint="tinker://a"), key(checkpoint="tinker://b"), key(session="s")}) == 3

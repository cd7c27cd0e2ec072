"""What a judge reads before a vote: the prompts of one answer."""

from __future__ import annotations

from collections.abc import Sequence

from proctor import Example, Message, Sample, text_with_images
from proctor_judge.fencing import fill
from proctor_judge.rubric import DATA, TEMPLATES, Rubric


def make_ballots(rubric: Rubric, example: Example, sample: Sample) -> list[str]:
    """The prompts of one vote: for a pair, one in each order."""
    targets = [target for target in example.targets if target.strip()]
    texts = {
        "question": _conversation(example.messages),
        "target": "\n".join(targets) if len(targets) < 2 else _any_of(targets),
        "answer": sample.text,
        **rubric.told(),
    }
    template = rubric.template or TEMPLATES[rubric.kind]
    if rubric.kind != "pairwise":
        return [fill(template, texts, DATA[:3])]
    orders = ((sample.text, targets[0]), (targets[0], sample.text))
    return [
        fill(
            template,
            texts | {"answer_a": first, "answer_b": second},
            ("question", "answer_a", "answer_b"),
        )
        for first, second in orders
    ]


def _conversation(messages: Sequence[Message]) -> str:
    """The question as a text; a conversation with its roles, an image with what says it is one."""
    if len(messages) == 1:
        return text_with_images(messages[0])
    return "\n\n".join(f"[{m['role']}]\n{text_with_images(m)}" for m in messages)


def _any_of(targets: Sequence[str]) -> str:
    return "Any of these is right:\n" + "\n".join(f"- {target}" for target in targets)

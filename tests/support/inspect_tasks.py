"""The five example datasets that come with Inspect, three rows each, as Inspect tasks."""

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, MemoryDataset, example_dataset
from inspect_ai.scorer import f1, includes


def _three(name: str, fields: FieldSpec | None = None) -> MemoryDataset:
    rows = list(example_dataset(name, fields))[:3]
    for number, row in enumerate(rows):
        row.id = f"{name}-{number}"
    return MemoryDataset(rows, name=name)


@task
def theory_of_mind() -> Task:
    return Task(dataset=_three("theory_of_mind"), scorer=includes())


@task
def biology_qa() -> Task:
    fields = FieldSpec(input="question", target="answer")
    return Task(dataset=_three("biology_qa", fields), scorer=includes())


@task
def popularity() -> Task:
    fields = FieldSpec(input="question", target="answer_matching_behavior")
    return Task(dataset=_three("popularity", fields), scorer=includes())


@task
def bias_detection() -> Task:
    return Task(dataset=_three("bias_detection"), scorer=includes())


@task
def security_guide() -> Task:
    return Task(dataset=_three("security_guide"), scorer=f1())

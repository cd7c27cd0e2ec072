"""An Inspect task of one's own, with a model sampled through Proctor as its judge.

It is the example of Tinker's documentation with its imports changed. The sampling client here is a
model on this machine; with a Tinker checkpoint it is that of ``tinker.ServiceClient``.

    python examples/inspect_judge.py
"""

import asyncio

from inspect_ai import Task, eval_async, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, Model
from inspect_ai.scorer import model_graded_qa
from inspect_ai.solver import generate

import proctor
from proctor_inspect import InspectAPIFromTinkerSampling

QA_DATASET = MemoryDataset(
    name="qa_dataset",
    samples=[
        Sample(input="What is the capital of France?", target="Paris"),
        Sample(input="What is the capital of Italy?", target="Rome"),
    ],
)


def model_over(sampling_client: object, max_tokens: int) -> Model:
    """Inspect's model over a sampling client."""
    api = InspectAPIFromTinkerSampling(
        renderer_name="chat_template",
        model_name="HuggingFaceTB/SmolLM2-135M-Instruct",
        sampling_client=sampling_client,
        verbose=False,
    )
    return Model(api=api, config=GenerateConfig(temperature=0.0, max_tokens=max_tokens))


@task
def example_lm_as_judge(grader_model: Model) -> Task:
    """Questions, answered by the model and graded by the judge."""
    return Task(
        name="llm_as_judge",
        dataset=QA_DATASET,
        solver=generate(),
        scorer=model_graded_qa(
            instructions="Grade strictly against the target text as general answer key. "
            "Respond 'GRADE: C' if correct or 'GRADE: I' otherwise.",
            partial_credit=False,
            model=grader_model,
        ),
    )


async def main() -> None:
    """Runs the task and prints what became of it."""
    opened = await proctor.open_model("local")
    grader_model = model_over(opened.client, max_tokens=48)
    logs = await eval_async(
        example_lm_as_judge(grader_model=grader_model),
        model=[model_over(opened.client, max_tokens=24)],
        log_dir="inspect-logs",
    )
    for log in logs:
        print(log.status, log.eval.model)
        for score in log.results.scores if log.results else []:
            numbers = {name: metric.value for name, metric in score.metrics.items()}
            print(score.name, numbers, "unscored:", score.unscored_samples)


if __name__ == "__main__":
    asyncio.run(main())

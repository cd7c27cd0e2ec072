"""The grader ``inspect_scorer``: a scorer of Inspect's, on answers that Proctor sampled."""

from __future__ import annotations

from typing import Any

from pydantic import Field, PrivateAttr, model_validator

from proctor import ConfigError, Example, Grade, Grader, Sample, UngradedError


class InspectScorer(Grader):
    """A scorer of Inspect AI's, such as match, includes or model_graded_qa."""

    scorer: str
    """The scorer's name in Inspect, or PACKAGE/NAME for one of a package's."""
    args: dict[str, Any] = Field(default_factory=dict)
    """The scorer's arguments."""

    grading_timeout = 600.0

    _scorer: Any = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _exists(self) -> InspectScorer:
        from inspect_ai._util.registry import registry_find, registry_info, registry_lookup

        name = self.scorer if "/" in self.scorer else f"inspect_ai/{self.scorer}"
        if (
            registry_lookup("scorer", name) is None
            and registry_lookup("scorer", self.scorer) is None
        ):
            import difflib

            import inspect_ai.scorer  # noqa: F401, registers Inspect's own

            known = {
                registry_info(found).name.removeprefix("inspect_ai/")
                for found in registry_find(lambda info: info.type == "scorer")
            }
            near = difflib.get_close_matches(self.scorer, known, n=1)
            if self.scorer not in known:
                raise ConfigError(
                    f"Inspect has no scorer {self.scorer!r}",
                    fix=f"did you mean {near[0]!r}?"
                    if near
                    else f"it has {', '.join(sorted(known))}",
                )
        return self

    async def open(self) -> None:
        """Makes the scorer.

        Raises:
            ConfigError: Its arguments are wrong.
        """
        from inspect_ai._util.registry import registry_create, registry_lookup

        name = self.scorer
        if registry_lookup("scorer", name) is None:
            name = f"inspect_ai/{name}"
        try:
            self._scorer = registry_create("scorer", name, **self.args)
        except Exception as error:
            raise ConfigError(
                f"the scorer can't be made: {error}", where=f"inspect_scorer {self.scorer}"
            ) from error

    async def grade(self, example: Example, sample: Sample) -> Grade:
        """Has the scorer look at the answer, as at the end of a task.

        Raises:
            UngradedError: It gave no value.
        """
        from inspect_ai.model import ModelName, ModelOutput
        from inspect_ai.scorer import Target
        from inspect_ai.solver import TaskState

        from proctor_inspect.log_reading import scored
        from proctor_inspect.messages import to_chat_message, to_inspect

        assert sample.answer is not None
        messages = [to_chat_message(message) for message in sample.messages[:-1]]
        answer = to_inspect(sample.answer, "proctor")
        output = ModelOutput.from_message(answer)
        asked: Any = example.input if isinstance(example.input, str) else list(messages)
        # of two equal options either is right
        target = Target(example.letters or example.targets)
        state = TaskState(
            model=ModelName("proctor/model"),
            sample_id=example.id,
            epoch=sample.index + 1,
            input=asked,
            messages=[*messages, answer],
            target=target,
            choices=list(example.choices) if example.choices else [],
            output=output,
            completed=True,
            metadata=dict(example.metadata),
        )
        score = await self._scorer(state, target)
        if score is None:
            raise UngradedError("the scorer gave no score")
        value = scored(score.value, score)
        metadata = dict(score.metadata or {}) | {"inspect_value": score.value}
        if value.number is None:
            raise UngradedError(str(value.reason), metadata=metadata)
        return Grade(value.number, score.explanation, metadata)

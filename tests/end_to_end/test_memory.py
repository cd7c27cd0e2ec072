"""Many rows in the memory of few."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SCRIPT = textwrap.dedent(
    """
    import asyncio, resource, sys
    import proctor, tinker
    from proctor.testing import ByteTokenizer

    class Rows(proctor.Dataset):
        "Rows without end."

        n: int

        def examples(self):
            for i in range(self.n):
                yield proctor.Example(id=f"row-{i}", input=f"Question {i}?", target="A")

    class Right(proctor.Grader):
        "Everything is right."

        def grade(self, example, sample) -> bool:
            return example.target in sample.text

    class Instantaneous:
        def __init__(self):
            sequence = tinker.SampledSequence(
                stop_reason="stop", sequence_id="1", _tokens_list=[65, 256]
            )
            self.response = tinker.SampleResponse(sequences=[sequence])

        def get_tokenizer(self):
            return ByteTokenizer()

        async def sample(self, prompt, num_samples, sampling_params):
            return self.response

    evaluator = proctor.GradedEvaluator(
        name="rows", dataset=Rows(n=int(sys.argv[1])), graders=[Right()], renderer="role_colon"
    )
    metrics = asyncio.run(evaluator(Instantaneous()))
    assert metrics["rows/score"] == 1.0 and metrics["rows/Right/n"] == int(sys.argv[1])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    """
)


def peak_megabytes(rows: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(rows)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_two_hundred_thousand_rows_take_no_more_than_200_bytes_each() -> None:
    few, many = 1_000, 201_000
    small, large = peak_megabytes(few), peak_megabytes(many)
    print(f"peak memory: {small:.0f} MB for {few:,} rows, {large:.0f} MB for {many:,}")
    assert (large - small) * 1e6 < 200 * (many - few)

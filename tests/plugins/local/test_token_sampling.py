import math

import pytest
import torch

from proctor_local.token_sampling import choose_tokens

PROBABILITIES = [0.4, 0.3, 0.15, 0.1, 0.05]


def generators(rows, seed=0):
    return [torch.Generator().manual_seed(1000 * seed + row) for row in range(rows)]


def frequencies(probabilities, *, temperature=1.0, top_k=-1, top_p=1.0, draws=20_000):
    """How often each token comes out."""
    tokens = choose_tokens(
        torch.tensor(probabilities).log().float().repeat(draws, 1),
        [temperature] * draws,
        [top_k] * draws,
        [top_p] * draws,
        generators(draws),
    )
    counts = torch.bincount(tokens, minlength=len(probabilities))
    return (counts / draws).tolist()


# Four standard errors of a frequency from 20,000 draws; the seeds are fixed.
def close(expected):
    return pytest.approx(expected, abs=4 * (0.25 / 20_000) ** 0.5)


def test_tokens_come_as_often_as_their_probability():
    assert frequencies(PROBABILITIES) == close(PROBABILITIES)


def test_temperature_raises_probabilities_to_its_inverse():
    heated = [p ** (1 / 0.5) for p in PROBABILITIES]
    expected = [p / sum(heated) for p in heated]
    assert frequencies(PROBABILITIES, temperature=0.5) == close(expected)


@pytest.mark.parametrize("shuffled", [[0, 1, 2, 3, 4], [3, 0, 4, 2, 1]])
@pytest.mark.parametrize(
    ("limits", "support"),
    [
        ({"top_k": 1}, 1),
        ({"top_k": 3}, 3),
        ({"top_k": 99}, 5),
        ({"top_k": 0}, 5),
        ({"top_p": 0.39}, 1),
        ({"top_p": 0.41}, 2),
        ({"top_p": 0.69}, 2),
        ({"top_p": 0.71}, 3),
        ({"top_p": 0.999}, 5),
        ({"top_p": 1e-9}, 1),
        # 0.4 and 0.3 are 82% of what top_k leaves, so the third is not needed for 80%.
        ({"top_k": 3, "top_p": 0.8}, 2),
        ({"top_k": 2, "top_p": 0.99}, 2),
    ],
)
def test_limits_leave_the_likeliest_tokens_at_their_odds(limits, support, shuffled):
    kept = [p if index < support else 0.0 for index, p in enumerate(PROBABILITIES)]
    expected = [kept[index] / sum(kept) for index in shuffled]
    found = frequencies([PROBABILITIES[index] for index in shuffled], **limits)
    assert found == close(expected)
    assert [f > 0 for f in found] == [p > 0 for p in expected]


def test_each_row_has_its_own_settings():
    logits = torch.tensor(PROBABILITIES).log().repeat(6, 1)
    found = {row: set() for row in range(6)}
    for seed in range(300):
        tokens = choose_tokens(
            logits,
            [0.0, 1.0, 1.0, 1.0, 1.0, 1e-40],
            [-1, -1, 2, -1, 1, -1],
            [1.0, 1.0, 1.0, 0.8, 1.0, 1.0],
            generators(6, seed),
        )
        for row, token in enumerate(tokens.tolist()):
            found[row].add(token)
    assert found == {0: {0}, 1: {0, 1, 2, 3, 4}, 2: {0, 1}, 3: {0, 1, 2}, 4: {0}, 5: {0}}


def test_a_row_draws_from_its_own_generator_alone():
    """Whatever else is in the batch, greedy or not."""
    logits = torch.randn(3, 200, generator=torch.Generator().manual_seed(5))

    def tokens(rows, temperatures):
        own = {row: torch.Generator().manual_seed(row) for row in rows}
        drawn = []
        for _ in range(20):
            chosen = choose_tokens(
                logits[rows], temperatures, [-1] * len(rows), [1.0] * len(rows), list(own.values())
            )
            drawn.append(chosen.tolist())
        return drawn

    alone = [step[0] for step in tokens([2], [1.0])]
    assert len(set(alone)) > 5
    assert [step[2] for step in tokens([0, 1, 2], [1.0, 0.0, 1.0])] == alone


def test_the_last_bits_of_the_logits_rarely_change_a_choice():
    rows, size = 400, 5000
    logits = 2 * torch.randn(rows, size, generator=torch.Generator().manual_seed(5))
    noise = 1e-5 * torch.randn(rows, size, generator=torch.Generator().manual_seed(6))
    limits = [1.0] * rows, [-1] * rows, [1.0] * rows
    first = choose_tokens(logits, *limits, generators(rows))
    second = choose_tokens(logits + noise, *limits, generators(rows))
    assert (first != second).sum() == 0


def test_tokens_that_are_impossible_never_come():
    logits = torch.tensor([-math.inf, 0.0, -math.inf, 0.0])
    tokens = choose_tokens(
        logits.repeat(200, 1), [1.0] * 200, [3] * 200, [1.0] * 200, generators(200)
    )
    assert set(tokens.tolist()) == {1, 3}

import asyncio
import math

import pytest
from geography_evals.capital_bits import CapitalBits
from geography_evals.country_capitals import CountryCapitals
from geography_evals.place_name import PlaceName

from proctor import Example
from proctor.testing import (
    ScriptedClient,
    check_dataset,
    check_evaluator,
    check_grader,
    check_plugin,
    grade_answer,
)

BOGOTA = Example("colombia", "What is the capital of Colombia?", "Bogotá")


def test_plugin_is_sound():
    check_plugin("geography-evals")


def test_grader_keeps_the_rules():
    check_grader(PlaceName())
    check_grader("place_name", list(CountryCapitals(continent="Americas").examples()))


@pytest.mark.parametrize(("accents", "grade"), [(False, 1), (True, 0)])
def test_accents_count_where_they_should(accents, grade):
    assert grade_answer(PlaceName(accents=accents), BOGOTA, "bogota.").grade.value == grade


def test_dataset_keeps_the_rules():
    check_dataset(CountryCapitals)
    asian = CountryCapitals(continent="Asia").examples()
    assert [example.target for example in asian] == ["Tokyo", "Seoul"]


@pytest.mark.parametrize("evaluator", ["capitals", "capital_bits", CapitalBits("Asia")])
def test_evaluators_keep_the_rules(evaluator):
    check_evaluator(evaluator)


def test_bits_are_those_of_the_answer_alone():
    client = ScriptedClient(lambda prompt, index: "")  # one token a byte, each of logprob -1
    metrics = asyncio.run(CapitalBits("Asia")(client))
    assert metrics == {"bits_per_capital": pytest.approx(5 / math.log(2))}

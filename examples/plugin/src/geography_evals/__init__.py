"""The entry module: it names things, as strings, and imports nothing that costs time."""

from proctor import hookimpl


@hookimpl
def proctor_register(registry):
    registry.dataset("country_capitals", "geography_evals.country_capitals:CountryCapitals")
    registry.grader("place_name", "geography_evals.place_name:PlaceName")
    registry.evaluator("capital_bits", "geography_evals.capital_bits:CapitalBits")
    registry.evaluator(
        "capitals",
        {
            "dataset": "geography-evals/country_capitals",
            "graders": ["geography-evals/place_name"],
            "system": "Answer with the name of the city, and nothing else.",
        },
    )

"""Runs: evaluators on a model, in one folder."""

"""Datasets: where examples come from, and which of them are asked."""

"""Grading: from an example and a sample to a grade."""

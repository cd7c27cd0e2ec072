"""Sampling: one request to a model, and who the model is."""

"""Scoring: from outcomes to estimates, and from estimates to metrics."""

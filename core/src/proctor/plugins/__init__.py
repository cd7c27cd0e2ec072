"""Plugins: found, loaded one by one, kept apart from each other's mistakes."""

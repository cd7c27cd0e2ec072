"""Components: typed options, a version, a fingerprint, a life."""

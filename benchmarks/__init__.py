"""Chalkgrad and its rivals at the same work, in alternating rounds."""

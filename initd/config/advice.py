"""Warnings: what supervisord passes over in silence, each with file, line and cure."""

from __future__ import annotations

from initd.config.records import Loaded, Problem


def advise(loaded: Loaded) -> tuple[Problem, ...]:
    """The warnings of a file."""
    return loaded.warnings

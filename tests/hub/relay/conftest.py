"""Engines for the relay's tests."""

from tests.support.engines import _root_engine, engine

__all__ = ["_root_engine", "engine"]

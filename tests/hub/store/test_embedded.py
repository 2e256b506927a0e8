"""The embedded store keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.store.base import Store
from hub.store.embedded import Embedded
from tests.contract.cluster_contract import ClusterContract
from tests.contract.samples_contract import SamplesContract
from tests.contract.store_contract import FactsContract, TrustContract


class Opening:
    """Gives the embedded store to the contract."""

    @pytest.fixture
    def opening(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: Embedded(str(tmp_path / "store"))


class TestFacts(Opening, FactsContract):
    """Agents and facts."""


class TestTrust(Opening, TrustContract):
    """Commands, audit, tokens and keys."""


class TestSamples(Opening, SamplesContract):
    """Samples."""


class TestCluster(Opening, ClusterContract):
    """Leases of hubs and last-seen times of agents."""

"""The store on Redis keeps the contract: on one server and on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hub.store.base import Store
from hub.store.redis.address import Access
from hub.store.redis.store import RedisStore
from tests.contract.cluster_contract import ClusterContract
from tests.contract.samples_contract import SamplesContract
from tests.contract.store_contract import FactsContract, TrustContract
from tests.support.redis import Cluster, Server

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("redis"))
    yield found
    found.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.kill()


class OnOne:
    """Gives a store on one server to the contract."""

    @pytest.fixture
    def opening(self, server: Server) -> Callable[[], Store]:
        with server.client() as client:
            client.flushall()
        return lambda: RedisStore(server.address, Access())


class OnCluster:
    """Gives a store on a cluster to the contract."""

    @pytest.fixture
    def opening(self, cluster: Cluster) -> Callable[[], Store]:
        cluster.flush()
        return lambda: RedisStore(cluster.address, Access())


class TestFacts(OnOne, FactsContract):
    """Agents and facts."""


class TestTrust(OnOne, TrustContract):
    """Commands, audit, tokens and keys."""


class TestSamples(OnOne, SamplesContract):
    """Samples."""


class TestHubs(OnOne, ClusterContract):
    """Leases of hubs and last-seen times of agents."""


class TestFactsOnCluster(OnCluster, FactsContract):
    """Agents and facts."""


class TestTrustOnCluster(OnCluster, TrustContract):
    """Commands, audit, tokens and keys."""


class TestSamplesOnCluster(OnCluster, SamplesContract):
    """Samples."""


class TestHubsOnCluster(OnCluster, ClusterContract):
    """Leases of hubs and last-seen times of agents."""

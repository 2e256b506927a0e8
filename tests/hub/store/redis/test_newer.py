"""The store keeps the contract on Redis 8 and on Valkey 8, too: on one server and on a cluster."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from hub.store.base import Store
from hub.store.redis.address import Access
from hub.store.redis.store import RedisStore
from tests.contract.cluster_contract import ClusterContract
from tests.contract.samples_contract import SamplesContract
from tests.contract.store_contract import FactsContract, TrustContract
from tests.lab import newer_redis
from tests.support.redis import Cluster, Server
from tests.support.services import absent, need_root

pytestmark = [pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(scope="module", params=list(newer_redis.KINDS))
def program(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if shutil.which("mmdebstrap") is None:
        absent(f"a {request.param}", "apt-get install mmdebstrap")
    need_root()
    return newer_redis.command(request.param)


@pytest.fixture(scope="module", params=["one", "cluster"])
def servers(
    request: pytest.FixtureRequest, program: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server | Cluster]:
    make = Server if request.param == "one" else Cluster
    found = make(tmp_path_factory.mktemp("newer"), program=program)
    yield found
    found.kill()


class OnNewer:
    """Gives a store on one of them to the contract."""

    @pytest.fixture
    def opening(self, servers: Server | Cluster) -> Callable[[], Store]:
        for node in [servers] if isinstance(servers, Server) else servers.nodes:
            with node.client() as client:
                client.flushall()
        return lambda: RedisStore(servers.address, Access())


class TestFacts(OnNewer, FactsContract):
    """Agents and facts."""


class TestTrust(OnNewer, TrustContract):
    """Commands, audit, tokens and keys."""


class TestSamples(OnNewer, SamplesContract):
    """Samples."""


class TestHubs(OnNewer, ClusterContract):
    """Leases of hubs and last-seen times of agents."""


def test_it_is_what_it_is_called(program: tuple[str, ...], servers: Server | Cluster) -> None:
    node = servers if isinstance(servers, Server) else servers.nodes[0]
    with node.client() as client:
        found = client.info("server")
    version = found.get("valkey_version") if "valkey" in program[-1] else found["redis_version"]
    assert str(version).startswith("8.")

"""The one place that speaks to Redis: connects, sends, names what went wrong, and stays calm while nobody answers.

Theory.  Every call is one command, one script, or a bundle of commands that need not be atomic together; each touches
keys of one slot only, so it runs on a single server and on a cluster alike.  redis-py finds the node, follows MOVED and
ASK, and asks the Sentinels for the new primary.  Every call may be sent twice - a reply that was lost looks like a
request that was lost - so every call is made so that the second sending changes nothing.

A server that is away costs a time-out at each try.  The store's thread has samples to take meanwhile, so after a
failure calls fail at once, until a pause is over (PAUSES, growing); then one call tries again.  The error is an OSError
too, and so the samples treat it as they treat a disk that is full: they stay in memory while there is room.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
import redis.cluster
import redis.sentinel
from redis.backoff import ConstantBackoff
from redis.crc import key_slot
from redis.exceptions import (
    AuthenticationError,
    ClusterError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.retry import Retry

from hub.store.errors import StoreError, Unwritable
from hub.store.redis.address import Access, Address

__all__ = ["Away", "Link", "Script", "one_of"]

ClusterNode: Any = redis.cluster.ClusterNode
RedisCluster: Any = redis.cluster.RedisCluster
Sentinel: Any = redis.sentinel.Sentinel
"""redis-py leaves these without types."""

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0
"""How long one try waits for an answer: an fsync of a busy disk takes a second."""

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between a failure and the next try."""

WAIT_MS = 2000
"""How long replicas may take to confirm a write."""

_GONE = (redis.ConnectionError, redis.TimeoutError, ClusterError, RedisClusterException, ReadOnlyError, TryAgainError)
_REFUSED = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "UNBLOCKED", "NOREPLICAS", "MISCONF", "TRYAGAIN")

T = TypeVar("T")


class Away(Unwritable, OSError):
    """Redis does not answer, or cannot write now.  Trying again later is right; what was sent may have been done."""


class Script:
    """A Lua script with the digest that Redis knows it by."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Link:
    """A connection to one Redis, used by one thread.  Methods raise StoreError: Away, or what the server objects to."""

    def __init__(self, address: Address, access: Access, clock: Callable[[], float] = time.monotonic) -> None:
        self.address, self.access, self._clock = address, access, clock
        self._client: Any = None
        self._failures, self._again, self._why = 0, 0.0, ""

    def call(self, *command: Any) -> Any:
        """One command."""
        return self._guarded(lambda client: client.execute_command(*command))

    def many(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Several commands, sent together, each for itself; what one of them objects to is raised at the end."""
        return self._guarded(lambda client: self._bundle(client, commands)) if commands else []

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        """A script; all keys are of one slot."""

        def effect(client: Any) -> Any:
            try:
                return client.execute_command("EVALSHA", script.digest, len(keys), *keys, *args)
            except NoScriptError:
                return client.execute_command("EVAL", script.text, len(keys), *keys, *args)

        return self._guarded(effect)

    def confirm(self, key: str) -> None:
        """Return when as many replicas as asked for have everything written so far to the node of this key.

        WAIT counts what its own connection wrote; there is one thread, so the pool hands out the same one again.
        """
        wanted = self.access.replicas
        if not wanted:
            return
        have = self._guarded(lambda client: self._wait(client, key, wanted))
        if have < wanted:
            raise Away(f"{self}: only {have} of {wanted} replicas (redis_replicas) have the write; not acknowledged")

    def run_id(self, key: str) -> str:
        """What tells the server that has this key from any other, and from itself before a restart."""
        info = one_of(self._guarded(lambda client: self._info(client, key)))
        return str(info.get("run_id", ""))

    def keys(self, prefix: str, near: str) -> list[str]:
        """The keys with this beginning on the node that has the key `near`."""

        def effect(client: Any) -> list[str]:
            where = {"target_nodes": client.get_node_from_key(near)} if isinstance(client, RedisCluster) else {}
            found = client.scan_iter(match=prefix + "*", count=1000, **where)
            return sorted({name.decode() for name in found})

        return self._guarded(effect)

    def servers(self) -> dict[str, Callable[..., Any]]:
        """A way to ask each primary, by its name."""
        client = self._connected()
        if not isinstance(client, RedisCluster):
            return {str(self): client.execute_command}
        return {node.name: _asker(client, node) for node in client.get_primaries()}

    def close(self) -> None:
        """Give the connections back."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __str__(self) -> str:
        address = self.address
        hosts = ",".join(f"{host}:{port}" for host, port in address.hosts)
        return f"redis{'+' + address.kind if address.kind else ''} {hosts}{' ' + address.name if address.name else ''}"

    # -- inside ------------------------------------------------------------------------------------------------------

    def _bundle(self, client: Any, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The short way first; where connections or slots are not as they were, all of it again by redis-py's."""
        try:
            return _by_node(client, commands) if isinstance(client, RedisCluster) else _straight(client, commands)
        except (redis.ConnectionError, RedisClusterException, ResponseError):
            pass
        bundle = client.pipeline() if isinstance(client, RedisCluster) else client.pipeline(transaction=False)
        for command in commands:
            bundle.execute_command(*command)
        return list(bundle.execute())

    def _info(self, client: Any, key: str) -> Any:
        if isinstance(client, RedisCluster):
            return client.execute_command("INFO", "server", target_nodes=client.get_node_from_key(key))
        return client.execute_command("INFO", "server")

    def _wait(self, client: Any, key: str, wanted: int) -> int:
        if isinstance(client, RedisCluster):
            node = client.get_node_from_key(key)
            return int(client.execute_command("WAIT", wanted, WAIT_MS, target_nodes=node))
        return int(client.execute_command("WAIT", wanted, WAIT_MS))

    def _guarded(self, effect: Callable[[Any], T]) -> T:
        """The effect's result; errors as ours, and none tried while the pause after the last lasts."""
        if self._clock() < self._again:
            raise Away(self._why)
        try:
            done = effect(self._connected())
        except (*_GONE, OSError, IndexError) as error:  # a cluster that is not whole yet raises IndexError
            raise self._pause(error) from None
        except RedisError as error:
            raise self._objection(error) from None
        self._failures = 0
        return done

    def _pause(self, error: Exception) -> StoreError:
        if isinstance(error, AuthenticationError):
            return StoreError(f"{self}: {_line(error)}; see redis_user and redis_password_file")
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self._again = self._clock() + pause
        self._why = f"{self} does not answer ({_line(error)})"
        return Away(self._why)

    def _objection(self, error: RedisError) -> StoreError:
        text = _line(error)
        if text.startswith(_REFUSED):
            return self._pause(error)
        if isinstance(error, OutOfMemoryError) or text.startswith("OOM"):
            return Unwritable(f"{self} is full (maxmemory): {text}; give it more, or the hub a smaller sample_budget")
        return StoreError(f"{self}: {text}")

    def _connected(self) -> Any:
        if self._client is None:
            self._client = connect(self.address, self.access)
        return self._client


def connect(address: Address, access: Access) -> Any:
    """A client for this address; raises redis-py's errors."""
    options: dict[str, Any] = {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        "username": access.user or None,
        "password": access.password or None,
        "protocol": 2,
    }
    if address.tls:
        options |= {"ssl": True, "ssl_ca_certs": access.ca or None}
        options |= {"ssl_certfile": access.cert or None, "ssl_keyfile": access.key or None}
    retry = Retry(ConstantBackoff(0.05), 1)  # once: for a connection that a restart of the server has closed
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        few = Retry(ConstantBackoff(0.05), 2)
        return RedisCluster(startup_nodes=nodes, retry=few, require_full_coverage=False, **options)
    if address.kind == "sentinel":
        sentinels = Sentinel(list(address.hosts), sentinel_kwargs=dict(options), retry=retry, **options)
        return sentinels.master_for(address.name)
    if address.kind == "unix":
        return redis.Redis(unix_socket_path=address.name, retry=retry, **options)
    host, port = address.hosts[0]
    return redis.Redis(host, port, address.database, retry=retry, **options)


def _by_node(client: Any, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Replies of a cluster's nodes, each asked once; the one key of a command is its second word."""
    nodes: defaultdict[Any, list[int]] = defaultdict(list)
    for number, command in enumerate(commands):
        nodes[client.nodes_manager.get_node_from_slot(key_slot(command[1].encode()))].append(number)
    replies: dict[int, Any] = {}
    for node, numbers in nodes.items():
        found = _straight(client.get_redis_connection(node), [commands[number] for number in numbers])
        replies |= zip(numbers, found, strict=True)
    return [replies[number] for number in range(len(commands))]


def _straight(client: Any, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Replies of one server as they come: a pipeline without what redis-py does for each command of it.

    Raises the first objection, when all replies are read.
    """
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        replies = [_reply(connection) for _ in commands]
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise reply
    return replies


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _asker(client: Any, node: Any) -> Callable[..., Any]:
    return lambda *command: client.execute_command(*command, target_nodes=node)


def one_of(found: Any) -> dict[str, Any]:
    """A reply about one server as a map, whatever shape the client gave it."""
    if isinstance(found, dict):
        inner = list(found.values())
        if len(inner) == 1 and isinstance(inner[0], dict):
            return one_of(inner[0])
        found = [word for pair in found.items() for word in pair]
    values = [value.decode() if isinstance(value, bytes) else value for value in found]
    return dict(zip(values[::2], values[1::2], strict=True))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

"""Ports of this machine that nobody else takes while a test needs them to be its own."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager


def _mine() -> list[int]:
    """Ports for this test process alone, in an order by chance.

    They are below those that the system gives to connections and to whoever asks for any port, so that nobody
    takes one between the choice and the hub's start, or while a killed hub is away.
    """
    first = 15_000 + 1_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16)
    return random.sample(range(first, first + 1_000), 1_000)


_PORTS = itertools.cycle(_mine())


def free_port() -> int:
    """A port nobody listens on now, and no other test will; another one with every call."""
    for port in itertools.islice(_PORTS, 1_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")


@contextmanager
def kept(port: int) -> Iterator[None]:
    """Keep a port whose server was stopped: connections are refused, and only who asks for this very port gets it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        yield

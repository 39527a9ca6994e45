"""A connection that ends before TLS begins is closed, not left to the garbage collector."""

import socket
import struct

import pytest

from edge.report.tls import Tls, make_context
from tests.brokers import HOST, wait_until

NO_TIME = struct.pack("ii", 1, 0)


def reset_by_peer() -> socket.socket:
    """A client's end of a connection whose other end was closed by RST."""
    with socket.create_server((HOST, 0)) as server:
        client = socket.create_connection(server.getsockname())
        there, _ = server.accept()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_TIME)
        there.close()

    def gone() -> bool:
        try:
            client.getpeername()
        except OSError:
            return True
        return False

    wait_until(gone, "the reset")
    return client


def test_a_connection_reset_before_the_handshake_is_closed_at_once() -> None:
    with pytest.raises(ConnectionResetError):
        make_context(Tls()).wrap_socket(reset_by_peer(), server_hostname=HOST, do_handshake_on_connect=False)

"""The metastore's port: a thread for each of Spark's connections."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import traceback

from localaws.glue_jobs.metastore import thrift
from localaws.glue_jobs.metastore.interface import METHODS, STRUCTS
from localaws.glue_jobs.metastore.metastore import Metastore, Refusal


def start(metastore: Metastore) -> int:
    """The port on 127.0.0.1 at which it answers as long as the process lives."""

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(EOFError, ConnectionError):
                while True:
                    self.wfile.write(_answer(metastore, thrift.Reader(self.rfile, STRUCTS)))

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metastore", daemon=True).start()
    return int(server.server_address[1])


def _answer(metastore: Metastore, reader: thrift.Reader) -> bytes:
    """The whole message of the answer to the call that comes next. Raises EOFError."""
    name, number = reader.message()
    method = METHODS.get(name)
    given = reader.struct(method.arguments if method else ())
    if method is None:
        return _failure(
            name,
            number,
            thrift.UNKNOWN_METHOD,
            f"localaws does not emulate {name} of the Hive metastore.",
        )
    writer = thrift.Writer(STRUCTS)
    try:
        result = {"success": metastore.call(name, given)}
    except Refusal as refusal:
        declared = {field.name for field in method.result}
        kind = refusal.kind if refusal.kind in declared else "MetaException"
        result = {kind: {"message": refusal.message}}
    except Exception as error:
        traceback.print_exc()  # to the run's error log
        return _failure(name, number, thrift.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    writer.message(name, thrift.REPLY, number)
    writer.struct(method.result, result)
    return writer.sent()


def _failure(name: str, number: int, kind: int, message: str) -> bytes:
    writer = thrift.Writer(STRUCTS)
    writer.message(name, thrift.EXCEPTION, number)
    writer.struct(STRUCTS["TApplicationException"], {"message": message, "type": kind})
    return writer.sent()

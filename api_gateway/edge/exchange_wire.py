"""Receives the exchanges that the edge copies: Envoy's external processing service, in observability mode.

The message types are built at run time with the field numbers of `envoy/service/ext_proc/v3/external_processor.proto`:
the generated package would bring a top-level module `envoy` that the binary's own wheel already uses.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory, struct_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from api_gateway.edge.exchange import UNLISTED, Assembly, Copy, Exchange, Headers
from api_gateway.errors import EnvironmentFault

__all__ = ["Copy", "Exchange", "ExchangeServer", "Headers", "serve_exchanges"]

IN_FLIGHT_LIMIT = 64  # exchanges being received or handled; the rest is skipped whole
UNLISTED_LIMIT = 0.25  # of them; what is not listed never keeps an exchange of a route from being received
_SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
_PACKAGE = "banyan.ext_proc"

OnExchange = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class ExchangeServer:
    """A running receiver. `skipped` counts exchanges dropped whole because too many were in flight."""

    port: int
    on_exchange: OnExchange
    limit: int
    in_flight: int = 0
    skipped: int = 0
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)
    _server: grpc.aio.Server | None = None

    async def stop(self, grace: float = 0.5) -> None:
        """End the open streams, then wait `grace` seconds for what is being handled."""
        if self._server is not None:
            await self._server.stop(grace)
        if self._handlers:
            _, late = await asyncio.wait(self._handlers, timeout=grace)
            for task in late:
                task.cancel()

    async def process(self, pieces: AsyncIterator[Any], context: Any) -> AsyncIterator[bytes]:
        """One exchange is one stream. It is closed as soon as nothing more is wanted; Envoy waits for nothing."""
        assembly = _begun(dict(context.invocation_metadata() or ()))
        is_unlisted = assembly.why == UNLISTED
        if self.in_flight >= self.limit * (UNLISTED_LIMIT if is_unlisted else 1):
            self.skipped += not is_unlisted
            return
        self.in_flight += 1
        try:
            async for piece in pieces:
                _feed(assembly, piece)
                if assembly.is_finished:
                    break
        finally:  # also when the consumer left in the middle: that call counts, and is incomplete
            self.in_flight -= 1
            if assembly.request.has_head:
                self._hand_over(assembly.exchange(time.monotonic()))
        return
        yield b""  # a stream that never answers is still a generator

    def _hand_over(self, exchange: Exchange) -> None:
        self.in_flight += 1
        task = asyncio.ensure_future(self._handle(exchange))
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)

    async def _handle(self, exchange: Exchange) -> None:
        try:
            await self.on_exchange(exchange)
        finally:
            self.in_flight -= 1


async def serve_exchanges(
    port: int, on_exchange: OnExchange, *, host: str = "127.0.0.1", limit: int = IN_FLIGHT_LIMIT
) -> ExchangeServer:
    """Listen for exchanges; `on_exchange` is awaited once for each, up to `limit` at a time.

    `port` 0 asks for a free one. `on_exchange` is not to raise: an exception ends in asyncio's handler.
    Raises EnvironmentFault when the port is taken.
    """
    receiver = ExchangeServer(port, on_exchange, limit)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 8 << 20), ("grpc.so_reuseport", 0)])
    method = grpc.stream_stream_rpc_method_handler(
        receiver.process, request_deserializer=_Request.FromString, response_serializer=bytes
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"Process": method}),))
    try:
        receiver.port = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        raise EnvironmentFault(f"port {port} for exchanges is taken.", hint="BANYAN_OBSERVER_PORT moves it.") from None
    receiver._server = server
    await server.start()
    return receiver


def _begun(metadata: dict[str, Any]) -> Assembly:
    return Assembly(
        route_name=str(metadata.get("x-banyan-route", "")),
        why=str(metadata.get("x-banyan-why", "")),
        copied=Copy(str(metadata.get("x-banyan-copy", Copy.whole))),
        started=time.monotonic(),
    )


def _feed(assembly: Assembly, piece: Any) -> None:
    kind = piece.WhichOneof("request")
    if kind == "request_headers":
        assembly.source_address = _source_address(piece) or assembly.source_address
        assembly.request_head(_headers(piece.request_headers), end=piece.request_headers.end_of_stream)
    elif kind == "request_body":
        assembly.request_piece(piece.request_body.body, end=piece.request_body.end_of_stream)
    elif kind == "response_headers":
        assembly.response_head(_headers(piece.response_headers), end=piece.response_headers.end_of_stream)
    elif kind == "response_body":
        assembly.response_piece(piece.response_body.body, end=piece.response_body.end_of_stream)


def _headers(message: Any) -> Headers:
    return tuple((pair.key.encode("latin-1"), pair.raw_value) for pair in message.headers.headers)


def _source_address(piece: Any) -> str:
    for group in piece.attributes.values():
        if "source.address" in group.fields:
            return str(group.fields["source.address"].string_value).rpartition(":")[0].strip("[]")
    return ""


def _message_types() -> Any:
    """The class of `ProcessingRequest`, in a pool of its own so that it can collide with nobody's."""
    kind = FieldDescriptorProto
    file = FileDescriptorProto(
        name="banyan/ext_proc.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[struct_pb2.DESCRIPTOR.name],
    )

    def add(message: DescriptorProto, name: str, number: int, of: int | str, *, repeated: bool = False) -> Any:
        added = message.field.add(name=name, number=number)
        added.label = kind.LABEL_REPEATED if repeated else kind.LABEL_OPTIONAL
        if isinstance(of, str):
            added.type, added.type_name = kind.TYPE_MESSAGE, of
        else:
            added.type = of  # type: ignore[assignment]  # grpc-stubs: an enum is an int
        return added

    value = file.message_type.add(name="HeaderValue")
    add(value, "key", 1, kind.TYPE_STRING)
    add(value, "raw_value", 3, kind.TYPE_BYTES)
    header_map = file.message_type.add(name="HeaderMap")
    add(header_map, "headers", 1, f".{_PACKAGE}.HeaderValue", repeated=True)
    head = file.message_type.add(name="HttpHeaders")
    add(head, "headers", 1, f".{_PACKAGE}.HeaderMap")
    add(head, "end_of_stream", 3, kind.TYPE_BOOL)
    body = file.message_type.add(name="HttpBody")
    add(body, "body", 1, kind.TYPE_BYTES)
    add(body, "end_of_stream", 2, kind.TYPE_BOOL)

    request = file.message_type.add(name="ProcessingRequest")
    request.oneof_decl.add(name="request")
    parts = (("request_headers", 2, "HttpHeaders"), ("response_headers", 3, "HttpHeaders"))
    for name, number, of in (*parts, ("request_body", 4, "HttpBody"), ("response_body", 5, "HttpBody")):
        add(request, name, number, f".{_PACKAGE}.{of}").oneof_index = 0
    entry = request.nested_type.add(name="AttributesEntry")
    entry.options.map_entry = True
    add(entry, "key", 1, kind.TYPE_STRING)
    add(entry, "value", 2, ".google.protobuf.Struct")
    add(request, "attributes", 9, f".{_PACKAGE}.ProcessingRequest.AttributesEntry", repeated=True)

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.ProcessingRequest"))


_Request = _message_types()

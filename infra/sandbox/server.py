"""Puts a sandbox service on a loopback port, for SDKs that want to speak HTTP.

    PYTHONPATH=infra python -m sandbox.server --service xero --port 0

prints `listening http://127.0.0.1:PORT` as soon as it answers. `/_sandbox/…` is the control interface, everything
else is the service. `--help` after `--service NAME` lists what that service can be told.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from typing import Protocol, cast

from aiohttp import web

from sandbox.wire import Request, SandboxService

SERVICES = ("amazon", "xero")
# Larger than anything a client may send; the services have limits of their own.
_LARGEST_BODY = 32 * 1024 * 1024


class ServicePackage(Protocol):
    """What `sandbox.amazon` and `sandbox.xero` offer."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def build(self, namespace: argparse.Namespace) -> SandboxService: ...


class SandboxServer:
    """One service behind HTTP. The service itself only ever sees one request at a time, so it stays atomic."""

    def __init__(self, service: SandboxService, latency: float = 0.0) -> None:
        self.service = service
        self.latency = latency

    async def answer(self, incoming: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        request = Request.to(incoming.method, incoming.raw_path, headers=headers, body=await incoming.read())
        if request.path.startswith("/_sandbox/"):
            response = self.service.control(request)
            return web.Response(status=response.status, body=response.body, headers=response.headers)
        self.service.begin(request)
        try:
            response = self.service.handle(request)
            if self.latency + response.delay > 0:
                await asyncio.sleep(self.latency + response.delay)
        finally:
            self.service.end(request)
        if response.dropped:
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response()  # reaches nobody: the connection is gone
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def start(self, host: str, port: int) -> tuple[web.AppRunner, str]:
        """Listen; the address really used is returned. Port 0 lets the system choose."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self.answer)
        # Requests carry buyer data and tokens: none of the server's own logs.
        runner = web.AppRunner(application, access_log=None, auto_decompress=True)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        server = cast(asyncio.Server, site._server)
        bound_host, bound_port = server.sockets[0].getsockname()[:2]
        return runner, f"http://{bound_host}:{bound_port}"


def main(arguments: list[str]) -> None:
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--service", choices=SERVICES)
    chosen, _ = first.parse_known_args(arguments)
    parser = argparse.ArgumentParser(prog="python -m sandbox.server", description=__doc__.splitlines()[0])
    parser.add_argument("--service", choices=SERVICES, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, chooses a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every answer takes (default %(default)s)")
    package: ServicePackage | None = None
    if chosen.service:
        # By name, so that one service runs without what only the other needs.
        package = cast(ServicePackage, importlib.import_module(f"sandbox.{chosen.service}"))
        package.add_arguments(parser)
    namespace = parser.parse_args(arguments)
    if package is not None:
        asyncio.run(_serve(SandboxServer(package.build(namespace), namespace.latency), namespace.host, namespace.port))


async def _serve(server: SandboxServer, host: str, port: int) -> None:
    runner, address = await server.start(host, port)
    print(f"listening {address}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)

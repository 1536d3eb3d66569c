"""Serve a sandbox on a loopback port, for SDKs that need a real HTTP endpoint.

    PYTHONPATH=infra python -m sandbox.server --service xero --port 0

It prints `listening http://127.0.0.1:PORT` as soon as it accepts connections. Paths under `/_sandbox/` are the control
interface; every other path belongs to the service. `--service NAME --help` lists the options of that service.
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
# Larger than any request a client may send; each service enforces its own limit.
_MAX_BODY_BYTES = 32 * 1024 * 1024


class ServicePackage(Protocol):
    """The interface of the packages `sandbox.amazon` and `sandbox.xero`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def build(self, namespace: argparse.Namespace) -> SandboxService: ...


class SandboxServer:
    """Serve one sandbox over HTTP. The sandbox handles one request at a time, so each request is atomic."""

    def __init__(self, service: SandboxService, latency: float = 0.0) -> None:
        self.service = service
        self.latency = latency

    async def start(self, host: str, port: int) -> tuple[web.AppRunner, str]:
        """Start listening and return the bound address. Port 0 lets the operating system choose a free port."""
        application = web.Application(client_max_size=_MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self.respond)
        # No access log: requests carry buyer data and tokens.
        runner = web.AppRunner(application, access_log=None, auto_decompress=True)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        server = cast(asyncio.Server, site._server)
        bound_host, bound_port = server.sockets[0].getsockname()[:2]
        return runner, f"http://{bound_host}:{bound_port}"

    async def respond(self, incoming: web.Request) -> web.StreamResponse:
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
            return web.Response()  # never sent: the connection is closed
        return web.Response(status=response.status, body=response.body, headers=response.headers)


def main(arguments: list[str]) -> None:
    service_parser = argparse.ArgumentParser(add_help=False)
    service_parser.add_argument("--service", choices=SERVICES)
    selected, _ = service_parser.parse_known_args(arguments)
    parser = argparse.ArgumentParser(prog="python -m sandbox.server", description=__doc__.splitlines()[0])
    parser.add_argument("--service", choices=SERVICES, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (the default) selects a free port")
    parser.add_argument("--latency", type=float, default=0.0, help="delay of every response, in seconds (default 0)")
    package: ServicePackage | None = None
    if selected.service:
        # Imported by name, so that one service runs without the dependencies of the other.
        package = cast(ServicePackage, importlib.import_module(f"sandbox.{selected.service}"))
        package.add_arguments(parser)
    namespace = parser.parse_args(arguments)
    if package is not None:
        server = SandboxServer(package.build(namespace), namespace.latency)
        asyncio.run(_serve_forever(server, namespace.host, namespace.port))


async def _serve_forever(server: SandboxServer, host: str, port: int) -> None:
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

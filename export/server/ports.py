"""Opens the ports: gRPC with its services, and REST."""

import logging

import grpc
from grpc_health.v1 import health
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha import reflection_pb2_grpc
from tensorflow_serving.apis import model_service_pb2
from tensorflow_serving.apis import model_service_pb2_grpc

from export.server import demo
from export.server import flags
from export.server import services
from export.server import text_configs
from export.server.calls import Registrar

MOST_BYTES = 2**31 - 1


def credentials(options):
    """The credentials of `--ssl_config_file`; None without it; errors as in `read_ssl`."""
    config = text_configs.read_ssl(options.ssl_config_file)
    if config is None:
        return None
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


async def register(app, server) -> None:
    """Add all services of `app` to `server`."""
    options = app.options
    registrar = Registrar(server, app.calls)
    services.PredictionService(app.predictor).register(registrar)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        services.ModelService(app.predictor, app.manager.configure), registrar
    )
    # Both files have to be imported for reflection to find the messages.
    names = [
        services.PREDICTION,
        model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
    ]
    if options.enable_grpc_healthcheck_service:
        health_pb2_grpc.add_HealthServicer_to_server(app.health, registrar)
        for name in [*names, *(name.rpartition(".")[2] for name in names)]:
            await app.health.set(name, health_pb2.HealthCheckResponse.ServingStatus.SERVING)
        names.append(health.SERVICE_NAME)
    if options.enable_grpc_reflection:
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
            reflection.aio.ReflectionServicer([*names, reflection.SERVICE_NAME]), registrar
        )


async def open_grpc(app, credentials) -> grpc.aio.Server:
    """A started server with all services of `app`.

    Raises:
        ValueError: a port is not available.
    """
    options = app.options
    arguments = {
        "grpc.max_receive_message_length": MOST_BYTES,
        "grpc.max_send_message_length": MOST_BYTES,
        # Otherwise a second server on the same port would receive half of the calls.
        "grpc.so_reuseport": 0,
        # Clients in Go and Java ping idle connections every 10 s if told to keep them alive. By
        # default two such pings within 5 minutes end the connection (too_many_pings).
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_ping_interval_without_data_ms": 5_000,
        "grpc.http2.min_recv_ping_interval_without_data_ms": 5_000,
    } | dict(flags.channel_arguments(options.grpc_channel_arguments))
    server = grpc.aio.server(options=list(arguments.items()))
    await register(app, server)
    addresses = [flags.address(options, options.port)] if options.port else []
    if options.grpc_socket_path:
        addresses.append(f"unix:{options.grpc_socket_path}")
    for address in addresses:
        try:
            if credentials:
                server.add_secure_port(address, credentials)
            else:
                server.add_insecure_port(address)
        except RuntimeError as error:
            raise ValueError(f"cannot listen on {address}: {error}") from None
    await server.start()
    return server


def _silent():
    logger = logging.getLogger("export.server.rest")
    logger.setLevel(logging.CRITICAL)
    return logger


async def open_rest(app, metrics_path: str):
    """The handler of REST, and the aiohttp runner that runs it.

    Raises:
        ValueError: the port is not available.
    """
    from aiohttp import web

    from export.server.rest import Rest

    options = app.options
    rest = Rest(
        app.predictor,
        metrics_path,
        options.rest_api_timeout_in_ms / 1000,
        options.rest_api_max_body_bytes,
        options.rest_api_max_unpacked_bytes or options.rest_api_max_body_bytes // 128,
        options.rest_api_enable_cors_support,
        demo.enabled(options),
    )
    runner = web.AppRunner(
        rest.application(),
        access_log=None,
        # Callers that do not speak HTTP/1 get 400; no traceback for each.
        logger=_silent(),
        handle_signals=False,
        # Cancel the request of a caller who has disconnected.
        handler_cancellation=True,
        # Seconds for which the rest of a body that was refused is read.
        lingering_time=0.5,
        # aiohttp waits once for requests to end, and as long again after it has cancelled reading.
        shutdown_timeout=options.drain_seconds / 2,
    )
    await runner.setup()
    try:
        # asyncio opens :: for IPv6 alone, and gRPC for IPv4 too.
        host = None if options.host == "::" else options.host
        await web.TCPSite(runner, host, options.rest_api_port).start()
    except OSError as error:
        where = flags.address(options, options.rest_api_port)
        raise ValueError(f"cannot listen on {where}: {error}") from None
    return rest, runner

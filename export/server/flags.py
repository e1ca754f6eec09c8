"""The flags: names, meanings and defaults of `tensorflow_model_server` wherever it has them.

This module imports no TensorFlow, so that `--help` answers at once.
"""

import types

from zoo.cli import commands

USAGE = """A server that speaks TensorFlow Serving's protocol.

usage: python -m export.server --model_name=bigan --model_base_path=served/bigan [flags]"""

FLAGS = {
    "host": (
        "127.0.0.1",
        "Address to listen on, such as ::1; 0.0.0.0, or :: with IPv6, for all of them, as "
        "tensorflow_model_server does.",
    ),
    "front": (
        "grpc",
        "Who speaks HTTP/2: grpc, or envoy, which needs the extra encoder-gan-zoo[envoy]; "
        "docs/serving.md compares them.",
    ),
    "port": (8500, "Port of gRPC; 0 for none."),
    "grpc_socket_path": ("", "UNIX socket on which gRPC listens as well."),
    "rest_api_port": (0, "Port of REST; 0 for none."),
    "rest_api_timeout_in_ms": (30000, "Longest run for a REST call; 0 for no limit."),
    "rest_api_max_body_bytes": (2**31 - 1, "Most bytes of the body of a REST call; else 413."),
    "rest_api_max_unpacked_bytes": (
        0,
        "Most bytes of a compressed body once it is unpacked; 0: a 128th of "
        "--rest_api_max_body_bytes.",
    ),
    "rest_api_enable_cors_support": (False, "Let web pages of other sites call REST."),
    "enable_demo": (
        bool,
        "A page at / of the REST port to try the models in a browser; by default if --host is a "
        "loopback address.",
    ),
    "model_name": ("default", "Name of the one model (without --model_config_file)."),
    "model_base_path": ("", "Its folder, which holds one folder per version, named by a number."),
    "model_config_file": (
        "",
        "ModelServerConfig as text: several models, policies, labels. If given, --model_name and "
        "--model_base_path are ignored.",
    ),
    "model_config_file_poll_wait_seconds": (0, "Seconds between looks at that file; 0: none."),
    "file_system_poll_wait_seconds": (1, "Seconds between looks for versions; 0: at start only."),
    "allow_version_labels_for_unavailable_models": (
        False,
        "Let a label that is not in use point at a version that is not available yet.",
    ),
    "max_num_load_retries": (5, "Further tries of a load that fails."),
    "load_retry_interval_micros": (60_000_000, "Microseconds between them."),
    "num_load_threads": (1, "Versions that are loaded at the same time."),
    "saved_model_tags": ("serve", "Tags of the graph to load, with commas."),
    "enable_model_warmup": (
        True,
        "Replay assets.extra/tf_serving_warmup_requests before a version is available; without "
        "that file, run each signature once on zeros.",
    ),
    "num_request_iterations_for_warmup": (1, "How often each recorded request is replayed."),
    "enable_batching": (False, "Run requests that wait for the same signature together."),
    "batching_parameters_file": ("", "BatchingParameters as text."),
    "enable_per_model_batching_parameters": (
        False,
        "Take them from <version>/batching_params.pbtxt; versions without it are not batched.",
    ),
    "monitoring_config_file": ("", "MonitoringConfig as text; metrics are on the REST port."),
    "ssl_config_file": ("", "SSLConfig as text: TLS for gRPC, client certificates."),
    "grpc_channel_arguments": (
        "",
        "Arguments of the gRPC server, a=b,c=d, such as "
        "grpc.max_receive_message_length=4194304 (by default 2^31 - 1).",
    ),
    "enable_grpc_healthcheck_service": (True, "grpc.health.v1, for the server and per model."),
    "enable_grpc_reflection": (True, "Server reflection, for command-line clients."),
    "enable_serialization_as_tensor_content": (False, "Outputs as raw bytes, not as float_val."),
    "enable_shape_check": (
        True,
        "Compare shapes with the signature before running. tensorflow_model_server does not: "
        "there a wrong rank can end the process.",
    ),
    "tensorflow_session_parallelism": (0, "Both of the following."),
    "tensorflow_intra_op_parallelism": (0, "Threads inside one operation; 0: as many as cores."),
    "tensorflow_inter_op_parallelism": (
        0,
        "Operations of a run at the same time, and runs without queue; 0: every run keeps to its "
        "own thread.",
    ),
    "tensorflow_session_config_file": ("", "A tensorflow.ConfigProto as text; flags win over it."),
    "per_process_gpu_memory_fraction": (
        0.0,
        "Share of the GPU's memory that TensorFlow takes, up to 1; 0: TensorFlow's own default.",
    ),
    "drain_seconds": (30, "How long a server that is stopping waits for open calls."),
    "version": (False, "Print the version and exit."),
}
IGNORED, REFUSED = "ignored", "refused"
# Flags of tensorflow_model_server that are not implemented: default, treatment, reason. Values that
# would change answers, security or resources are refused.
OTHERS = {
    "rest_api_num_threads": (0, IGNORED, "one event loop reads all calls"),
    "grpc_max_threads": (0, IGNORED, "one event loop reads all calls"),
    "num_unload_threads": (0, IGNORED, "versions are unloaded on the event loop"),
    "flush_filesystem_caches": (True, IGNORED, "the server caches no files"),
    "remove_unused_fields_from_bundle_metagraph": (True, IGNORED, "it only saves memory"),
    "num_tflite_pools": (1, IGNORED, "TFLite models are not served"),
    "num_tflite_interpreters_per_pool": (1, IGNORED, "TFLite models are not served"),
    "enable_signature_method_name_check": (
        False,
        IGNORED,
        "it concerns Classify and Regress, which are not served",
    ),
    "enable_profiler": (True, IGNORED, "there is no profiler service"),
    "skip_initialize_tpu": (False, IGNORED, "TPUs are not used"),
    "prefer_tflite_model": (False, REFUSED, "TFLite models are not served"),
    "use_alts_credentials": (False, REFUSED, "use TLS, with --ssl_config_file"),
    "platform_config_file": ("", REFUSED, "use --tensorflow_session_config_file"),
    "thread_pool_factory_config_file": (
        "",
        REFUSED,
        "use --tensorflow_intra_op_parallelism and --tensorflow_inter_op_parallelism",
    ),
    "mixed_precision": ("", REFUSED, "graphs run in the precision that they were exported in"),
    "xla_cpu_compilation_enabled": (False, REFUSED, "graphs are not compiled with XLA"),
    "xla_gpu_compilation_enabled": (False, REFUSED, "graphs are not compiled with XLA"),
}
SAID = {IGNORED: "Accepted without effect", REFUSED: "Refused"}
FLAGS |= {name: (start, f"{SAID[how]}: {why}.") for name, (start, how, why) in OTHERS.items()}
FRONTS = ("grpc", "envoy")


def parse(argv: list) -> types.SimpleNamespace:
    """The value of every flag.

    Raises:
        SystemExit: `--help` was asked for.
        ValueError: a flag is unknown, cannot be read, or contradicts another.
    """
    options = commands.only_flags(USAGE, FLAGS, argv)
    options.host = options.host.strip("[]")  # of an IPv6 address; `address` writes them
    if not options.version:
        _check(options)
    return options


def _check(options):
    if not (options.model_base_path or options.model_config_file):
        raise ValueError(
            "no model given; use --model_base_path=... or --model_config_file=.... "
            "To make one: python -m export bigan_fashion_mnist --out served/bigan"
        )
    if options.front not in FRONTS:
        raise ValueError(f"--front must be {' or '.join(FRONTS)}; got {options.front!r}")
    if options.batching_parameters_file and not options.enable_batching:
        raise ValueError("--batching_parameters_file needs --enable_batching")
    if options.enable_per_model_batching_parameters and not options.enable_batching:
        raise ValueError("--enable_per_model_batching_parameters needs --enable_batching")
    if options.monitoring_config_file and not options.rest_api_port:
        raise ValueError("--monitoring_config_file needs --rest_api_port: metrics are served there")
    if not (options.port or options.grpc_socket_path):
        raise ValueError("give --port or --grpc_socket_path; gRPC has nowhere to listen")
    if options.port and options.port == options.rest_api_port:
        raise ValueError(f"--port and --rest_api_port are both {options.port}")
    if options.rest_api_timeout_in_ms < 0:
        raise ValueError(
            f"--rest_api_timeout_in_ms must be 0 or more; got {options.rest_api_timeout_in_ms}"
        )
    for name in ("port", "rest_api_port"):
        if getattr(options, name) > 65535:
            raise ValueError(f"--{name} must be 65535 or less; got {getattr(options, name)}")
    for name, (start, how, why) in OTHERS.items():
        if how == REFUSED and getattr(options, name) != start:
            raise ValueError(f"--{name} is refused: {why}")
    if not 0 <= options.per_process_gpu_memory_fraction <= 1:
        raise ValueError("--per_process_gpu_memory_fraction must be between 0 and 1")
    commands.at_least(options, port=0, rest_api_port=0, drain_seconds=0)
    commands.at_least(options, rest_api_max_body_bytes=0, rest_api_max_unpacked_bytes=0)
    commands.at_least(options, max_num_load_retries=0, num_load_threads=0)
    if options.file_system_poll_wait_seconds < 0:
        raise ValueError(
            "--file_system_poll_wait_seconds must be 0 or more; else no model would be found"
        )
    channel_arguments(options.grpc_channel_arguments)


def notes(options: types.SimpleNamespace) -> list:
    """One line for every flag that was given and has no effect."""
    found = [
        f"--{name} has no effect: {why}"
        for name, (start, how, why) in OTHERS.items()
        if how == IGNORED and getattr(options, name) != start
    ]
    if options.model_config_file and options.model_base_path:
        found.append("--model_config_file wins: --model_name and --model_base_path are ignored")
    return found


def address(options: types.SimpleNamespace, port: int) -> str:
    """host:port, with brackets around the host if it is an IPv6 address."""
    return f"[{options.host}]:{port}" if ":" in options.host else f"{options.host}:{port}"


def channel_arguments(text: str) -> list:
    """From "a=b,c=1" to [("a", "b"), ("c", 1)].

    Raises:
        ValueError: a part has no "=".
    """
    found = []
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise ValueError(f"--grpc_channel_arguments must be a=b,c=d; got {part!r}")
        number = value.lstrip("-").isdigit()
        if number and not -(2**31) <= int(value) < 2**31:
            raise ValueError(
                f"--grpc_channel_arguments take whole numbers of 32 bits; got {part!r}"
            )
        found.append((name, int(value) if number else value))
    return found


def message_limit(options) -> int:
    """Most bytes of a message behind Envoy, from --grpc_channel_arguments.

    Raises:
        ValueError: they have another argument, which is gRPC's own.
    """
    name = "grpc.max_receive_message_length"
    given = dict(channel_arguments(options.grpc_channel_arguments))
    limit = given.pop(name, 2**31 - 1)
    if given:
        raise ValueError(f"--front=envoy takes {name} of --grpc_channel_arguments; got {given}")
    return limit

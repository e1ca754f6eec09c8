"""The servers of `benchmarks/serve.py`: every variant is a process of its own."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
EAGER = """
import sys
from export.server import batching
from export.server.__main__ import main

batching.ENOUGH = 0
main(sys.argv)
"""
EMPTY = """
import asyncio, sys, grpc

async def main():
    async def answer(request, context):
        return bytes(250)

    server = grpc.aio.server()
    handler = {"Predict": grpc.unary_unary_rpc_method_handler(answer)}
    service = "tensorflow.serving.PredictionService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handler),))
    server.add_insecure_port("127.0.0.1:" + sys.argv[2].partition("=")[2])
    await server.start()
    print("gRPC on", flush=True)
    await server.wait_for_termination()

asyncio.run(main())
"""


class Server:
    """One variant.

    Args:
        name: of the variant; see `benchmarks/serve.py`.
        models: directory of the model "bigan" and of the logs, a `pathlib.Path`.
        port: of gRPC on the loopback address.
        root: checkout of this project whose server it is, a path.
    """

    def __init__(self, name, models, port, root):
        self.name, self.port = name, port
        file = models / f"{name}.batching"
        file.write_text(
            f"max_batch_size {{ value: 64 }} max_enqueued_batches {{ value: 100 }} "
            f"num_batch_threads {{ value: {os.cpu_count()} }}"
        )
        code = {"eager": EAGER, "empty": EMPTY}.get(name)
        program = ["-c", code] if code else ["-m", "export.server"]
        command = [sys.executable, *program, "--model_name=bigan", f"--port={port}"]
        command.append(f"--model_base_path={models / 'bigan'}")
        if name != "unbatched":
            command += ["--enable_batching", f"--batching_parameters_file={file}"]
        if name == "envoy":
            command.append("--front=envoy")
        root = pathlib.Path(root).absolute()
        self.log = open(models / f"{name}.log", "w+")
        self.process = subprocess.Popen(
            command,
            cwd=root,
            env=os.environ | {"PYTHONPATH": f"{root}:{os.environ.get('PYTHONPATH', '')}"},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def started(self):
        return "gRPC on" in pathlib.Path(self.log.name).read_text()

    def pids(self):
        """The process that was started, and its children: Envoy is one."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [pid, *map(int, children.split())]

    def cpu(self):
        """Processor seconds so far."""
        ticks = 0
        for pid in self.pids():
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident MiB, of all processes."""
        pages = (
            int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()
        )
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def end(self):
        self.process.terminate()
        self.process.wait(60)

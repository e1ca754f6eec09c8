"""Real worker processes on this machine, for the tests of several workers and of kills."""

import json
import os
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent


def addresses(count):
    """host:port of ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    found = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets]
    for opened in sockets:
        opened.close()
    return found


def start(arguments, output, cluster=(), rank=0):
    """A Python process with `arguments`, worker `rank` of `cluster` where one is given.

    What it says goes to the file `output`, after what is there.
    """
    environment = os.environ | {
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
        "PYTHONUNBUFFERED": "1",
    }
    if cluster:
        task = {"type": "worker", "index": rank}
        config = {"cluster": {"worker": list(cluster)}, "task": task}
        environment["TF_CONFIG"] = json.dumps(config)
    with open(output, "ab") as file:
        return subprocess.Popen(
            [sys.executable, *arguments], env=environment, cwd=ROOT, stdout=file, stderr=file
        )


def start_all(arguments, folder, count=2):
    """`count` workers of one cluster; what they say is in `folder`/worker-N.txt."""
    cluster = addresses(count)
    return [start(arguments, folder / f"worker-{rank}.txt", cluster, rank) for rank in range(count)]


def end(processes, seconds=300):
    """Exit codes of `processes`; none is left running."""
    try:
        return [process.wait(seconds) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()

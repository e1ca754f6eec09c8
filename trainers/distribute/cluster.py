"""The rank of this process among several workers, and a wait for the others, without TensorFlow.

TF_CONFIG describes the cluster; this module checks the description.
"""

import contextlib
import dataclasses
import json
import os
import socket
import time

EXAMPLE = (
    '{"cluster": {"worker": ["host-0:2222", "host-1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers of a run.

    Attributes:
        addresses: host:port of every worker, the chief's first.
        rank: index of this process among them; the chief is 0.
    """

    addresses: tuple
    rank: int


ALONE = Cluster(addresses=("",), rank=0)


def read(strategy: str) -> Cluster:
    """The cluster that TF_CONFIG describes, or `ALONE`.

    Args:
        strategy: the value of `--strategy`; `auto` joins a cluster of several workers.

    Raises:
        ValueError: TF_CONFIG is needed and missing, cannot be read, contradicts itself,
            or names several workers that `strategy` would have train one run each.
    """
    text = os.environ.get("TF_CONFIG", "")
    together = strategy == "multi_worker_mirrored"
    if not text and not together:
        return ALONE
    if not text:
        raise ValueError(f"--strategy={strategy} needs TF_CONFIG in the environment: {EXAMPLE}")
    cluster = _parse(text)
    several = len(cluster.addresses) > 1
    if together or (several and strategy == "auto"):
        return cluster
    if several:
        raise ValueError(
            f"TF_CONFIG names {len(cluster.addresses)} workers, and with --strategy={strategy} "
            "each of them would train the same run by itself; give "
            "--strategy=multi_worker_mirrored, or unset TF_CONFIG"
        )
    return ALONE


def meet(cluster: Cluster, period: float = 0.5) -> None:
    """Return when every worker is there: a process listens at its address.

    Waits indefinitely; prints all workers first, and the missing ones every minute. TensorFlow's
    own wait blocks Python and ignores SIGTERM. Each worker listens at its own address until it has
    seen all others; then TensorFlow listens at the same port.

    Raises:
        ValueError: the port of this worker is taken.
    """
    missing = set(cluster.addresses) - {cluster.addresses[cluster.rank]}
    print(
        f"worker {cluster.rank} of {', '.join(cluster.addresses)}: waiting for the others"
        if missing
        else f"the only worker, {cluster.addresses[0]}",
        flush=True,
    )
    port = int(cluster.addresses[cluster.rank].rpartition(":")[2])
    with _listening(port):
        told = time.monotonic()
        while missing := {address for address in missing if not _answers(address)}:
            if time.monotonic() - told > 60:
                print(f"still waiting for {', '.join(sorted(missing))}", flush=True)
                told = time.monotonic()
            time.sleep(period)


@contextlib.contextmanager
def _listening(port):
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise ValueError(
            f"this worker cannot listen at port {port}, set by TF_CONFIG ({error.strerror})"
        ) from None
    with server:
        yield


def _answers(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def _parse(text):
    try:
        config = json.loads(text)
    except ValueError as error:
        raise _wrong(f"is not JSON ({error})", text) from None
    jobs = _entry(config, "cluster", dict, text)
    task = _entry(config, "task", dict, text)
    kind, index = _entry(task, "type", str, text), _entry(task, "index", int, text)
    strange = sorted(set(jobs) - {"chief", "worker"})
    if strange or not jobs:
        raise _wrong(f"has jobs {strange}; only chief and worker train", text)
    for job in jobs:
        _check_addresses(job, jobs[job], text)
    if len(jobs.get("chief", [])) > 1:
        raise _wrong("names more than one chief", text)
    if kind not in jobs:
        raise _wrong(f"gives this process the job {kind!r}, which its cluster lacks", text)
    if not 0 <= index < len(jobs[kind]):
        allowed = "0" if len(jobs[kind]) == 1 else f"0 to {len(jobs[kind]) - 1}"
        raise _wrong(f"needs 'index' to be {allowed}, and it is {index}", text)
    addresses = (*jobs.get("chief", []), *jobs.get("worker", []))
    twice = sorted({a for a in addresses if addresses.count(a) > 1})
    if twice:
        raise _wrong(f"names {', '.join(twice)} twice", text)
    rank = index + (len(jobs.get("chief", [])) if kind == "worker" else 0)
    return Cluster(addresses, rank)


def _entry(holder, name, kind, text):
    value = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = {dict: "an object", str: "a string", int: "a whole number"}[kind]
        raise _wrong(f"needs {name!r} to be {wanted}, and it is {value!r}", text)
    return value


def _check_addresses(job, addresses, text):
    if not isinstance(addresses, list) or not addresses:
        raise _wrong(f"needs {job!r} to be a list of host:port, and it is {addresses!r}", text)
    for address in addresses:
        host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise _wrong(f"has address {address!r} of {job!r}, which must be host:port", text)


def _wrong(what, text):
    shown = text if len(text) <= 200 else f"{text[:200]} …"
    return ValueError(f"TF_CONFIG {what}; it must be like {EXAMPLE}; got {shown}")

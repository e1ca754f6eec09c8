"""SIGTERM ends a trainer that does not train yet, also as process 1; a second one always does."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import workers

# Outside training a trainer leaves SIGTERM to the system.
BY_SIGTERM = (-signal.SIGTERM, 128 + signal.SIGTERM)
ALONE = ["unshare", "--pid", "--fork", "--kill-child"]


def namespaces():
    return (
        sys.platform == "linux"
        and not subprocess.run([*ALONE, "true"], capture_output=True).returncode
    )


needs_namespaces = pytest.mark.skipif("not namespaces()", reason="needs the right to unshare --pid")

# Process 1 of a container, whose trainer is stuck as one is that waits for others in TensorFlow:
# in a call that lets no Python run. It leaves an orphan, which process 1 has to bury.
STUCK = """
import ctypes, os, subprocess, sys
from trainers.runs import signals
print(os.getpid(), flush=True)
signals.listen()
subprocess.run(["sh", "-c", "true & "])
if sys.argv[1] != "stuck":
    sys.exit(int(sys.argv[1]))
print(os.getpid(), flush=True)
lock = ctypes.create_string_buffer(256)
for _ in range(2):
    ctypes.PyDLL(None).pthread_mutex_lock(lock)
"""


def process_1(unshared):
    """The process that has number 1 in its namespace."""
    pid = unshared.pid
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text())


@needs_namespaces
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_process_1_passes_signals_on_and_ends_as_its_child_does(number):
    child = subprocess.Popen(
        [*ALONE, sys.executable, "-c", STUCK, "stuck"], cwd=workers.ROOT, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"1\n"
        assert int(child.stdout.readline()) > 1
        os.kill(process_1(child), number)
        assert child.wait(60) == 128 + number
    finally:
        child.kill()
        child.communicate()


@needs_namespaces
def test_process_1_has_the_exit_code_of_its_child():
    ended = subprocess.run([*ALONE, sys.executable, "-c", STUCK, "75"], cwd=workers.ROOT)
    assert ended.returncode == 75


def deaf(arguments, output, cluster=()):
    """A trainer that was started by a process that ignores SIGTERM."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        return workers.start(["-m", "trainers.bigan", *arguments], output, cluster)
    finally:
        signal.signal(signal.SIGTERM, before)


def check_ends(child, output, said="", seconds=0.0):
    """SIGTERM, from `seconds` after `child` said `said`, ends that trainer before it trains."""
    try:
        began = time.monotonic()
        while said not in output.read_text():
            assert child.poll() is None and time.monotonic() - began < 200
            time.sleep(0.1)
        time.sleep(seconds)
        began = time.monotonic()
        while child.poll() is None:
            child.send_signal(signal.SIGTERM)
            assert time.monotonic() - began < 10
            # Once more, for Python itself may not have started, and until then it is deaf.
            time.sleep(0.2)
    finally:
        child.kill()
    assert child.wait() in BY_SIGTERM
    assert "writing to" not in output.read_text()


def test_a_trainer_that_starts_ends_at_sigterm(tmp_path):
    output = tmp_path / "said"
    check_ends(deaf([f"--run_dir={tmp_path / 'run'}"], output), output)


@pytest.mark.slow
def test_a_worker_that_waits_for_the_others_ends_at_sigterm(tmp_path):
    output = tmp_path / "said"
    arguments = ["--dataset=grid25", f"--run_dir={tmp_path / 'run'}"]
    child = deaf(arguments, output, workers.addresses(2))
    check_ends(child, output, "waiting for the others", 0.5)


# TensorFlow takes SIGTERM when it joins other workers.
JOINED = """
import os, signal
from trainers.runs import signals
import tensorflow as tf
tf.distribute.MultiWorkerMirroredStrategy()
signals.take_back()
os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.slow
def test_a_worker_that_has_met_the_others_ends_at_sigterm(tmp_path):
    child = workers.start(["-c", JOINED], tmp_path / "said", workers.addresses(1))
    assert workers.end([child]) == [-signal.SIGTERM]


@pytest.mark.parametrize("numbers", [("SIGTERM", "SIGINT"), ("SIGINT", "SIGTERM")])
def test_the_first_signal_lets_training_save_and_a_second_one_of_either_kind_kills(numbers):
    from trainers.runs import stopping

    first, second = (getattr(signal, number) for number in numbers)
    before = signal.getsignal(first), signal.getsignal(second)
    with stopping.StopOnSignal() as stop:
        assert not stop.ask()
        os.kill(os.getpid(), first)
        assert stop.ask() and stop.received == first
        assert signal.getsignal(first) is signal.getsignal(second) is signal.SIG_DFL
    assert (signal.getsignal(first), signal.getsignal(second)) == before

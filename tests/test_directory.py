"""One process at a time trains in a directory."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest
import workers

from trainers.bigan import RECIPE
from trainers.runs import directory
from trainers.runs import run

HOLDER = """
import pathlib
import sys
import time
from trainers.runs import directory
with directory.held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path`."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=workers.ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_sigkill(
    tmp_path, holder, refused
):
    for _ in range(2):
        error = refused(run.main, RECIPE, ["bigan.py", "--dataset=grid25", f"--run_dir={tmp_path}"])
        assert f"another process (pid {holder.pid} on " in error
        assert f"is training in {tmp_path}" in error and "--run_dir" in error
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / directory.LOCK).exists()
    with directory.held(tmp_path):
        assert f"pid {os.getpid()} on " in (tmp_path / directory.LOCK).read_text()
    assert not list(tmp_path.iterdir())


def test_a_lock_file_that_was_taken_away_meanwhile_does_not_count(tmp_path, monkeypatch):
    path, lock = tmp_path / directory.LOCK, fcntl.flock
    opened = []

    def taken_away(file, how):
        lock(file, how)
        opened.append(file)
        if len(opened) == 1:
            path.unlink()

    monkeypatch.setattr(fcntl, "flock", taken_away)
    with directory.held(tmp_path):
        assert len(opened) == 2
        with open(path) as other, pytest.raises(BlockingIOError):
            lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_where_there_are_no_locks_nothing_watches(tmp_path, monkeypatch):
    def none(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", none)
        with directory.held(tmp_path), directory.held(tmp_path):
            assert not list(tmp_path.iterdir())
    monkeypatch.setattr(directory, "fcntl", None)
    with directory.held(tmp_path), directory.held(tmp_path):
        assert not list(tmp_path.iterdir())

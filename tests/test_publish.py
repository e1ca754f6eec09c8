"""A version is published whole, once, under a number of its own."""

import os
import pathlib
import signal
import stat
import subprocess
import sys

import pytest

from export import publish

ROOT = pathlib.Path(__file__).parent.parent


def put(base, version=None, text="weights"):
    """Publish a version whose only file holds `text`."""
    with publish.aside(base) as directory:
        (directory / "variables").mkdir()
        (directory / "variables" / "data").write_text(text)
        return publish.publish(directory, base, version)


def test_the_next_version_follows_the_largest(tmp_path):
    assert put(tmp_path).name == "1"
    assert put(tmp_path, 7).name == "7"
    (tmp_path / "00011").mkdir()
    (tmp_path / "v20").mkdir()
    assert put(tmp_path).name == "12"
    assert publish.versions(tmp_path) == [1, 7, 11, 12]
    assert not list(tmp_path.glob(".*"))


def test_a_version_is_never_overwritten(tmp_path):
    put(tmp_path, 3, "first")
    with pytest.raises(ValueError, match="version 3 exists under .* never overwritten"):
        put(tmp_path, 3, "second")
    with pytest.raises(ValueError, match="version 3 exists"):
        publish.check(tmp_path, 3)
    assert (tmp_path / "3" / "variables" / "data").read_text() == "first"
    assert not list(tmp_path.glob(".*"))


def test_a_version_that_appears_at_the_last_moment_stays(tmp_path, monkeypatch):
    put(tmp_path, 1, "first")
    monkeypatch.setattr(publish, "versions", lambda base: [])
    with pytest.raises(ValueError, match="version 1 exists"):
        put(tmp_path, 1, "second")
    assert (tmp_path / "1" / "variables" / "data").read_text() == "first"


@pytest.mark.parametrize("version", [0, -1, 2**63])
def test_numbers_that_servers_do_not_take_are_refused(tmp_path, version):
    with pytest.raises(ValueError, match=f"from 1 to {2**63 - 1}; got {version}"):
        publish.check(tmp_path, version)


def test_there_is_a_largest_number_and_none_after_it(tmp_path):
    (tmp_path / str(2**63)).mkdir()  # no version for a server
    assert put(tmp_path, 2**63 - 2).name == str(2**63 - 2)
    assert put(tmp_path).name == str(2**63 - 1)
    for refused in (put, lambda base: publish.check(base, None)):
        with pytest.raises(ValueError, match=f"version {2**63 - 1}, the largest possible number"):
            refused(tmp_path)
    assert put(tmp_path, 4).name == "4"


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file/served cannot be written to"):
        publish.check(tmp_path / "file" / "served", None)


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    umask = os.umask(0o022)
    try:
        assert stat.S_IMODE(put(tmp_path).stat().st_mode) == 0o755
    finally:
        os.umask(umask)


def test_everything_is_on_disk_before_the_name_is(tmp_path, monkeypatch):
    order = []
    sync, rename = os.fsync, os.rename
    monkeypatch.setattr(
        os, "fsync", lambda d: (order.append(os.readlink(f"/proc/self/fd/{d}")), sync(d))
    )
    monkeypatch.setattr(os, "rename", lambda a, b: (order.append("rename"), rename(a, b)))
    put(tmp_path)
    before, after = order[: order.index("rename")], order[order.index("rename") + 1 :]
    aside = next(path for path in before if "variables" not in path)
    assert set(before) == {aside, f"{aside}/variables", f"{aside}/variables/data"}
    assert after == [str(tmp_path)]


def started(source, *arguments, **options):
    command = [sys.executable, "-c", source, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, **options)


def test_publishers_at_the_same_time_get_versions_of_their_own(tmp_path):
    source = (
        "import pathlib, sys\n"
        "from export import publish\n"
        "base, worker = pathlib.Path(sys.argv[1]), sys.argv[2]\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "for i in range(20):\n"
        "    with publish.aside(base) as directory:\n"
        "        (directory / 'data').write_text(f'{worker}-{i}')\n"
        "        publish.publish(directory, base, None)\n"
    )
    workers = [started(source, tmp_path, worker, stdin=subprocess.PIPE) for worker in range(3)]
    for worker in workers:
        assert worker.stdout.readline() == b"ready\n"
    for worker in workers:
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    assert publish.versions(tmp_path) == list(range(1, 61))
    texts = {(tmp_path / str(n) / "data").read_text() for n in range(1, 61)}
    assert texts == {f"{worker}-{i}" for worker in range(3) for i in range(20)}


@pytest.mark.parametrize("by, left", [(signal.SIGKILL, 1), (signal.SIGINT, 0)])
def test_killed_in_the_middle_it_leaves_no_version(tmp_path, by, left):
    source = (
        "import pathlib, sys, time\n"
        "from export import publish\n"
        "with publish.aside(pathlib.Path(sys.argv[1])) as directory:\n"
        "    (directory / 'saved_model.pb').write_text('half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with started(source, tmp_path, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(by)
        process.wait(30)
    assert publish.versions(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == left
    assert put(tmp_path).name == "1"

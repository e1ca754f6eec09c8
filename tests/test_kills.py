"""Trainers killed at random moments, and one worker of two: nothing is lost that was saved."""

import pathlib
import random
import re
import signal
import time

import pytest
import workers
from games import same_state

import zoo
from trainers.distribute import agreement

SMALL = [
    "-m",
    "trainers.bigan",
    "--dataset=grid25",
    "--train_split=train[:200]",
    "--test_split=test[:100]",
    "--width=2",
    "--batch_size=20",
    "--ema=0.9",
    "--evaluate_every=0",
    # XLA would take longer than all the epochs that it speeds up.
    "--nojit_compile",
]
EPOCH = 10
KILLS = 20

# What a trainer says at the end of an epoch, the first of which compiles.
ENDED = re.compile(r"^\d+/\d+ - ", re.M)


def trains(process, output, seconds=300):
    """Wait until `process` has ended an epoch; False if it came to an end itself."""
    began = time.monotonic()
    while not ENDED.search(output.read_text(errors="replace")):
        if process.poll() is not None:
            return False
        assert time.monotonic() - began < seconds, output.read_text()[-2000:]
        time.sleep(0.02)
    return True


def newest(directory):
    """Step of the newest checkpoint under its final name, 0 where there is none."""
    found = (pathlib.Path(directory) / "checkpoints").glob("step-*.keras")
    return max((int(path.stem.split("-")[1]) for path in found), default=0)


def started_at(said):
    """The step from which a trainer that said `said` went on."""
    found = re.search(r"resuming from step (\d+) of", said)
    return int(found[1]) if found else 0


def epochs_ended(said):
    """How many epochs a trainer said it had ended."""
    return len(ENDED.findall(said))


def kill(arguments, directory, output, number, delay, training=True):
    """Start a trainer, send it `number`, `delay` seconds after it trains, or after it started.

    Returns:
        Whether it was still at work, its exit code, and what it said.
    """
    output.write_text("")
    process = workers.start([*arguments, f"--run_dir={directory}"], output)
    try:
        alive = trains(process, output) if training else True
        time.sleep(delay)
        alive = alive and process.poll() is None
        process.send_signal(number)
        code = process.wait(120)
    finally:
        process.kill()
    return alive, code, output.read_text(errors="replace")


def check_nothing_was_lost(directory, before, number, code, said):
    began, reached = started_at(said), newest(directory)
    assert began == before
    if number == signal.SIGTERM:
        announced = re.search(r"stopped and saved at step (\d+) of", said)
        assert code == 128 + signal.SIGTERM, said[-2000:]
        assert reached == int(announced[1])
    else:
        assert code == -signal.SIGKILL
        # The epoch that was last said to have ended may be the one that was being written.
        assert reached >= (began // EPOCH + epochs_ended(said) - 1) * EPOCH


def test_sigterm_loses_nothing(tmp_path):
    arguments = [*SMALL, "--epochs=500"]
    alive, code, said = kill(arguments, tmp_path, tmp_path / "said", signal.SIGTERM, 0.5)
    assert alive
    check_nothing_was_lost(tmp_path, 0, signal.SIGTERM, code, said)
    assert "to resume, run again:\n  python -m trainers.bigan" in said


@pytest.mark.long
def test_twenty_kills_at_random_moments_change_nothing(tmp_path):
    """SIGKILL and SIGTERM in turn while it trains and saves; one in ten SIGKILL while it starts."""
    arguments, output, chance = [*SMALL, "--epochs=120"], tmp_path / "said", random.Random(0)
    whole = workers.start([*arguments, f"--run_dir={tmp_path / 'whole'}"], tmp_path / "whole.txt")
    assert workers.end([whole], 1500) == [0]
    steps, killed = [], 0
    for attempt in range(KILLS):
        number = (signal.SIGKILL, signal.SIGTERM)[attempt % 2]
        training = attempt % 10 != 2
        before, delay = newest(tmp_path / "cut"), chance.uniform(0, 1 if training else 8)
        alive, code, said = kill(arguments, tmp_path / "cut", output, number, delay, training)
        killed += alive
        if training:
            check_nothing_was_lost(tmp_path / "cut", before, number, code, said)
        steps.append(newest(tmp_path / "cut"))
    print(f"{killed} kills at steps {steps}")
    assert killed == KILLS and steps == sorted(steps) and len(set(steps)) > KILLS / 2
    cut = workers.start([*arguments, f"--run_dir={tmp_path / 'cut'}"], output)
    assert workers.end([cut], 1500) == [0]
    assert started_at(output.read_text().split("stopped and saved")[-1]) == steps[-1]
    assert newest(tmp_path / "cut") == newest(tmp_path / "whole") == 120 * EPOCH
    assert same_state(zoo.load(tmp_path / "cut"), zoo.load(tmp_path / "whole"))


def run_pair(arguments, folder, directory, harm=None):
    """Two workers; `harm` is given the processes and the chief's output once they train.

    Returns:
        Their exit codes, and what they said.
    """
    said = [folder / f"worker-{rank}.txt" for rank in range(2)]
    for path in said:
        path.write_text("")
    processes = workers.start_all([*arguments, f"--run_dir={directory}"], folder)
    try:
        if harm:
            assert trains(processes[0], said[0]), said[0].read_text()[-2000:]
            harm(processes)
        codes = [process.wait(600) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return codes, [path.read_text(errors="replace") for path in said]


@pytest.mark.slow
def test_workers_of_different_games_are_refused_before_they_build_them(tmp_path):
    cluster, directory = workers.addresses(2), tmp_path / "run"
    said = [tmp_path / f"worker-{rank}.txt" for rank in range(2)]
    processes = [
        workers.start([*SMALL, f"--run_dir={directory}", *more], said[rank], cluster, rank)
        for rank, more in enumerate(([], ["--width=3", "--ema=0"]))
    ]
    assert workers.end(processes) == [2, 2]
    for path in said:
        error = path.read_text().strip().splitlines()[-1]
        assert "error: worker 1 was started with another --" in error
        assert "another --width" in error and "another --ema" in error
    assert not list(directory.glob("*"))


@pytest.mark.parametrize(
    "victim", [pytest.param(0, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.long)]
)
def test_one_worker_of_two_is_killed_and_the_pair_goes_on(tmp_path, victim):
    arguments = [*SMALL, "--epochs=30"]
    directory = tmp_path / "run"
    chance = random.Random(victim)

    def harm(number):
        def send(processes):
            time.sleep(chance.uniform(0, 0.7))
            processes[victim].send_signal(number)
            harm.at = time.monotonic()

        return send

    before = 0
    for number in (signal.SIGKILL, signal.SIGTERM):
        codes, said = run_pair(arguments, tmp_path, directory, harm(number))
        assert time.monotonic() - harm.at < 90
        assert started_at(said[0]) == before
        before = newest(directory)
        if number == signal.SIGTERM:
            assert codes == [143, 143]
            assert f"stopped and saved at step {before} of" in said[0]
            assert f"stopped and saved at step {before} of" in said[1]
        else:
            assert codes[victim] == -signal.SIGKILL
            assert codes[1 - victim] == agreement.TRY_AGAIN, said[1 - victim][-3000:]
            assert f"error: worker {1 - victim} lost another worker" in said[1 - victim]
    codes, said = run_pair(arguments, tmp_path, directory)
    assert codes == [0, 0]
    assert started_at(said[0]) == before and not list(directory.glob("worker-*"))
    codes, _ = run_pair(arguments, tmp_path, tmp_path / "whole")
    assert codes == [0, 0]
    assert same_state(zoo.load(directory), zoo.load(tmp_path / "whole"))

"""TF_CONFIG, strategies and devices: what is understood, and what is refused in seconds."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import keras
import pytest
from games import make
from workers import ROOT
from workers import addresses as addresses_of

from trainers.distribute import cluster
from trainers.distribute import strategy

TWO = {"worker": ["host-0:2222", "host-1:2222"]}


def configured(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))


def task(index, kind="worker", jobs=TWO):
    return {"cluster": jobs, "task": {"type": kind, "index": index}}


def test_alone_without_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cluster.read("auto") == cluster.read("mirrored") == cluster.ALONE
    configured(monkeypatch, task(0, jobs={"worker": ["host-0:2222"]}))
    assert cluster.read("one_device") is cluster.ALONE
    assert cluster.read("multi_worker_mirrored").addresses == ("host-0:2222",)


def test_the_chief_comes_first_and_is_the_only_worker_of_rank_0(monkeypatch):
    jobs = {"worker": ["a:1", "b:1"], "chief": ["c:1"]}
    ranks = {}
    for kind, index in (("chief", 0), ("worker", 0), ("worker", 1)):
        configured(monkeypatch, task(index, kind, jobs))
        found = cluster.read("auto")
        assert found.addresses == ("c:1", "a:1", "b:1")
        ranks[kind, index] = found.rank
    assert ranks == {("chief", 0): 0, ("worker", 0): 1, ("worker", 1): 2}


WRONG = [
    ("{", "is not JSON"),
    ("[]", "needs 'cluster' to be an object, and it is None"),
    ({"cluster": TWO}, "needs 'task' to be an object, and it is None"),
    (task("0"), "needs 'index' to be a whole number, and it is '0'"),
    (task(True), "needs 'index' to be a whole number, and it is True"),
    (task(0.0), "needs 'index' to be a whole number, and it is 0.0"),
    (task(2), "needs 'index' to be 0 to 1, and it is 2"),
    (task(-1), "needs 'index' to be 0 to 1, and it is -1"),
    (task(0, "chief"), "gives this process the job 'chief', which its cluster lacks"),
    (task(0, kind=3), "needs 'type' to be a string, and it is 3"),
    (task(0, jobs={}), "only chief and worker train"),
    (task(0, jobs=TWO | {"ps": ["p:1"]}), "has jobs ['ps']; only chief and worker"),
    (task(0, jobs={"worker": "host:1"}), "to be a list of host:port, and it is 'host:1'"),
    (task(0, jobs={"worker": []}), "to be a list of host:port, and it is []"),
    (task(0, jobs={"worker": ["host"]}), "has address 'host'"),
    (task(0, jobs={"worker": ["host:0"]}), "has address 'host:0'"),
    (task(0, jobs={"worker": [7]}), "has address 7"),
    (task(0, jobs={"worker": ["a:1", "a:1"]}), "names a:1 twice"),
    (task(0, "chief", {"chief": ["a:1", "b:1"]}), "names more than one chief"),
]


@pytest.mark.parametrize(("config", "said"), WRONG)
def test_what_tf_config_cannot_mean_is_said_with_an_example(monkeypatch, config, said):
    configured(monkeypatch, config)
    for asked in ("auto", "multi_worker_mirrored"):
        with pytest.raises(ValueError) as refused:
            cluster.read(asked)
        assert f"TF_CONFIG {said}" in str(refused.value) or said in str(refused.value)
        assert cluster.EXAMPLE in str(refused.value)


def test_workers_may_not_each_train_the_same_run(monkeypatch):
    configured(monkeypatch, task(1))
    for alone in ("one_device", "mirrored", "tpu"):
        with pytest.raises(ValueError, match="give --strategy=multi_worker_mirrored, or unset"):
            cluster.read(alone)
    assert cluster.read("auto").rank == 1


def test_the_example_is_one(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", cluster.EXAMPLE)
    assert cluster.read("auto") == cluster.Cluster(("host-0:2222", "host-1:2222"), 0)


def test_workers_meet_when_the_last_is_there_in_any_order():
    """Each leaves its port to TensorFlow, here `then`, as soon as it has seen the others."""
    addresses, met = tuple(addresses_of(3)), []

    def come(rank):
        cluster.meet(cluster.Cluster(addresses, rank), period=0.01)
        met.append(rank)
        then.append(socket.create_server(("127.0.0.1", int(addresses[rank].split(":")[1]))))

    then = []
    threads = [threading.Thread(target=come, args=(rank,), daemon=True) for rank in (2, 0, 1)]
    for thread in threads:
        time.sleep(0.1)
        assert not met
        thread.start()
    for thread in threads:
        thread.join(20)
    for server in then:
        server.close()
    assert sorted(met) == [0, 1, 2]


def test_a_port_that_is_taken_is_refused():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"cannot listen at port {port}"):
            cluster.meet(cluster.Cluster((f"127.0.0.1:{port}", "127.0.0.1:1"), 0))


@pytest.mark.parametrize(
    ("environment", "arguments", "said"),
    [
        ({"TF_CONFIG": "{"}, [], "TF_CONFIG is not JSON"),
        ({"TF_CONFIG": json.dumps(task(5))}, [], "needs 'index' to be 0 to 1, and it is 5"),
        ({"TF_CONFIG": json.dumps(task(0))}, ["--strategy=mirrored"], "unset TF_CONFIG"),
        ({}, ["--strategy=multi_worker_mirrored"], "needs TF_CONFIG in the environment: {"),
        ({}, ["--strategy=cluster"], "--strategy must be one of auto"),
        ({}, ["--strategy=one_device", "--devices=CPU:0"], "--devices=CPU:0 is for --strategy=mir"),
        ({}, ["--strategy=mirrored", "--tpu=local"], "--tpu=local is for --strategy=tpu"),
    ],
)
def test_refused_within_a_second_and_without_tensorflow(
    tmp_path, child_seconds, environment, arguments, said
):
    refused = subprocess.run(
        [sys.executable, "-m", "trainers.bigan", f"--run_dir={tmp_path / 'run'}", *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert child_seconds() < 2
    assert refused.returncode == 2
    (error,) = refused.stderr.strip().splitlines()
    assert error.startswith("error: ") and said in error
    assert not (tmp_path / "run").exists()


def test_auto_says_what_it_chose_and_why(monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    placed, where = strategy.build("auto")
    assert placed.num_replicas_in_sync == 1
    assert where == "one device, CPU:0 (auto: no TPU, no GPU)"
    placed, where = strategy.build("auto", devices="cpu:1, CPU:0")
    assert placed.num_replicas_in_sync == 2
    assert where == "2 replicas on CPU:1, CPU:0 (auto: --devices names them)"
    with pytest.raises(
        ValueError, match="--devices=CPU:0 is for one process, and TF_CONFIG names 2"
    ):
        strategy.build("auto", devices="CPU:0", workers=2)
    monkeypatch.setenv("TPU_NAME", "127.0.0.1:1")
    with pytest.raises(ValueError, match="no TPU answers to --tpu='127.0.0.1:1'"):
        strategy.build("auto")


@pytest.mark.parametrize(
    ("files", "found", "said"),
    [
        ({}, False, "no TPU"),
        ({"dev/accel0": ""}, True, "no TPU"),
        ({"dev/vfio/vfio": ""}, False, "no TPU"),
        (
            {"dev/vfio/0": "", "sys/kernel/iommu_groups/0/devices/a/vendor": "0x1ae0\n"},
            True,
            "no TPU",
        ),
        (
            {
                "dev/vfio/7": "",
                "sys/kernel/iommu_groups/7/devices/a/vendor": "0x10de\n",
                "sys/kernel/iommu_groups/8/devices/b/vendor": "0x1ae0\n",
            },
            False,
            "no TPU: /dev/vfio/7 is not Google's",
        ),
        ({"dev/vfio/7": ""}, False, "no TPU: /dev/vfio/7 is not Google's"),
    ],
)
def test_a_device_that_a_program_was_handed_is_not_taken_for_a_tpu(tmp_path, files, found, said):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert strategy._tpu_here(tmp_path) == (found, said)


@pytest.mark.parametrize("devices", ["GPU:7", "CPU:0,CPU:0", "CPU:0,", "0,1"])
def test_devices_that_are_not_there_are_refused_with_those_that_are(devices):
    with pytest.raises(ValueError, match=f"--devices={devices}: .*has CPU:0, CPU:1$"):
        strategy.build("mirrored", devices=devices)


@pytest.mark.parametrize("tpu", ["", "local", "no-such-tpu", "grpc://127.0.0.1:1", "127.0.0.1:1"])
def test_a_tpu_that_is_not_there_is_refused_within_seconds(tpu):
    began = time.monotonic()
    with pytest.raises(ValueError, match="no TPU answers to --tpu=.*--strategy=auto"):
        strategy.build("tpu", tpu)
    assert time.monotonic() - began < 30


HANGING = """
import sys
from trainers.distribute import strategy
strategy.READY_S = 3
strategy.build("tpu", sys.argv[1])
"""


@pytest.mark.slow
def test_an_address_that_answers_and_is_no_tpu_does_not_hang():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        child = subprocess.run(
            [sys.executable, "-c", HANGING, address], cwd=ROOT, capture_output=True, timeout=120
        )
    last = child.stderr.decode().strip().splitlines()[-1]
    assert child.returncode == 2 or "ValueError: no TPU answers" in last
    assert "--tpu" in last


@pytest.mark.parametrize("method, network", [("bigan", "mixture"), ("acgan", "dcgan")])
def test_batch_norm_is_synchronised_unless_refused(method, network, two_devices):
    game = make(method, network)
    # The generator of ACGAN is a layer of a network.
    layers = [
        layer
        for layer in [*game.generator._flatten_layers(), *game.discriminator._flatten_layers()]
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert layers and all(layer.synchronized for layer in layers)
    strategy.unsynchronised(game)
    assert not any(layer.synchronized for layer in layers)

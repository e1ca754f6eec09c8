"""Presets go to the Hugging Face Hub and come back, over HTTP to a server of this test."""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import types

import games
import numpy as np
import pytest

import zoo
from zoo.presets import __main__ as command
from zoo.presets import handles

ROOT = pathlib.Path(__file__).parent.parent
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    """The calls of huggingface_hub for one repository that keeps its files in memory."""

    files: dict = {}
    tokens: set = set()

    def log_message(self, *arguments):
        pass

    def _answer(self, content, code=200, **headers):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        here = f"http://{self.headers['Host']}"
        self.tokens.add(self.headers.get("Authorization"))
        if self.path == "/api/repos/create":
            return self._answer({"url": f"{here}/cat/bigan", "id": "cat/bigan"})
        if self.path.endswith("/preupload/main"):
            names = [file["path"] for file in json.loads(body)["files"]]
            said = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            return self._answer({"files": said})
        if self.path.startswith("/api/models/cat/bigan/commit/main"):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"{here}/cat/bigan/commit/{COMMIT}"
            return self._answer({"commitUrl": url, "commitOid": COMMIT, "success": True})
        if self.path == "/api/validate-yaml":
            return self._answer({"errors": [], "warnings": []})
        return self._answer({"error": self.path}, 404)

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        if self.path == f"/api/models/cat/bigan/revision/{COMMIT}":
            kept = [{"rfilename": name} for name in self.files]
            return self._answer({"id": "cat/bigan", "sha": COMMIT, "siblings": kept})
        if self.path.startswith("/api/models/cat/bigan/tree/"):
            kept = [
                {"type": "file", "path": name, "size": len(content), "oid": name}
                for name, content in self.files.items()
            ]
            return self._answer(kept)
        if self.path.startswith(f"/cat/bigan/resolve/{COMMIT}/") and name in self.files:
            etag = hashlib.sha256(self.files[name]).hexdigest()
            return self._answer(self.files[name], X_Repo_Commit=COMMIT, ETag=f'"{etag}"')
        return self._answer({"error": self.path}, 404)

    do_HEAD = do_GET


@pytest.fixture
def hub(tmp_path):
    """The environment of a process for which a server of this test is the hub."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(tmp_path / "hf"),
        "HF_TOKEN": "hf_of_nobody",
    }
    server.shutdown()
    server.server_close()


UPLOAD_AND_LOAD = """
import sys, zoo
address, sha256 = zoo.load(sys.argv[1]).save_to_preset(sys.argv[2], hub="hf://cat/bigan")
zoo.load(address, sha256=sha256).save(sys.argv[3])
print(address, sha256)
"""


@pytest.mark.slow
def test_a_preset_goes_to_the_hub_and_comes_back(hub, tmp_path):
    pytest.importorskip("huggingface_hub")
    game = games.make("bigan")
    paths = [str(tmp_path / name) for name in ("game.keras", "preset", "back.keras")]
    game.save(paths[0])
    (tmp_path / "preset").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD_AND_LOAD, *paths],
        env=os.environ | hub | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    config = (tmp_path / "preset" / "config.json").read_bytes()
    sha256 = hashlib.sha256(config).hexdigest()
    assert done.stdout.splitlines()[-1] == f"hf://cat/bigan@{COMMIT} {sha256}"
    assert set(Hub.files) == {"config.json", "weights.npz"} and Hub.files["config.json"] == config
    assert Hub.tokens == {"Bearer hf_of_nobody"}
    sent, back = zoo.load(str(tmp_path / "preset")), zoo.load(paths[2])
    x = games.examples()
    np.testing.assert_array_equal(sent.reconstruct(x), back.reconstruct(x))


@pytest.mark.parametrize("handle", ["cat/bigan", "hf://cat", "hf://cat/bigan@main"])
def test_another_address_is_refused_before_anything_is_written(handle, tmp_path):
    with pytest.raises(ValueError, match="hub must be hf://owner/repo, without a revision"):
        zoo.save_preset(games.make("vae"), str(tmp_path / "preset"), hub=handle)
    assert not (tmp_path / "preset").exists()


def test_a_hub_that_does_not_answer_is_named(tmp_path, monkeypatch):
    library = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(library.HfApi, "create_repo", lambda *_, **__: 1 / 0)
    zoo.save_preset(games.make("vae"), str(tmp_path / "preset"))
    with pytest.raises(ValueError, match="cannot upload to hf://cat/vae: ZeroDivisionError"):
        handles.upload(tmp_path / "preset", "hf://cat/vae")


@pytest.mark.parametrize(
    "words, message",
    [
        (["--out=x", "--hub=cat/bigan"], "hub must be hf://owner/repo"),
        (["--name=x", "--hub=hf://cat/bigan"], "--hub needs --out"),
    ],
)
def test_the_command_refuses_what_it_cannot_upload(words, message, monkeypatch, refused):
    monkeypatch.setitem(sys.modules, "huggingface_hub", types.ModuleType("huggingface_hub"))
    assert message in refused(command.main, ["presets", "run", *words])

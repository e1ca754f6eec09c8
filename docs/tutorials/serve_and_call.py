# %% [markdown]
# # Serve a model, and call it
#
# A trained game is exported as a SavedModel, examined, and served over the protocol of TensorFlow
# Serving: gRPC and REST. This page does both in a temporary directory and calls the server from
# Python, curl, JavaScript and any gRPC client. It needs the extra `serve`:
# `pip install --editable '.[serve]'`.

# %%
import atexit
import base64
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import grpc
import numpy as np
from google.protobuf import json_format
from PIL import Image
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from export.client import Client
from zoo.plots import pictures

# %% tags=["parameters"]
model = "bigan_fashion_mnist"  # a preset, a run directory or a .keras file
largest = 8  # rows in one batch of the server; 32 by default

# %% [markdown]
# ## Export
#
# In a shell: `python -m export bigan_fashion_mnist --out served/bigan`. The doctor loads what was
# written in a fresh process, by the loader that TensorFlow Serving uses, and compares every
# signature with the game. What is not sound is not published.

# %%
temporary = tempfile.TemporaryDirectory()
base = pathlib.Path(temporary.name) / "bigan"
command = [sys.executable, "-m", "export", model, "--out", str(base)]
done = subprocess.run(
    [*command, f"--max_batch_size={largest}"], capture_output=True, text=True, check=True
)
print(done.stdout.replace(temporary.name, "served"))

# %% [markdown]
# ## Serve
#
# In a shell: `python -m export.server --model_name=bigan --model_base_path=$PWD/served/bigan
# --rest_api_port=8501`. TensorFlow Serving is meant to take the same folder and flags. The ports
# here are free ones instead of 8500 and 8501.


# %%
def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


port, rest = free_port(), free_port()
server = subprocess.Popen(
    [
        *(sys.executable, "-m", "export.server"),
        *(f"--port={port}", f"--rest_api_port={rest}"),
        *("--model_name=bigan", f"--model_base_path={base}", "--enable_batching"),
        "--enable_per_model_batching_parameters",
    ],
    stdout=subprocess.DEVNULL,
)
atexit.register(server.kill)
client = Client(f"localhost:{port}", model="bigan", max_batch_size=largest)
for name, signature in client.wait_until_ready(timeout=60).signatures.items():
    print(f"{name}: {', '.join(signature.inputs)} -> {', '.join(signature.outputs)}")

# %% [markdown]
# ## Python
#
# The client takes NumPy arrays of any number of rows and needs no TensorFlow. Equal seeds give
# equal images.

# %%
images = client.sample(np.arange(12))
codes = client.encode(images)
print("codes:", codes.dtype, codes.shape)
shown = pictures.pairs(images, client.decode(codes), 12)
Image.fromarray(shown).resize((2 * shown.shape[1], 2 * shown.shape[0]))

# %% [markdown]
# Files go to the server as they are; it decodes, cuts and resizes them.

# %%
file = io.BytesIO()
Image.fromarray(np.full((60, 90), 200, np.uint8)).save(file, "PNG")
print(client.encode_bytes([file.getvalue()]).round(2))

# %% [markdown]
# ## curl
#
# The REST interface takes JSON. Outputs whose names end in `_bytes` are base64: here a PNG file.

# %%
url = f"http://localhost:{rest}/v1/models/bigan:predict"
body = json.dumps(
    {"signature_name": "decode_png", "inputs": {"codes": codes[:1].round(3).tolist()}}
)
print(f"curl -d '{body}' {url}")
if shutil.which("curl"):
    answer = subprocess.run(["curl", "-s", "-d", body, url], capture_output=True, check=True)
    png = base64.b64decode(json.loads(answer.stdout)["outputs"][0]["b64"])
    print(len(png), "bytes,", Image.open(io.BytesIO(png)).size)

# %% [markdown]
# ## JavaScript
#
# The same by `fetch`, in a browser or in Node. From a page of another address, the server has to
# allow it: `--rest_api_enable_cors_support`. A longer example is the page that the server itself
# shows at `/`: [demo.html](../../export/server/demo.html).

# %%
javascript = f"""
const answer = await fetch("{url}", {{
  method: "POST",
  headers: {{"Content-Type": "application/json"}},
  body: JSON.stringify({{signature_name: "sample", inputs: {{seeds: [7, 8]}}}}),
}});
const {{outputs}} = await answer.json();  // [image][row][column][channel], numbers in [-1, 1]
console.log(outputs.length, "images of", outputs[0].length, "rows");
"""
print(javascript)
if shutil.which("node"):
    node = [shutil.which("node"), "--input-type=module", "-e", javascript]
    print(subprocess.run(node, capture_output=True, text=True, check=True).stdout)

# %% [markdown]
# ## Go, and every other gRPC client
#
# `grpcurl` is written in Go. It asks this server for its messages (reflection is on), so it needs
# no `.proto` files; with TensorFlow Serving, which has no reflection, and for a program of your
# own, take them from the `tensorflow_serving/apis` folder of that project.

# %%
request = {
    "model_spec": {"name": "bigan", "signature_name": "sample"},
    "inputs": {
        "seeds": {"dtype": "DT_INT64", "tensor_shape": {"dim": [{"size": 1}]}, "int64_val": [7]}
    },
}
method = "tensorflow.serving.PredictionService/Predict"
call = ["grpcurl", "-plaintext", "-d", json.dumps(request), f"localhost:{port}", method]
print(" ".join(f"'{word}'" if "{" in word else word for word in call))
if shutil.which("grpcurl"):
    print(subprocess.run(call, capture_output=True, text=True, check=True).stdout[:200])

# %% [markdown]
# The same message through generated stubs, as in Go, here those of Python:

# %%
message = json_format.ParseDict(request, predict_pb2.PredictRequest())
with grpc.insecure_channel(f"localhost:{port}") as channel:
    reply = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(message, timeout=10)
seven = np.array(reply.outputs["images"].float_val, np.float32)
if not seven.size:  # a server may send the bytes of the array instead of a list of numbers
    seven = np.frombuffer(reply.outputs["images"].tensor_content, np.float32)
print("equal to the client's image of seed 7:", bool((seven == images[7].ravel()).all()))

# %%
client.close()
server.terminate()
server.wait(timeout=30)
temporary.cleanup()

# %% [markdown]
# What a request costs, and how the two servers differ: [serving](../serving.md). On Kubernetes:
# [how to](../kubernetes.md).

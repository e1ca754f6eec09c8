"""Packaging. Versions are the range that the tests were run on."""

import pathlib
import re

from setuptools import find_packages
from setuptools import setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "zoo/__init__.py").read_text())[1]

# grpcio and its companions of one release belong together.
SERVE = [
    "grpcio>=1.80",
    "grpcio-health-checking>=1.80",
    "grpcio-reflection>=1.80",
    "aiohttp>=3.12",
    "prometheus-client>=0.22",
]

# On the processor; for GPU or TPU, install the jax of that machine.
JAX = ["jax[cpu]>=0.10,<0.11"]

setup(
    name="encoder-gan-zoo",
    version=VERSION,
    description="GANs that have an encoder: trained, measured and saved with Keras 3 on TensorFlow",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(
        include=["zoo", "zoo.*", "trainers", "trainers.*", "export", "export.*"]
    ),
    package_data={
        "zoo": ["py.typed"],
        "trainers": ["py.typed"],
        "zoo.datasets": ["*.npz", "*.LICENSE.txt"],
        "zoo.metrics": ["weights/*.npz"],
        "zoo.presets": ["registry.json", "*/weights.npz", "*/*.json", "*/card.*", "*/LICENSE.txt"],
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        "keras>=3.15,<3.16",
        "numpy>=2.0",
        "absl-py>=2.1",
        "tensorflow-serving-api>=2.21,<2.22",
        "tensorflow-datasets>=4.9.9",
        # tensorflow-datasets imports it when it prepares a set, and does not ask for it.
        "importlib_resources",
        # TensorFlow 2.21 writes summaries through it, and no longer asks for it.
        "tensorboard>=2.20",
        "scikit-learn>=1.6",
        "scipy>=1.14",
        "matplotlib>=3.9",
        "Pillow>=11.0",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "jax": JAX,
        "serve": SERVE,
        # Presets from hf:// repositories.
        "hub": ["huggingface_hub>=0.30"],
        "test": [
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "pyyaml>=6.0",
            "ruff>=0.14",
            "hypothesis>=6.130",
            "trustme>=1.2",
            *JAX,
            *SERVE,
        ],
    },
)

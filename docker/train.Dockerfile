# The image of docs/kubernetes.yaml: trains, measures, exports.
#
#   docker build -f docker/train.Dockerfile -t encoder-gan-zoo:0.1.0 .
#   mkdir -p runs
#   docker run --rm --user "$(id -u):$(id -g)" -e HOME=/tmp -v "$PWD/runs:/srv/runs" \
#     encoder-gan-zoo:0.1.0 python -m trainers.bigan
#
# For GPUs add --build-arg EXTRA=[gpu] to the first and --gpus=all to the second. Never built where it
# was written: no container engine was at hand. A linter read it (hadolint 2.15).
FROM python:3.12-slim
ARG EXTRA=""

COPY . /opt/encoder-gan-zoo
RUN pip install --no-cache-dir "/opt/encoder-gan-zoo${EXTRA}" \
    && useradd --create-home --uid 1000 zoo \
    && install --directory --owner=zoo /srv/runs

USER 1000
WORKDIR /srv
# With --strategy=multi_worker_mirrored: the workers' port.
EXPOSE 2222
CMD ["python", "-m", "trainers"]

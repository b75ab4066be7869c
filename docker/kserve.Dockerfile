# hadolint global ignore=DL3066
# This library's handlers in front of those of KServe's image of TorchServe: docs/docker.md.
#
#   docker build -f docker/kserve.Dockerfile -t torchserve-kfs:0.12.0-handlers .

FROM pytorch/torchserve-kfs:0.12.0

USER root
COPY . /tmp/torchserve-handlers
# KServe pins an older uvicorn and starlette than `torch-model-runner serve` needs, which nobody asks for here: what
# the handlers need is named, and the rest is left out.
RUN python -m pip list --format=freeze --exclude pip --exclude setuptools > /tmp/installed.txt \
    && python -m pip install --no-cache-dir --constraint /tmp/installed.txt \
        "fsspec>=2023.1" orjson "pydantic>=2" "rich>=12" safetensors "typing_extensions>=4" \
    && python -m pip install --no-cache-dir --no-deps /tmp/torchserve-handlers \
    && rm -r /tmp/torchserve-handlers /tmp/installed.txt

USER model-server
# Ends with 1, and the build with it, if TorchServe would not get these handlers.
RUN torch-model-runner doctor

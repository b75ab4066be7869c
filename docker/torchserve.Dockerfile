# hadolint global ignore=DL3066
# This library's handlers in front of those of an image's own TorchServe: docs/docker.md.
#
#   docker build -f docker/torchserve.Dockerfile -t torchserve:0.12.0-handlers .

# Or an image of SageMaker's, or one of your own that has TorchServe 0.12 in it.
ARG BASE=pytorch/torchserve:0.12.0-cpu
FROM ${BASE}

# Who runs TorchServe in that image: root in SageMaker's.
ARG RUN_AS=model-server

USER root
COPY . /tmp/torchserve-handlers
# What the image has stays as it is, torch above all, but for setuptools: pip adds what is missing, or stops.
RUN python -m pip list --format=freeze --exclude pip --exclude setuptools > /tmp/installed.txt \
    && python -m pip install --no-cache-dir --constraint /tmp/installed.txt /tmp/torchserve-handlers \
    && rm -r /tmp/torchserve-handlers /tmp/installed.txt

USER ${RUN_AS}
# Ends with 1, and the build with it, if TorchServe would not get these handlers.
RUN torch-model-runner doctor

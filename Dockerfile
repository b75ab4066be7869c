# Archives answered over HTTP without Java: docs/docker.md.
#
#   docker build -t torchserve-handlers .
#   docker run --rm -p 8080:8080 -v "$PWD/model_store:/models:ro" torchserve-handlers

FROM python:3.11-slim AS build

# torch's own index of CPU builds; https://download.pytorch.org/whl/cu130 has those of CUDA 13.0.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# What archives may need beside the library; see the extras in pyproject.toml.
ARG EXTRAS=onnx,timm,tokenizers,transformers

RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" "torch>=2.3" "torchvision>=0.18"
COPY . /src
RUN pip install --no-cache-dir "/src[$EXTRAS]"


FROM python:3.11-slim

RUN useradd --uid 1000 --create-home model-server
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1

# By number, so that Kubernetes sees that it is not root.
USER 1000
WORKDIR /home/model-server
EXPOSE 8080
HEALTHCHECK --start-period=120s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/ping', timeout=5)"]
CMD ["sh", "-c", "exec torch-model-runner serve --host 0.0.0.0 /models/*.mar"]

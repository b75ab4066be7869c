"""What tests of several folders share."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

ROOT = Path(__file__).resolve().parents[1]

sys.path[:0] = [str(ROOT), str(ROOT / "unit_tests" / "helpers")]  # for `examples`, and for what tests share

# OpenVINO would send its maker a message about each conversion, from a process that it forks for it.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # by which Python raises an ImportError

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several processes share the CPUs: threads that wait for each other in each of them make tests 5 times slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

Upstream = Callable[..., Any]


def pytest_itemcollected(item: pytest.Item) -> None:
    from sharing_out import mark

    mark(item)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from sharing_out import rank

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from sharing_out import scheduler

    return scheduler(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says in one line what was skipped, and for want of what."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].partition("Skipped: ")[2] for report in reports)
    if reasons:
        terminalreporter.write_line(
            f"skipped: {'; '.join(f'{n}, {why}' for why, n in reasons.most_common())}"
        )


# Everything is as in this process, but for the `.pth` files: without them `ts` is torchserve's own.
UPSTREAM = """
sys.path[:0] = {paths!r}
import ts
assert {purelib!r} in ts.__file__, ts.__file__
from ts.torch_handler import image_classifier, image_segmenter, object_detector, text_classifier
"""


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """Runs code in a process whose `ts` is torchserve's own: `upstream(code, **arguments)`.

    The code finds the arguments in the dictionary `arguments`, and gives its result to `answer(value)`; both
    are JSON values.
    """
    purelib = sysconfig.get_path("purelib")
    if not (Path(purelib) / "ts" / "model_server.py").is_file():
        pytest.skip(
            "needs torchserve, whose own answers are compared: pip install 'torchserve-handlers[server]'"
        )
    if importlib.util.find_spec("captum") is None:
        pytest.skip("torchserve's own vision handlers import captum: pip install captum")
    from other_process import Forking

    paths = list(dict.fromkeys([purelib, sysconfig.get_path("platlib")]))
    first = UPSTREAM.format(paths=paths, purelib=purelib)
    process = Forking(first, tmp_path_factory.mktemp("upstream"), "-S")
    yield process
    process.close()


@pytest.fixture(scope="session")
def ask_torchserve(upstream: Upstream) -> Callable[..., list[Any]]:
    """Asks a default handler of torchserve's own: `ask_torchserve(handler, folder, model, batches)`."""
    from torchserves_own import asking

    return asking(upstream)


@pytest.fixture(scope="session")
def torchserve_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torchserve's wheel, made again of the torchserve that is installed."""
    from fresh_venv import repack

    return repack("torchserve", tmp_path_factory.mktemp("torchserve"))


class FakeMetrics:
    """Records what a handler reports."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float, Optional[str]]] = []

    def add_time(self, name: str, value: float, idx: Optional[int] = None, unit: str = "ms") -> None:
        self.times.append((name, value, unit))


class FakeContext:
    """The part of TorchServe's context that handlers use, for a batch whose requests have these headers."""

    def __init__(
        self,
        model_dir: Path,
        manifest: dict[str, Any],
        config: Optional[dict[str, Any]],
        gpu_id: Optional[int],
    ) -> None:
        self.system_properties = {"model_dir": str(model_dir), "gpu_id": gpu_id}
        self.manifest = manifest
        self.model_yaml_config = config
        self.metrics = FakeMetrics()
        self.headers: dict[int, dict[str, str]] = {}
        self.statuses: dict[int, int] = {}
        self.content_types: dict[int, str] = {}

    def get_request_id(self, idx: int = 0) -> str:
        return f"request-{idx}"

    def get_request_header(self, idx: int, key: str) -> Optional[str]:
        return self.headers.get(idx, {}).get(key)

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        self.statuses[idx] = code

    def set_response_content_type(self, idx: int, value: str) -> None:
        self.content_types[idx] = value


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[..., FakeContext]:
    """Makes the context of an archive: `make_context(model_dir, config={...}, headers={0: {...}}, modelFile=...)`.

    Further keyword arguments are entries of the manifest's `model`.
    """

    def make(
        model_dir: Path = tmp_path,
        *,
        config: Optional[dict[str, Any]] = None,
        headers: Optional[dict[int, dict[str, str]]] = None,
        gpu_id: Optional[int] = None,
        **model: str,
    ) -> FakeContext:
        context = FakeContext(model_dir, {"model": {"modelName": "test", **model}}, config, gpu_id)
        context.headers.update(headers or {})
        return context

    return make


@pytest.fixture(scope="session")
def efficientnet_lite0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the example in examples/image_classifier: EfficientNet-Lite0 with its real weights."""
    from at_hand import or_skip

    from examples.image_classifier.archive import build_archive

    return or_skip(build_archive, tmp_path_factory.mktemp("efficientnet_lite0"))


@pytest.fixture(scope="session")
def efficientnet_lite0_folder(efficientnet_lite0: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That archive, unpacked."""
    import zipfile

    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(efficientnet_lite0) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def torchscript_folder(efficientnet_lite0_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as a TorchScript file `model.pt`, with its labels."""
    import torch

    from ts.handler_utils.models.formats.eager import load_eager

    folder = tmp_path_factory.mktemp("torchscript")
    weights = efficientnet_lite0_folder / "efficientnet_lite0.pt"
    model = load_eager(efficientnet_lite0_folder, "model.py", weights, "cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(model, torch.zeros(1, 3, 224, 224)).save(str(folder / "model.pt"))
    labels = (efficientnet_lite0_folder / "index_to_name.json").read_text()
    (folder / "index_to_name.json").write_text(labels)
    return folder


@pytest.fixture(scope="session")
def format_archives(
    efficientnet_lite0_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Archives of real networks in each model format; those of ONNX only where onnxruntime is installed."""
    from format_archives import pack_architecture, pack_classifiers, pack_onnx

    folder = tmp_path_factory.mktemp("format_archives")
    archives = {**pack_classifiers(folder, efficientnet_lite0_folder), **pack_architecture(folder)}
    return {**archives, **(pack_onnx(folder) if importlib.util.find_spec("onnxruntime") else {})}


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The saved model folders of `huggingface_folders.MAKERS`, by their names; each is made once."""
    pytest.importorskip(
        "transformers", reason="needs transformers: pip install 'torchserve-handlers[transformers]'"
    )
    from huggingface_folders import save_folder

    folder = tmp_path_factory.mktemp("saved_models")
    return cache(lambda name: save_folder(name, folder))


@pytest.fixture(scope="session")
def photos() -> list[Path]:
    """Real photos: three PNGs of at most 600x512, three JPEGs of 640x427."""
    from at_hand import or_skip

    from examples.assets import ASTRONAUT, CHELSEA, CHINA, COFFEE, FLOWER, ROCKET, fetch_all

    return or_skip(fetch_all, [CHELSEA, COFFEE, ASTRONAUT, ROCKET, CHINA, FLOWER])


@pytest.fixture
def openvino_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which conversions for OpenVINO are kept, of one test alone."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(folder))
    return folder / "openvino"

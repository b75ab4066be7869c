"""Each block of Python in a page runs as it stands, and the handlers that it defines answer."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import pytest
import torch
from pages import Block, blocks
from tiny_archives import TINY, TinyArchive, photo

from ts.runner import pack
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.embedder import Embedder
from ts.utils.util import list_classes_from_module

BLOCKS = [pytest.param(block, id=str(block)) for block in blocks("python")]
OF_HANDLERS = [param for param in BLOCKS if "ts.torch_handler" in param.values[0].text]

Run = Callable[[Block], ModuleType]


class Means(torch.nn.Module):
    """Three logits: the means of an image's channels."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages speak of as the reader's: kitten.mar, photo.jpg, answers.parquet."""
    folder = tmp_path_factory.mktemp("readers")
    (folder / "photo.jpg").write_bytes(photo("red"))
    pack(Means(), folder / "kitten.mar", handler="image_classifier", labels=["red", "green", "blue"])
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a block as a file of the reader's folder."""
    monkeypatch.chdir(folder)
    name = "from_a_page"

    def execute(block: Block) -> ModuleType:
        (folder / f"{name}.py").write_text(block.text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return execute


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs(block: Block, run: Run, folder: Path) -> None:
    if "answers.parquet" in block.text:
        pandas = pytest.importorskip("pandas", reason="needs pandas: pip install 'torchserve-handlers[ray]'")
        reason = "needs pyarrow: pip install 'torchserve-handlers[parquet]'"
        pytest.importorskip("pyarrow", reason=reason, exc_type=ImportError)
        pandas.DataFrame({"path": ["a.jpg"], "status": [200]}).to_parquet(folder / "answers.parquet")
    run(block)


def tiny_of(kind: type[BaseHandler]) -> TinyArchive:
    """The small archive of the nearest default handler that a class is built on."""
    texts = TINY["text"]
    tinies = [*TINY.values(), TinyArchive(Embedder, texts.model, texts.rows, {})]
    return next(tiny for base in kind.__mro__ for tiny in tinies if tiny.handler is base)


def defined(module: ModuleType) -> list[type[BaseHandler]]:
    kinds = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    ]
    return [kind for kind in kinds if issubclass(kind, BaseHandler)]


@pytest.mark.parametrize("block", OF_HANDLERS)
def test_a_handler_of_a_page_answers(
    block: Block,
    run: Run,
    tmp_path: Path,
    make_context: Callable[..., Any],
) -> None:
    module = run(block)
    (kind,) = defined(module)
    assert list_classes_from_module(module) == [kind]
    tiny = tiny_of(kind)
    context = make_context(tiny.write(tmp_path), config={"handler": tiny.settings}, modelFile="model.py")
    handler = kind()
    handler.initialize(context)
    rows = [{"data": row.get("data", row.get("body"))} for row in tiny.rows[:2]]
    answers = handler.handle(rows, context)
    assert len(answers) == 2
    assert not context.statuses, answers

"""Texts on a live TorchServe: what a client is told of one that is cut or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

from ts.runner import load_archive
from ts.runner.torchserve.server import TorchServe

NETWORK = """
import torch
from torch import nn

class Network(nn.Module):
    def forward(self, input_ids, attention_mask):
        return torch.stack([attention_mask.sum(dim=1), input_ids.amax(dim=1)], dim=1).float()
"""
LONG = "the rain " * 300


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Its network's logits are how many tokens it gets, and the largest of their indexes."""
    library = pytest.importorskip("tokenizers", reason="transformers' texts need tokenizers")
    tokenizer = library.Tokenizer(
        library.models.WordLevel({"[UNK]": 0, "the": 1, "rain": 2}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = library.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "network.py").write_text(NETWORK)
    config = ModelArchiverConfig(
        model_name="texts",
        version="1.0",
        handler="text_classifier",
        model_file=str(tmp_path / "network.py"),
        extra_files=str(tmp_path / "tokenizer.json"),
        export_path=str(tmp_path),
    )
    generate_model_archive(config)
    return tmp_path / "texts.mar"


def test_a_long_text_is_cut_and_a_longer_one_refused_as_with_the_runner(
    needs_torchserve: None, archive: Path
) -> None:
    with load_archive(archive, device="cpu") as model:
        ours = model.predict([LONG, "the rain"])
    session = requests.Session()
    session.trust_env = False
    with TorchServe([archive], device="cpu") as server:
        url = f"{server.url}/predictions/texts"
        live = [
            session.post(url, data=text.encode(), timeout=60) for text in (LONG, "the rain", "a" * 100_001)
        ]
    assert [answer.status_code for answer in live] == [200, 200, 413]
    assert [answer.headers.get("ts-tokens") for answer in live] == ["512 of 600", None, None]
    assert [answer.headers.get("ts-tokens") for answer in ours] == ["512 of 600", None]
    assert [answer.json() for answer in live[:2]] == [answer.response for answer in ours]
    assert (
        live[2]
        .json()["message"]
        .startswith("The text is too large: 100001 bytes, and max_text_bytes is 100000")
    )

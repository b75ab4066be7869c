"""What the loaders of models say of files that they cannot read."""

from __future__ import annotations

import pytest
import torch

from ts.handler_utils.model_formats.aotinductor import load_aot_compiled


def test_a_package_of_aotinductor_is_refused_by_name_on_a_torch_that_reads_none(monkeypatch):
    monkeypatch.delattr(torch._inductor, "aoti_load_package", raising=False)  # torch 2.3 to 2.5
    with pytest.raises(ValueError, match=r"^model\.pt2 .* since 2\.6: this is "):
        load_aot_compiled("/models/model.pt2", "cpu")

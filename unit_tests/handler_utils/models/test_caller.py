"""What a handler's model raises is what is answered, whatever types its inputs have."""

from __future__ import annotations

from typing import Any, Callable

import pytest
import torch

from ts.torch_handler.base_handler import BaseHandler


class Tokens(torch.nn.Module):
    """Takes whole numbers, as its embedding does, and fails then."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(4, 2)
        self.error = error
        self.calls = 0

    def forward(self, indexes: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.embedding(indexes)
        raise self.error


class TokensHandler(BaseHandler):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.initialized, self.device, self.model = True, torch.device("cpu"), Tokens(error)

    def preprocess(self, data: Any) -> torch.Tensor:
        return torch.tensor([row["data"] for row in data])


def test_whole_numbers_that_run_out_of_memory_are_a_507(make_context: Callable) -> None:
    handler, context = TokensHandler(torch.cuda.OutOfMemoryError("CUDA out of memory")), make_context()
    (answer,) = handler.handle([{"data": [1, 2]}], context)
    assert (answer["code"], context.statuses) == (507, {0: 507})
    assert handler.model.calls == 1


def test_the_error_of_a_model_is_not_hidden_by_that_of_another_type() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        TokensHandler(RuntimeError("shapes cannot be multiplied")).inference(torch.tensor([[1, 2]]))

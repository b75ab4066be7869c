"""A model that takes batches of certain sizes answers batches of any size."""

from __future__ import annotations

from collections import namedtuple

import pytest
import torch

from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel

Pair = namedtuple("Pair", "double triple")


class Sums:
    """Sums each row, and notes the batches that it gets."""

    name = "sums"

    def __init__(self, form=lambda sums: sums):
        self.form = form
        self.batches = []

    def __call__(self, batch, **named):
        self.batches.append(batch.tolist())
        return self.form(batch.sum(dim=1) + sum(item.sum(dim=1) for item in named.values()))


def batch_of(rows):
    return torch.arange(2.0 * rows).reshape(rows, 2)


EXPECTED = [1.0, 5.0, 9.0, 13.0, 17.0]


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "limits", [BatchLimits.fixed(2), BatchLimits(2), BatchLimits(1, 2), BatchLimits(3, 4)]
)
def test_each_row_gets_its_own_answer_and_padding_none(limits, rows):
    model = Sums()
    assert ChunkedModel(model, limits)(batch_of(rows)).tolist() == EXPECTED[:rows]
    assert all(limits.allow(len(batch)) for batch in model.batches)


def test_the_last_chunk_is_filled_up_with_its_last_row():
    model = Sums()
    ChunkedModel(model, BatchLimits.fixed(2))(batch_of(3))
    assert model.batches == [[[0, 1], [2, 3]], [[4, 5], [4, 5]]]


def test_a_batch_of_the_right_size_goes_through_as_it_is():
    model = Sums()
    batch = batch_of(2)
    assert ChunkedModel(model, BatchLimits.fixed(2))(batch).tolist() == [1, 5]
    assert len(model.batches) == 1


def test_an_empty_batch_gets_no_answers():
    assert ChunkedModel(Sums(), BatchLimits.fixed(2))(batch_of(0)).tolist() == []


def test_named_inputs_are_cut_with_the_others():
    model = ChunkedModel(Sums(), BatchLimits.fixed(2))
    assert model(batch_of(3), other=batch_of(3)).tolist() == [2, 10, 18]


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_outputs_may_be_dictionaries_lists_tuples_and_named_tuples(rows):
    def form(sums):
        return {"pair": Pair(2 * sums, 3 * sums), "list": [sums, (sums,)]}

    output = ChunkedModel(Sums(form), BatchLimits.fixed(2))(batch_of(rows))
    sums = EXPECTED[:rows]
    assert output["pair"].double.tolist() == [2 * value for value in sums]
    assert output["pair"].triple.tolist() == [3 * value for value in sums]
    assert output["list"][0].tolist() == output["list"][1][0].tolist() == sums
    assert isinstance(output["list"][1], tuple)


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_a_detectors_output_has_a_dictionary_a_row(rows):
    def form(sums):
        return [{"boxes": value.repeat(3)} for value in sums]

    output = ChunkedModel(Sums(form), BatchLimits.fixed(2))(batch_of(rows))
    assert [item["boxes"].tolist() for item in output] == [[value] * 3 for value in EXPECTED[:rows]]


def test_an_output_without_rows_is_refused():
    model = ChunkedModel(Sums(lambda sums: sums.mean()), BatchLimits.fixed(2))
    with pytest.raises(
        ValueError, match=r"takes batches of 2, but its output of shape \[\] cannot be told apart"
    ):
        model(batch_of(3))


def test_inputs_with_no_common_rows_go_through_as_they_are():
    model = ChunkedModel(lambda *inputs: len(inputs), BatchLimits.fixed(2))
    assert model(torch.zeros(3), torch.zeros(4)) == 2
    assert model([torch.zeros(3)]) == 1


def test_all_else_is_the_models():
    assert ChunkedModel(Sums(), BatchLimits.fixed(2)).name == "sums"

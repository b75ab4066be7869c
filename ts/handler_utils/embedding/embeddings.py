"""How an `Embedder` asks its model for vectors."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.embedding.answers import encoded, finished
from ts.handler_utils.embedding.batches import MixedBatch, holds_image, mask_of, parts_of
from ts.handler_utils.embedding.heads import take_off_head
from ts.handler_utils.embedding.outputs import OWN, POOLER, vectors_of
from ts.handler_utils.embedding.sentence_transformers import Recipe, read_recipe
from ts.handler_utils.embedding.towers import TwoTowers, encoder_of
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.settings import Warmup
from ts.handler_utils.text.batch import TextBatch
from ts.handler_utils.text.encoding import TextEncoding
from ts.handler_utils.text.subwords import SubwordTokenizer

logger = logging.getLogger(__name__)


class Embeddings(Part):
    """What the model of a handler takes, and how its vectors are made of what it returns."""

    recipe = Recipe()
    takes_texts = False
    takes_images = True
    ways: tuple[str, ...] = ("mean",)  # of pooling
    _looked = False

    def prepare(self, model_dir: str | Path) -> None:
        """Settles what the model takes and how it is pooled, and takes the head off a classifier.

        Raises:
            ValueError: the setting `head` names no layer of the model, or a file of the archive is wrong.
        """
        handler, defaults = self.handler, ModelDefaults.of(self.handler)
        self.recipe = read_recipe(defaults.folder or model_dir, handler.device)
        self.takes_texts = isinstance(handler.tokenizer, SubwordTokenizer) or handler.source_vocab is not None
        self.takes_images = not self.takes_texts
        if defaults.folder is not None:
            handler.model = encoder_of(handler.model)
            self.takes_images |= isinstance(handler.model, TwoTowers)
        take_off_head(handler.model, self._setting("head"))
        self._choose_pooling(defaults)
        prompt = self._setting("prompt")
        if isinstance(prompt, str) and prompt not in self.recipe.prompts:
            Configuration.of(handler).refuse("prompt", f"handler.prompt: {self._no_prompt(prompt)}")

    def _choose_pooling(self, defaults: ModelDefaults) -> None:
        pooling = self._setting("pooling")
        random = sorted(name for name in defaults.missing if not name.startswith("decoder."))
        without_pooler = [name for name in random if "pooler." not in name]
        if without_pooler or (random and pooling == POOLER):
            raise ValueError(f"The saved model lacks weights, which would be random: {', '.join(random[:3])}")
        if pooling:
            self.ways = (pooling,)
        elif self.recipe.ways:
            self.ways = self.recipe.ways
        elif defaults.folder is not None and not self.takes_texts:
            self.ways = ("cls",) if random else OWN

    def _setting(self, name: str) -> Any:
        return getattr(Configuration.of(self.handler).settings, name, None)

    def read(self, rows: list[Any]) -> Any:
        """The batch of the rows' images or texts, as the model takes it.

        Raises:
            RowErrors: some rows hold none.
        """
        if not self.takes_texts:
            return self._read_images(rows)
        if not self.takes_images:
            return self._read_texts(rows)
        kinds = [holds_image(row) for row in rows]
        parts = []
        for kind, read in ((True, self._read_images), (False, self._read_texts)):
            places = [place for place, found in enumerate(kinds) if found == kind]
            if places:
                with CurrentBatch.of(self.handler).in_parts():
                    parts.append((places, read([rows[place] for place in places])))
        return MixedBatch(parts)

    def _read_images(self, rows: list[Any]) -> Any:
        return ImageBatches.of(self.handler).read(rows, of_any_size=True)

    def _read_texts(self, rows: list[Any]) -> Any:
        texts = TextEncoding.of(self.handler)
        return texts.batch(texts.read(rows, self._with_prompt))

    def _with_prompt(self, index: int, text: str) -> str:
        """A text behind the prompt that its request names, or that the model puts before all texts."""
        asked = getattr(Configuration.of(self.handler).options_of(index), "prompt", None)
        if asked is not None and asked not in self.recipe.prompts:
            raise InvalidInput(f"Wrong option: {self._no_prompt(asked)}")
        name = self.recipe.prompt if asked is None else asked
        text = self.recipe.prompts.get(name or "", "") + text
        return text.lower() if self.recipe.lower_case else text

    def _no_prompt(self, name: str) -> str:
        known = ", ".join(self.recipe.prompts)
        return f"the model has no prompt {name!r}; {f'its prompts are {known}' if known else 'it has none'}"

    def vectors(self, batch: Any, call: Callable[..., Any]) -> torch.Tensor:
        """The vectors of a batch.

        Args:
            batch: as `read` makes it.
            call: calls the model.

        Returns:
            float32 [N, D].

        Raises:
            ModelFault: there are none in what the model returns.
        """
        places: list[int] = []
        found = []
        with torch.inference_mode():
            for rows, part in parts_of(batch):
                inputs, named = part.arguments() if isinstance(part, TextBatch) else ((part,), {})
                vectors = vectors_of(call(*inputs, **named), len(rows), mask_of(part), self.ways)
                for layer in self.recipe.layers:
                    vectors = layer(vectors)
                found.append(vectors)
                places += rows
        return found[0] if len(found) == 1 else torch.cat(found)[torch.tensor(places).argsort()]

    def answers(self, vectors: torch.Tensor) -> list[Any]:
        """The answer to each row, in the format that its request asks for.

        Raises:
            RowErrors: some requests ask for what is not allowed, or their vectors are not finite.
        """
        options, batch = Configuration.of(self.handler).options(len(vectors)), CurrentBatch.of(self.handler)
        vectors = vectors.float().cpu()
        self._look_for_classes(vectors)
        as_usual = self.recipe.normalize is not False

        def answer(index: int) -> Any:
            asked = options[index]
            wanted = as_usual if asked.normalize is None else asked.normalize
            result, content_type = encoded(finished(vectors[index], normalize=wanted), asked.format)
            if content_type is not None:
                batch.set_content_type(index, content_type)
            return result

        return batch.each(answer, len(vectors))

    def _look_for_classes(self, vectors: torch.Tensor) -> None:
        """Warns, once, of vectors that look like the logits of a classifier."""
        labels = len(self.handler.mapping or ())
        if not self._looked and labels > 1 and vectors.shape[1] == labels:
            logger.warning(
                "The vectors have as many numbers as index_to_name.json has labels, %d: if they are a classifier's"
                " logits, name its last layer by handler.head in model-config.yaml",
                labels,
            )
        self._looked = True

    def warmup_batch(self, rows: int, warmup: Warmup) -> Any:
        """A batch of made-up images or texts."""
        source: Any = TextEncoding if self.takes_texts else ImageBatches
        return source.of(self.handler).warmup_batch(rows, warmup)

    def described(self, description: dict[str, Any]) -> dict[str, Any]:
        """A description of the handler: of its payloads those that the model takes, no labels, its `dimension`."""
        taken = [
            payload
            for payload in description["payloads"]
            if (self.takes_texts if payload.startswith("a text") else self.takes_images)
        ]
        return {**description, "payloads": taken, "labels": None, "dimension": self.dimension}

    @cached_property
    def dimension(self) -> Optional[int]:
        """How many numbers a vector has: those of a made-up input; None where the model takes no such."""
        handler = self.handler
        with suppress(Exception):  # a description says what it can
            return int(handler.inference(self.warmup_batch(1, Warmup())).shape[1])
        return None

"""A bag of embeddings, the network of the text_classifier example (Joulin et al. 2016, fastText)."""

from __future__ import annotations

from torch import Tensor, nn

VOCABULARY_SIZE = 40_000
DIMENSIONS = 64
CLASSES = 8


class TopicClassifier(nn.Module):
    """The mean of the embeddings of a text's words and word pairs, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(VOCABULARY_SIZE, DIMENSIONS, mode="mean", sparse=True)
        self.dropout = nn.Dropout()
        self.fc = nn.Linear(DIMENSIONS, CLASSES)

    def forward(self, text: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Classify texts.

        Args:
            text: indexes of the tokens of all texts, int64 [T].
            offsets: where each text starts in them, int64 [N].

        Returns:
            Logits [N, CLASSES].
        """
        return self.fc(self.dropout(self.embedding(text, offsets)))

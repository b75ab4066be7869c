"""A TextClassifier that changes one hook, and takes a batch of one text as 0.12's does."""

from ts.torch_handler.text_classifier import TextClassifier


class SureNews(TextClassifier):
    ngrams = 1

    def postprocess(self, data):
        answers = super().postprocess(data)
        return [max(answer, key=answer.get) for answer in answers]


WORDS = ["the", "a", "do", "not", "cat", "is", "cafe", "good", "news", "i", "am", "here"]
VOCABULARY = {word: index for index, word in enumerate(WORDS)}
LABELS = {"0": "World", "1": "Sports", "2": "Science"}

CASES = {
    "classified texts": {
        "model": "bag",
        "files": {"index_to_name.json": LABELS, "source_vocab.pt": VOCABULARY},
        "batches": [[{"data": b"the good news"}], [{"body": "I do not"}], [{"body": b"a cat is here"}]],
    }
}

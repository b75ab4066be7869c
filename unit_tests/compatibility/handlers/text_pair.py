"""Takes apart what the default text classifier's preprocess gives: the indexes and the words."""

from ts.torch_handler.text_classifier import TextClassifier


class TextPair(TextClassifier):
    ngrams = 1

    def preprocess(self, data):
        indexes, words = super().preprocess(data)
        self.words = words
        self.count = len(indexes)
        return indexes, words

    def postprocess(self, data):
        return [{"words": self.words, "count": self.count, **answer} for answer in super().postprocess(data)]


WORDS = ["the", "a", "do", "not", "cat", "is", "cafe", "good", "news", "i", "am", "here"]

CASES = {
    "indexes and words": {
        "model": "bag",
        "files": {"source_vocab.pt": {word: index for index, word in enumerate(WORDS)}},
        "batches": [[{"data": b"the good news"}], [{"body": "I am here"}]],
    }
}

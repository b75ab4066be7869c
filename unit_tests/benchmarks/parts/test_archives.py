"""What a TorchServe under load serves."""

from __future__ import annotations

from pathlib import Path

from benchmarks.parts.archives import doing_nothing, write_news
from ts.runner.answering.model import load_archive


def test_news_are_answered_by_their_archive_and_not_looked_at_by_the_other(tmp_path: Path) -> None:
    served = write_news(tmp_path / "news", 3, 4, {"handler": {"ngrams": 2}})
    nothing = doing_nothing(served, tmp_path / "nothing")
    texts = [body.read_text() for body in served.bodies[:2]]
    with load_archive(served.folder, device="cpu") as model:
        assert (model.archive.config["batchSize"], model.archive.config["handler"]) == (4, {"ngrams": 2})
        answers = model.predict([*texts, "words that nobody knows"])
        assert [answer.status for answer in answers] == [200, 200, 200]
    with load_archive(nothing.folder, device="cpu") as model:
        assert [answer.body for answer in model.predict(texts)] == [b"{}", b"{}"]
    assert [path.read_bytes() for path in nothing.bodies] == [path.read_bytes() for path in served.bodies]
    assert (nothing.content_type, nothing.batch_size) == ("text/plain", 4)

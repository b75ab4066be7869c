from __future__ import annotations

from pathlib import Path

import pytest

from ts.runner.torchserve.log import load_failure, server_failure, worker_failure

OUTPUT = "2026-11-23T01:08:21,397 [INFO ] W-9000-{name}-stdout MODEL_LOG - {text}\n"
RETRY = (
    "2026-11-23T01:08:22,453 [INFO ] W-9000-{name} org.pytorch.serve.wlm.WorkerThread - Retry worker: 9000\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


def test_the_last_exception_of_a_worker_that_is_retried_is_the_reason(log: Path) -> None:
    texts = [
        "Traceback (most recent call last):",
        '  File "model_loader.py", line 125, in load',
        "ModuleNotFoundError: No module named 'own'",
        "Traceback (most recent call last):",
        "ValueError: bad weights",
        "Backend worker process died.",
    ]
    lines = [OUTPUT.format(name="tiny_1.0", text=text) for text in texts]
    log.write_text("".join([*lines, RETRY.format(name="tiny_1.0")]))
    assert worker_failure(log, "tiny", "1.0") == "ValueError: bad weights"


def test_a_worker_that_only_logs_an_error_has_not_failed(log: Path) -> None:
    log.write_text(OUTPUT.format(name="tiny_1.0", text="ValueError: caught"))
    assert worker_failure(log, "tiny", "1.0") is None


def test_another_models_failure_is_not_this_ones(log: Path) -> None:
    log.write_text(
        OUTPUT.format(name="not-tiny2_1.0", text="ValueError: x") + RETRY.format(name="not-tiny2_1.0")
    )
    assert worker_failure(log, "tiny", "1.0") is None


def test_without_an_exception_the_last_line_is_the_reason(log: Path) -> None:
    log.write_text(OUTPUT.format(name="tiny_1.0", text="weights are gone") + RETRY.format(name="tiny_1.0"))
    assert worker_failure(log, "tiny", "1.0") == "weights are gone"


def test_a_worker_without_output_failed_for_the_frontends_reason(log: Path) -> None:
    log.write_text(
        "org.pytorch.serve.wlm.WorkerInitializationException: no socket\n" + RETRY.format(name="tiny_1.0")
    )
    assert (
        worker_failure(log, "tiny", "1.0") == "org.pytorch.serve.wlm.WorkerInitializationException: no socket"
    )


NOT_LOADED = (
    "2026-11-23T01:08:21,397 [WARN ] main org.pytorch.serve.ModelServer - Failed to load model: {name}\n"
)


def test_an_archive_that_the_frontend_cannot_unpack_was_not_loaded_for_its_reason(log: Path) -> None:
    log.write_text(
        NOT_LOADED.format(name="archive-1.mar")
        + "java.io.IOException: No space left on device\n\tat sun.nio.ch.FileDispatcherImpl.write0(Native)\n"
    )
    assert load_failure(log, "archive-1.mar") == "java.io.IOException: No space left on device"
    assert load_failure(log, "archive-0.mar") is None
    assert load_failure(log, "archive-11.mar") is None


def test_an_archive_that_was_not_loaded_without_a_reason_is_named(log: Path) -> None:
    log.write_text(NOT_LOADED.format(name="archive-1"))
    assert (load_failure(log, "archive-1") or "").endswith("Failed to load model: archive-1")


def test_the_server_ended_for_the_last_exception_it_named(log: Path) -> None:
    log.write_text(
        "java.net.BindException: Address already in use\n\tat sun.nio.ch.Net.bind0\nRemoving pid file.\n"
    )
    assert server_failure(log) == "java.net.BindException: Address already in use"


def test_the_server_ended_for_what_it_said_last(log: Path) -> None:
    log.write_text("one\ntwo\n\n")
    assert server_failure(log) == "two"
    log.write_text("")
    assert server_failure(log) == "it wrote nothing"

"""Nothing is ever lost: not the inputs, not the archive that was there, not among many runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.writing import archive as writing

ARGUMENTS = ("--model-name", "net", "-v", "1.0", "--handler", "base_handler", "--serialized-file")
RUNS = 50


def tree(folder):
    """Every file below a folder with its bytes, and every folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def old_archive(pack, archive_format):
    """An archive of version 1.0 in the format of the moment."""
    return pack(serialized_file="weights.pt", archive_format=archive_format)


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir(exist_ok=True)
    return folder


def test_inputs_are_only_read(pack, inputs, archive_format):
    before = tree(inputs)
    pack(
        serialized_file="weights.pt", model_file="net.py", extra_files="extra", archive_format=archive_format
    )
    assert tree(inputs) == before


def test_inputs_are_safe_where_torchserves_archiver_stages_its_files(cli, environment, tmp_path, contents):
    staging = tmp_path / "net"
    staging.mkdir()
    (staging / "weights.pt").write_text("precious")
    environment["TMPDIR"] = str(tmp_path)
    run = cli(*ARGUMENTS, str(staging / "weights.pt"), "--export-path", str(tmp_path))
    assert run.returncode == 0
    assert (staging / "weights.pt").read_text() == "precious"
    assert contents(tmp_path / "net.mar")["weights.pt"] == b"precious"


def test_an_archive_is_not_replaced_unasked(pack, store, old_archive, archive_format):
    before = tree(store)
    with pytest.raises(ModelArchiverError, match="exists already; -f replaces it"):
        pack(archive_format=archive_format)
    assert tree(store) == before


def test_an_archive_is_replaced_by_force(pack, old_archive, archive_format, manifest):
    pack(version="2.0", archive_format=archive_format, force=True)
    assert manifest(old_archive)["model"]["modelVersion"] == "2.0"
    assert "weights.pt" not in manifest(old_archive)["sha256"]


def test_a_folder_that_is_no_archive_is_not_replaced(pack, store):
    (store / "net").mkdir()
    (store / "net" / "thesis.txt").write_text("precious")
    with pytest.raises(
        ModelArchiverError, match="is a folder that holds no model archive, and is not replaced"
    ):
        pack(archive_format="no-archive", force=True)
    assert (store / "net" / "thesis.txt").read_text() == "precious"


def test_a_folder_is_not_replaced_by_a_file_nor_a_file_by_a_folder(pack, store):
    (store / "net.mar").mkdir()
    (store / "net").write_text("precious")
    with pytest.raises(ModelArchiverError, match=r"net\.mar is a folder, and is not replaced"):
        pack(force=True)
    with pytest.raises(ModelArchiverError, match="net is not a folder, and is not replaced"):
        pack(archive_format="no-archive", force=True)
    assert (store / "net").read_text() == "precious"


def test_a_file_that_was_put_into_an_archives_folder_is_not_lost(pack):
    folder = pack(extra_files="extra", archive_format="no-archive")
    (folder / "below" / "notes.txt").write_text("precious")
    with pytest.raises(ModelArchiverError, match=r"below/notes\.txt is not of the archive that lies there"):
        pack(archive_format="no-archive", force=True)
    assert (folder / "below" / "notes.txt").read_text() == "precious"


def test_what_an_interpreter_leaves_in_an_archives_folder_does_not_keep_it(pack):
    folder = pack(extra_files="extra", archive_format="no-archive")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "answer.pyc").write_text("")
    pack(archive_format="no-archive", force=True)
    assert sorted(path.name for path in folder.iterdir()) == ["MAR-INF", "answer.py"]


def test_a_folder_of_torchserves_archiver_is_replaced(pack, store):
    (store / "net" / "MAR-INF").mkdir(parents=True)
    (store / "net" / "MAR-INF" / "MANIFEST.json").write_text("{}")
    (store / "net" / "old.py").write_text("")
    folder = pack(archive_format="no-archive", force=True)
    assert sorted(path.name for path in folder.iterdir()) == ["MAR-INF", "answer.py"]


@pytest.mark.parametrize("by_link", [False, True])
def test_an_input_inside_the_archive_to_be_replaced_is_named(pack, store, inputs, by_link):
    folder = pack(serialized_file="weights.pt", archive_format="no-archive")
    source = folder / "weights.pt"
    if by_link:
        (inputs / "link.pt").symlink_to(source)
        source = inputs / "link.pt"
    with pytest.raises(ModelArchiverError, match="the very archive that would be replaced"):
        pack(serialized_file=str(source), archive_format="no-archive", force=True)
    assert (folder / "weights.pt").read_bytes() == b"weights" * 100


def test_a_linked_archive_stays_a_link(pack, store, tmp_path, contents):
    (tmp_path / "real.mar").write_text("old")
    (store / "net.mar").symlink_to(tmp_path / "real.mar")
    pack(serialized_file="weights.pt", force=True)
    assert (store / "net.mar").is_symlink()
    assert contents(tmp_path / "real.mar")["weights.pt"] == b"weights" * 100


def test_a_force_that_fails_leaves_the_old_archive(pack, store, old_archive, archive_format, monkeypatch):
    before = tree(store)

    def fail(*arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(writing, "publish", fail)
    with pytest.raises(ModelArchiverError, match=r"net.* cannot be written: Input/output error$"):
        pack(version="2.0", archive_format=archive_format, force=True)
    assert tree(store) == before


def test_an_archive_that_does_not_read_back_is_not_published(
    pack, store, old_archive, archive_format, monkeypatch
):
    before = tree(store)
    check = writing._check_written

    def damage(path, *arguments):
        damaged = path / "weights.pt" if path.is_dir() else path
        content = bytearray(damaged.read_bytes())
        content[len(content) // 3] ^= 1
        damaged.write_bytes(content)
        check(path, *arguments)

    monkeypatch.setattr(writing, "_check_written", damage)
    with pytest.raises(ModelArchiverError, match="read"):
        pack(serialized_file="weights.pt", version="2.0", archive_format=archive_format, force=True)
    assert tree(store) == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_full_disk_leaves_the_old_archive(pack, cli, inputs, store, archive_format, exists):
    if exists:
        pack(archive_format=archive_format)
    before = tree(store)
    (inputs / "big.pt").write_bytes(os.urandom(1 << 20))
    # A limit on a file's size fails a write in its midst, as a full disk does.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    arguments = (*ARGUMENTS, "big.pt", "--export-path", str(store), "--archive-format", archive_format, "-f")
    run = cli(*arguments, before=limit)
    assert run.returncode == 1
    assert run.stderr.startswith("torch-model-archiver: error: ")
    assert run.stderr.endswith("cannot be written: File too large\n")
    assert run.stderr.count("\n") == 1
    assert tree(store) == before


PAUSES = {
    "in the midst of writing": (
        "from model_archiver.writing import source_stream as module; place = module.SourceStream.read",
        "module.SourceStream.read",
    ),
    "before verifying": ("from model_archiver.writing import archive as module", "module._check_written"),
    "before publishing": ("from model_archiver.writing import archive as module", "module.publish"),
    "before renaming": ("from model_archiver.publishing import publish as module", "module._sync_all"),
}


@pytest.mark.parametrize("moment", PAUSES)
def test_a_kill_leaves_the_old_archive_and_nothing_that_stands_in_the_way(
    pack, inputs, store, old_archive, archive_format, command, environment, manifest, moment
):
    before = tree(store)
    setup, function = PAUSES[moment]
    pause = f"{setup}\ndef pause(*arguments):\n    print('here', flush=True)\n    input()\n{function} = pause"
    arguments = (
        *ARGUMENTS,
        "weights.pt",
        "--export-path",
        str(store),
        "--archive-format",
        archive_format,
        "-f",
    )
    with subprocess.Popen(
        command(*arguments, before=pause),
        env=environment,
        cwd=inputs,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    assert tree(store).items() >= before.items()
    assert tree(store) != before, "there is debris"
    pack(version="2.0", archive_format=archive_format, force=True)
    assert manifest(old_archive)["model"]["modelVersion"] == "2.0"
    assert os.listdir(store) == [old_archive.name]


CROWD = """
import json, os, sys
from model_archiver import packing
from model_archiver.model_packaging import generate_model_archive

start, starter = os.pipe()
runs = {}
for number in range(int(sys.argv.pop(1))):
    pid = os.fork()
    if pid == 0:
        os.chdir(str(number))
        sys.stderr = open("stderr.txt", "w")
        os.close(starter)
        os.read(start, 1)  # until the last one is there
        generate_model_archive()
        sys.exit()
    runs[pid] = number
os.close(starter)
ends = dict(os.wait() for _ in runs)
print(json.dumps({number: os.waitstatus_to_exitcode(ends[pid]) for pid, number in runs.items()}))
"""


@pytest.fixture
def crowd(inputs, store, environment):
    """Runs one name in many processes at once, each with weights of its own; returns each one's end."""

    def start(*options):
        for number in range(RUNS):
            (inputs / str(number)).mkdir()
            (inputs / str(number) / "weights.pt").write_text(f"weights of run {number} " * 1000)
        arguments = [*ARGUMENTS, "weights.pt", "--export-path", str(store), *options]
        run = subprocess.run(
            [sys.executable, "-c", CROWD, str(RUNS), *arguments],
            env=environment,
            cwd=inputs,
            stdout=subprocess.PIPE,
            check=True,
        )
        statuses = json.loads(run.stdout)
        return [
            ((inputs / str(number) / "stderr.txt").read_text(), statuses[str(number)])
            for number in range(RUNS)
        ]

    return start


@pytest.mark.parametrize("archive_format", ["default", "no-archive"])
def test_of_many_runs_at_once_one_makes_the_archive_and_the_others_say_why_not(
    crowd, store, contents, archive_format
):
    ends = crowd("--archive-format", archive_format)
    winners = [number for number, (_, status) in enumerate(ends) if status == 0]
    assert len(winners) == 1
    archive = store / ("net.mar" if archive_format == "default" else "net")
    assert contents(archive)["weights.pt"].decode() == f"weights of run {winners[0]} " * 1000
    sentence = f"torch-model-archiver: error: {archive} exists already; -f replaces it\n"
    assert {message for message, status in ends if status} == {sentence}
    assert os.listdir(store) == [archive.name]


@pytest.mark.parametrize("archive_format", ["default", "no-archive"])
def test_many_runs_at_once_by_force_leave_the_whole_archive_of_one(crowd, store, contents, archive_format):
    ends = crowd("--archive-format", archive_format, "-f")
    assert ends == [("", 0)] * RUNS
    archive = store / ("net.mar" if archive_format == "default" else "net")
    weights = contents(archive)["weights.pt"].decode()
    assert weights in {f"weights of run {number} " * 1000 for number in range(RUNS)}
    assert os.listdir(store) == [archive.name]

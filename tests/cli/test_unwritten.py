"""Files that cannot be written: the answer is printed all the same, and no half file is left."""

import errno
import os
import signal

import pytest

from tests.drawing import jpeg, photo, settle

MOST_BYTES = 60_000
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits, links or permissions")


def limit_file_size() -> None:
    """Let this process write files of `MOST_BYTES` at most, as if the disk were full then."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))


@pytest.fixture
def mixed(cli, tmp_path):
    """Twelve indexed photos, one of them larger than a full disk takes; (folder, large file)."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    large = folder / "5.jpg"
    large.write_bytes(large.read_bytes() + bytes(2 * MOST_BYTES))
    settle(folder)
    assert cli("different", folder, "-n", 12, "--no-sheet").code == 0
    return folder, large


@posix
@pytest.mark.slow
def test_a_full_disk_leaves_only_whole_copies_and_the_answer_is_printed(command, mixed, tmp_path):
    folder, large = mixed
    answer = command(
        "different", folder, "-n", 12, "--seed", 1, "--json", "--no-sheet", "--no-refresh",
        "--copy-to", tmp_path / "out", preexec_fn=limit_file_size,
    )  # fmt: skip
    chosen = [image["path"] for image in answer.json["images"]]
    done = chosen.index(str(large))
    assert len(chosen) == 12
    (line,) = answer.err.splitlines()
    assert line.startswith("error: cannot copy 5.jpg into ")
    assert f"{os.strerror(errno.EFBIG)}; {done} of 12 images were copied" in line
    assert answer.code == 1
    copies = sorted((tmp_path / "out").iterdir())
    assert len(copies) == done
    for copy, source in zip(copies, chosen, strict=False):
        with open(source, "rb") as original:
            assert copy.read_bytes() == original.read()

"""The command that serves the page: its address, token, port, end, and other servers beside it."""

import os
import re
import signal
import socket
import sys
import urllib.request

import pytest

from imgbatch.errors import UsageError
from imgbatch.web.serving import bind, token_of

URL = re.compile(rb"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{32,})\n")


def browse(start, folder, index, *more):
    process = start("browse", folder, "--index", index, "--no-open", *more)
    line = process.stdout.readline()
    assert URL.fullmatch(line), (line, process.stderr.read() if not line else "")
    return process, line.decode().strip()


def opened(url):
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(url, timeout=30) as reply:
        return reply.status, reply.read().decode()


@pytest.mark.slow
def test_the_first_line_is_the_address_and_ctrl_c_ends_it_with_130(start, indexed):
    process, url = browse(start, indexed.folder, indexed.index)
    status, html = opened(url)
    assert status == 200
    assert "similar images of photos" in html
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == b""
    assert err.decode().splitlines()[-1] == "the page has ended"


@pytest.mark.slow
def test_port_and_token_stay_so_that_addresses_outlive_the_server(start, indexed):
    process, url = browse(start, indexed.folder, indexed.index)
    process.kill()
    process.wait()
    again, same = browse(start, indexed.folder, indexed.index)
    assert same == url
    assert opened(url)[0] == 200
    other, elsewhere = browse(start, indexed.folder, indexed.index)  # beside it, another port
    assert elsewhere != url
    told = other.stderr.readline() + other.stderr.readline()
    assert b"the folder's own, is taken" in told
    assert elsewhere.partition("token=")[2] == url.partition("token=")[2]
    assert opened(elsewhere)[0] == opened(url)[0] == 200
    assert again.poll() is other.poll() is None


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_that_is_none_is_refused(cli, indexed, port):
    assert cli("browse", indexed.folder, "--port", port).code == 2


def test_a_taken_port_is_told(cli, indexed):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = cli("browse", indexed.folder, "--index", indexed.index, "--port", port)
    assert answer.code == 2
    assert f"port {port} cannot be used" in answer.err
    with pytest.raises(UsageError), socket.create_server(("127.0.0.1", 0)) as taken:
        bind("photos", taken.getsockname()[1])


def test_the_page_is_reached_from_this_machine_alone(indexed):
    with bind(str(indexed.folder), 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_answers_are_sent_without_delay(indexed):
    """What asyncio asks of a socket before it turns off Nagle's delay."""
    with bind(str(indexed.folder), 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_the_token_is_a_secret_of_this_user(tmp_path):
    token = token_of(tmp_path)
    file = tmp_path / "browse-token"
    assert token_of(tmp_path) == token
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o644)  # others may have read it
        assert token_of(tmp_path) != token
        assert file.stat().st_mode & 0o777 == 0o600
    for bad in ("", "short", "x" * 40 + "; Path=/", "x\n" * 40):
        file.write_text(bad)
        assert re.fullmatch(r"[\w-]{32}", token_of(tmp_path))


@pytest.mark.parametrize(
    ("save", "told"),
    [("labels.txt", ".csv"), ("{folder}/labels.csv", "inside the image folder"), ("", "empty")],
)
def test_a_file_to_save_to_is_checked_before_anything_is_served(cli, indexed, save, told):
    answer = cli("browse", indexed.folder, "--save", save.format(folder=indexed.folder))
    assert answer.code == 2
    assert told in answer.err


def test_a_table_that_is_none_is_not_continued(cli, indexed, tmp_path):
    (tmp_path / "labels.csv").write_text("this is\nno,table of ours\n")
    answer = cli(
        "browse", indexed.folder, "--index", indexed.index, "--save", tmp_path / "labels.csv"
    )
    assert answer.code in {1, 2}
    assert "cannot be continued" in answer.err
    assert (tmp_path / "labels.csv").read_text().startswith("this is")


def test_without_its_libraries_the_command_says_what_to_install(cli, indexed, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setattr("imgbatch.cli.browse._LIBRARIES", ("no_such_library",))
    answer = cli("browse", indexed.folder)
    assert answer.code == 2
    assert "pip install 'imgbatch[browse]'" in answer.err


def test_a_folder_is_no_file_to_save_to(cli, indexed, tmp_path):
    answer = cli("browse", indexed.folder, "--save", tmp_path)
    answer.assert_one_clear_line(2, f"--save {tmp_path} is a folder", "labels.csv")

"""The tool that writes docs/COMMANDS.md and the outputs in documents."""

import importlib
import sys

import pytest

from tests.documents import ROOT


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The tool, with a folder of its own to run commands in."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "tools"), *sys.path])
    tool = importlib.import_module("make_docs")
    monkeypatch.setattr(tool, "WORK", tmp_path / "work")
    return tool


def block(head, *lines):
    return "\n".join([f"<!-- run{head} -->", "```console", *lines, "```", ""])


def test_the_output_of_each_command_of_a_block_is_renewed(tool):
    page = block("", "$ echo one", "old", "$ ls samples | head -1", "older")
    assert tool.with_outputs(page) == block(
        "", "$ echo one", "one", "", "$ ls samples | head -1", "balloons"
    )


def test_commands_of_a_page_share_a_folder_that_outputs_name_otherwise(tool):
    page = block("", "$ pwd > here", "") + "text\n" + block("", "$ cat here", "")
    assert tool.with_outputs(page).endswith(block("", "$ cat here", "/home/someone"))
    assert not tool.WORK.exists()


def test_long_outputs_are_cut_where_the_block_says_so(tool):
    page = block(": 2 lines", "$ seq 5", "")
    assert tool.with_outputs(page) == block(": 2 lines", "$ seq 5", "1", "2", "  ...")


def test_a_command_that_goes_on_in_the_next_line_is_one(tool):
    page = block("", "$ echo one \\", "  two", "old")
    assert tool.with_outputs(page) == block("", "$ echo one \\", "  two", "one two")


def test_a_command_that_fails_ends_the_tool_and_leaves_no_folder(tool):
    with pytest.raises(SystemExit, match="failed: ls nowhere"):
        tool.with_outputs(block("", "$ ls nowhere", "old"))
    assert not tool.WORK.exists()


def test_settings_of_whoever_runs_it_are_left_out(tool, monkeypatch):
    monkeypatch.setenv("IMGBATCH_CONFIG", "mine.toml")
    page = block("", '$ echo "[$IMGBATCH_CONFIG]"', "")
    assert tool.with_outputs(page) == block("", '$ echo "[$IMGBATCH_CONFIG]"', "[]")


def test_imgbatch_is_that_of_this_repository(tool, cli):
    page = block("", "$ imgbatch --version", "")
    assert tool.with_outputs(page) == block(
        "", "$ imgbatch --version", cli("--version").out.strip()
    )


def test_blocks_without_the_mark_stay_as_they_are(tool):
    page = "```console\n$ echo one\nold\n```\n"
    assert tool.with_outputs(page) == page


def test_every_command_has_a_block_in_the_page_of_commands(tool):
    page = tool.commands_page()
    for name in ("similar", "label next", "cache clean"):
        assert f"Usage: imgbatch {name} [OPTIONS]" in page
    assert page.index("## Pick") < page.index("### imgbatch batches") < page.index("## Look")

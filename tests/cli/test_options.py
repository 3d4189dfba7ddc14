"""Commands that open a folder take the same options, and a record of options is one parameter."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import imgbatch
from imgbatch.cli import common
from imgbatch.cli.app import app
from imgbatch.cli.helps import told
from imgbatch.errors import UsageError
from tests.commands import ROOT

SAMPLES = ROOT / "samples"
FOLDER_OPTIONS = {"--config", "--emphasis", "--index", "--workers"}
CLUSTER = {"--cluster"}
TRUST = {"--no-refresh"}
OPENERS = {
    "similar": FOLDER_OPTIONS | CLUSTER | TRUST,
    "different": FOLDER_OPTIONS | CLUSTER | TRUST,
    "batches": FOLDER_OPTIONS | CLUSTER | TRUST,
    "evaluate": FOLDER_OPTIONS | CLUSTER | TRUST,
    "overview": FOLDER_OPTIONS | CLUSTER | TRUST,
    "export": FOLDER_OPTIONS | CLUSTER | TRUST,
    "index": FOLDER_OPTIONS | CLUSTER,
    "explain": FOLDER_OPTIONS,
    "tune": FOLDER_OPTIONS,
}


@pytest.mark.parametrize("name", OPENERS)
def test_a_command_that_opens_a_folder_takes_the_options_for_it(name):
    command = get_command(app).commands[name]
    options = {word for one in command.params for word in one.opts}
    assert options >= OPENERS[name]
    assert not (FOLDER_OPTIONS | CLUSTER | TRUST) - OPENERS[name] & options


@dataclass(frozen=True)
class Pair:
    left: Annotated[int, typer.Option(help="First.")] = 1
    right: Annotated[str | None, typer.Option(help="Second.")] = None


def toy(body):
    made = typer.Typer(pretty_exceptions_enable=False)

    @made.command()
    @common.command
    def run(name: Annotated[str, typer.Argument()], pair: Pair = Pair()) -> None:
        body(name, pair)

    return made


def test_the_fields_of_a_record_are_options_and_the_command_gets_the_record():
    seen = []
    run = toy(lambda *given: seen.append(given))
    assert CliRunner().invoke(run, ["a", "--left", "3"]).exit_code == 0
    assert CliRunner().invoke(run, ["b", "--right", "x"]).exit_code == 0
    assert seen == [("a", Pair(3, None)), ("b", Pair(1, "x"))]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("given that", "do this"), 2, "error: given that; do this"),
        (imgbatch.ImgbatchError("given that"), 1, "error: given that"),
        (KeyboardInterrupt(), 130, "stopped; what was indexed is kept"),
        (ValueError("two\nlines"), 1, "error: unexpected ValueError: two lines"),
        (typer.Exit(7), 7, ""),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(error, code, line):
    def fail(*_):
        raise error

    answer = CliRunner().invoke(toy(fail), ["a"])
    assert answer.exit_code == code
    assert answer.stderr.startswith(line)
    assert answer.stderr.count("\n") == (1 if line else 0)


def test_batches_and_evaluate_trust_an_index_on_request(cli, photos, tmp_path):
    assert cli("index", photos).code == 0
    gone = photos.rename(tmp_path / "elsewhere")
    for command in (
        ["batches", photos, "--batch-size", 4, "--json"],
        ["evaluate", photos, "--sets", 2, "-n", 2, "--json"],
    ):
        assert cli(*command, "--no-refresh").code == 0
        assert cli(*command).code == 2
    assert gone.is_dir()


def test_batches_follow_the_weights_of_an_emphasis(cli, photos):
    def plan(*options):
        answer = cli("batches", photos, "--batch-size", 4, "--seed", 1, "--json", *options)
        return answer.json["figures"]

    assert plan() == plan("--emphasis", "balanced")
    assert plan() != plan("--emphasis", "color")


def test_an_export_from_shards_is_that_from_sqlite(cli, photos, tmp_path):
    pytest.importorskip("distributed")
    for name, options in (("a.csv", []), ("b.csv", ["--cluster", "local", "--workers", 1])):
        assert cli("export", photos, "--to", tmp_path / name, *options).code == 0
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("similar", SAMPLES, "-n", "ten"), "error: -n is 'ten', expected a whole number;"),
        (("similar", SAMPLES, "-n", "1.5"), "error: -n is '1.5', expected a whole number;"),
        (("label", "train", SAMPLES, "--test", "x"), "error: --test is 'x', expected a number;"),
    ],
)
def test_a_number_that_is_none_is_told_with_what_was_given_and_expected(cli, arguments, told):
    answer = cli(*arguments)
    assert answer.code == 2
    assert answer.err.startswith(told)


def test_older_words_of_the_parser_for_a_number_that_is_none_are_told_alike(capsys):
    error = typer.BadParameter("'ten' is not a valid integer.", param_hint="'-n'")
    assert told(error) == 2
    assert capsys.readouterr().err == "error: -n is 'ten', expected a whole number\n"

"""The family of errors: texts, hints and exit codes."""

import inspect

import pytest

from imgbatch import errors
from imgbatch.errors import ImgbatchError, UsageError

FAMILY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_is_of_the_family_and_keeps_message_and_hint(kind):
    error = kind("what is wrong", "what to do")
    assert isinstance(error, ImgbatchError)
    assert (error.message, error.hint) == ("what is wrong", "what to do")
    assert str(error) == "what is wrong (what to do)"


def test_without_a_hint_the_text_is_the_message():
    assert str(ImgbatchError("what is wrong")) == "what is wrong"


def test_a_text_is_one_line_that_any_terminal_can_show_whatever_names_it_repeats():
    text = str(ImgbatchError("caf\udce9.jpg is no picture", "leave\x1b[31m\nit out"))
    assert text == r"caf\xe9.jpg is no picture (leave\x1b[31m\nit out)"
    text.encode("ascii")


@pytest.mark.parametrize("kind", FAMILY)
def test_a_request_that_cannot_be_carried_out_exits_with_2_everything_else_with_1(kind):
    assert kind("").exit_code == (2 if issubclass(kind, UsageError) else 1)

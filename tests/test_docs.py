"""README and CONTRIBUTING agree with the program."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

import imgbatch
from imgbatch.cli.app import app
from imgbatch.config import default_config_path, load_config

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_command():
    for name in get_command(app).commands:
        assert re.search(rf"imgbatch {name}\b", README), name


def test_every_option_of_a_shown_help_text_exists():
    for name, command in get_command(app).commands.items():
        shown = re.search(rf"<!-- help: imgbatch {name} -->\n```\n(.*?)```", README, re.DOTALL)
        if shown is None:
            continue
        options = {word for one in command.params for word in one.opts if word.startswith("--")}
        lines = re.findall(r"^  ((?:--?[a-z-]+, )*--[a-z-]+)", shown[1], re.MULTILINE)
        listed = {word for line in lines for word in line.split(", ") if word.startswith("--")}
        assert listed - {"--help"} == options - {"--help"}, name


def test_every_link_into_the_repository_leads_somewhere():
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if "://" not in target:
                assert (ROOT / target).exists(), (document, target)


def test_the_settings_of_the_readme_are_a_valid_config(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "example.toml"
    file.write_text(example)
    assert load_config(file).config != load_config(default_config_path()).config


def test_the_changelog_has_a_section_for_unreleased_changes():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog


@pytest.mark.parametrize("name", imgbatch.__all__)
def test_every_public_name_is_there(name):
    assert getattr(imgbatch, name)

"""Written config files: they load as what was written, whatever the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.config import default_config_path, load_config
from imgbatch.config.tables import differing, dotted_keys, overlaid, walk_tables
from imgbatch.config.write import differences, write_config
from imgbatch.errors import OutputError

VALUES = st.integers(0, 3) | st.booleans() | st.text(max_size=3) | st.lists(st.integers(0, 2))
KEYS = st.text("abü -", min_size=1, max_size=3)
TABLES = st.dictionaries(  # a key names a table in every file, or a value in every file
    KEYS.map("table {}".format),
    st.dictionaries(KEYS, VALUES, min_size=1) | st.just({"inner": {"key": 1}}),
)


def flat(settings, above=()):
    """Every value by the tuple of its keys: the naive walk."""
    values = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            values |= flat(value, (*above, key))
        else:
            values[(*above, key)] = value
    return values


def test_a_config_that_changes_much_is_read_back_as_it_was(tmp_path):
    given = tmp_path / "given.toml"
    given.write_text(
        '[images]\nbackground = [1, 2, 3]\n[presets."my own: ü"]\nhsv = 0.125\n'
        '[sheet]\nfolder = "C:\\\\a \\"b\\" \\u007f ü"\n[space.components]\nhog = 8\n',
        encoding="utf-8",
    )
    config = load_config(given).config
    target = tmp_path / "written.toml"
    write_config(differences(config), ["ü", "", "# twice"], target)
    assert load_config(target).config == config
    assert target.read_text(encoding="utf-8").startswith("# ü\n#\n# # twice\n")


def test_the_default_differs_from_itself_in_nothing():
    assert differences(load_config(default_config_path()).config) == {}


def test_a_folder_cannot_be_replaced_by_a_config(tmp_path):
    (tmp_path / "config").mkdir()
    with pytest.raises(OutputError):
        write_config({}, [], tmp_path / "config")


@given(TABLES)
def test_walking_tables_meets_every_value_once(settings):
    walked = [
        (table, key, value)
        for table, values in walk_tables(settings)
        for key, value in values.items()
    ]
    naive = [(".".join(keys[:-1]), keys[-1], value) for keys, value in flat(settings).items()]
    assert sorted(map(repr, walked)) == sorted(map(repr, naive))
    assert len(dotted_keys(settings)) == len(naive)


@given(TABLES, TABLES)
def test_differences_laid_over_the_base_give_the_settings(base, settings):
    whole = overlaid(base, settings)
    changed = differing(whole, base)
    assert flat(overlaid(base, changed)) == flat(whole)
    assert all(flat(base).get(keys) != value for keys, value in flat(changed).items())

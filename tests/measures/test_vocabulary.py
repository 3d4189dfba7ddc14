import numpy as np
import pytest

from imgbatch.errors import ConfigError
from imgbatch.measures.quantities import MEASURES
from imgbatch.measures.tags import measured_scores
from imgbatch.measures.vocabulary import Condition, Examples, Tag, load_vocabulary


@pytest.fixture
def vocabulary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text):
        file = tmp_path / "mine.toml"
        file.write_text(text, encoding="utf-8")
        return load_vocabulary(file)

    return load


def rule_of(vocabulary, name):
    return next(tag.rule for tag in vocabulary.tags if tag.name == name)


def test_the_default_vocabulary_has_names_that_differ_and_known_quantities():
    tags = load_vocabulary().tags
    assert len({tag.name for tag in tags}) == len(tags) > 10
    used = {name for tag in tags for part in tag.rule for one in part for name in one.quantities}
    assert used <= set(MEASURES)


def test_a_tag_can_be_switched_off_renamed_and_given_another_rule(vocabulary):
    mine = vocabulary(
        '[tags.red]\non = false\n[tags.blue]\nname = "blau"\n[tags.dark]\nrule = {lightness = {max = 9}}'
    )
    names = [tag.name for tag in mine.tags]
    assert "red" not in names
    assert "blue" not in names
    assert "blau" in names
    assert rule_of(mine, "dark") == ((Condition(("lightness",), None, 9),),)


def test_a_new_tag_may_have_alternatives_and_sums(vocabulary):
    mine = vocabulary(
        '[tags.sunset]\nrule = [{"red + orange" = {min = 0.3}, lightness = {max = 60}}, {yellow = {min = 0.6}}]'
    )
    assert rule_of(mine, "sunset") == (
        (Condition(("red", "orange"), 0.3, None), Condition(("lightness",), None, 60)),
        (Condition(("yellow",), 0.6, None),),
    )


def test_examples_are_a_folder_beside_the_file_or_what_metadata_say(vocabulary, tmp_path):
    mine = vocabulary(
        '[tags.cat]\nexamples = "cats"\n[tags.dog]\nexamples = {label = "dogs"}\n'
        '[tags.sea]\nexamples = {tag = "beach"}\n[tags.red]\nexamples = "reds"'
    )
    found = {tag.name: tag.examples for tag in mine.learned}
    assert found == {
        "red": Examples(folder=str(tmp_path / "reds")),
        "cat": Examples(folder=str(tmp_path / "cats")),
        "dog": Examples(label="dogs"),
        "sea": Examples(tag="beach"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tags.red", "not valid TOML"),
        ("[colors]\nred = 1", "unknown key 'colors'"),
        ("[tags.red]\nonn = true", "unknown key 'tags.red.onn'"),
        ("[tags.red]\non = 1", "valid boolean"),
        ("[tags]\nred = 1", "tags.red = 1"),
        ("tags = 1", "tags = 1"),
        ("[tags.new]\non = true", "needs a rule, or examples"),
        ("[tags.new]\nrule = {}", "at least one quantity"),
        ("[tags.new]\nrule = []", "needs a rule, or examples"),
        (
            "[tags.new]\nrule = {redness = {min = 1}}",
            "'redness' is no quantity; the quantities are",
        ),
        ('[tags.new]\nrule = {"red + bleu" = {min = 1}}', "'bleu' is no quantity"),
        ("[tags.new]\nrule = {red = {}}", "needs min, max or both"),
        ("[tags.new]\nrule = {red = 0.5}", "rule"),
        ("[tags.new]\nrule = {red = {min = nan}}", "finite number"),
        ("[tags.new]\nrule = {red = {max = inf}}", "finite number"),
        ('[tags."a;b"]\nrule = {red = {min = 0.5}}', "';' stands between tags"),
        ('[tags."a\\nb"]\nrule = {red = {min = 0.5}}', "it is no single line of text"),
        ('[tags.red]\nname = "a\\u001bb"', "it is no single line of text"),
        ('[tags." red"]\nrule = {red = {min = 0.5}}', "starts or ends with a space"),
        ('[tags.""]\nrule = {red = {min = 0.5}}', "no name of a tag"),
        ("[tags.new]\nrule = {red = {min = 0.5, max = 0.4}}", "must not be above max"),
        ("[tags.new]\nrule = {red = {least = 0.5}}", "unknown key"),
        ('[tags.new]\nrule = {red = {min = "0.5"}}', "valid number"),
        ('[tags.new]\nrule = {red = {min = 0.5}}\nexamples = "x"', "and not both"),
        ('[tags.new]\nexamples = ""', "at least 1 character"),
        ('[tags.new]\nexamples = {label = "a", tag = "b"}', "examples are a folder"),
        ('[tags.red]\nname = "blue"', "two tags have the name 'blue'"),
        ("[learned]\nprecision = 2", "learned.precision = 2"),
        ("[imgbatch]\ntags_version = 2", "tags_version = 2"),
    ],
)
def test_a_mistake_is_one_error_that_names_file_and_key(vocabulary, text, said):
    with pytest.raises(ConfigError) as caught:
        vocabulary(text)
    assert "mine.toml" in caught.value.message
    assert said in f"{caught.value.message}; {caught.value.hint}"
    assert caught.value.hint


def test_a_vocabulary_is_found_by_variable_in_the_working_directory_and_beside_the_config(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert load_vocabulary().file is None
    named = tmp_path / "named.toml"
    named.write_text("[tags.red]\non = false\n")
    here = tmp_path / "tags.toml"
    here.write_text("[tags.blue]\non = false\n")
    assert load_vocabulary().file is None  # it may be another program's
    here.write_text("[imgbatch]\ntags_version = 1\n[tags.blue]\non = false\n")
    assert "blue" not in {tag.name for tag in load_vocabulary().tags}
    monkeypatch.setenv("IMGBATCH_TAGS", str(named))
    assert "red" not in {tag.name for tag in load_vocabulary().tags}
    monkeypatch.setenv("IMGBATCH_TAGS", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match="not found"):
        load_vocabulary()


def test_the_digest_changes_with_names_and_rules_alone(vocabulary):
    same = [vocabulary("").digest, load_vocabulary().digest]
    assert same[0] == same[1]
    texts = ['[tags.blue]\nname = "blau"', "[tags.dark]\nrule = {lightness = {max = 9}}"]
    assert len({same[0], *(vocabulary(text).digest for text in texts)}) == 3


def tag(*alternatives):
    return Tag("t", tuple(alternatives))


def scores(rule, **quantities):
    arrays = {name: np.array(values, np.float32) for name, values in quantities.items()}
    return measured_scores([rule], arrays)[:, 0].tolist()


def test_all_conditions_must_hold_and_the_least_clear_one_counts():
    rule = tag((Condition(("red",), 0.5, None), Condition(("lightness",), None, 50)))
    red, lightness = [0.5, 0.75, 1, 0.4, 1], [0, 25, 0, 0, 51]
    assert scores(rule, red=red, lightness=lightness) == [0.5, 0.75, 1, 0, 0]


def test_any_alternative_may_hold_and_the_clearest_counts():
    rule = tag((Condition(("red",), 0.5, None),), (Condition(("blue",), 0.8, None),))
    assert scores(rule, red=[0.5, 0, 0.1], blue=[1, 0.9, 0.7]) == pytest.approx([1, 0.75, 0])


def test_both_bounds_of_a_condition_are_part_of_it():
    rule = tag((Condition(("lightness",), 40, 60),))
    held = scores(rule, lightness=[39, 40, 50, 60, 61])
    assert [score > 0 for score in held] == [False, True, True, True, False]


def test_a_quantity_that_was_not_measured_fulfils_no_condition():
    rules = tag((Condition(("sharpness",), None, 2),)), tag((Condition(("sharpness",), 2, None),))
    assert [scores(rule, sharpness=[np.nan]) for rule in rules] == [[0], [0]]


def test_a_ratio_without_an_upper_end_is_clearer_the_higher_it_is():
    held = scores(tag((Condition(("aspect",), 2, None),)), aspect=[1.9, 2, 4, 400])
    assert held == pytest.approx([0, 0.5, 0.75, 0.9975])

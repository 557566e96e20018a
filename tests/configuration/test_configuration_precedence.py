"""Which value an option gets, and from where."""

from __future__ import annotations

import dataclasses
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.configuration import load_configuration
from sctcalib.configuration.files import packaged_file
from sctcalib.configuration.options import options
from sctcalib.job.errors import ArgumentError


def test_without_files_all_values_are_packaged():
    cfg = load_configuration([])
    assert cfg.as_dict() == {name: option.default for name, option in options().items()}
    assert {cfg.origin(name) for name in cfg} == {"packaged default"}
    assert cfg.sources == (packaged_file(),)
    assert cfg.warnings == cfg.without_use == ()


@pytest.mark.requirement("R22")
def test_later_file_wins_and_unset_options_keep_their_value(load, tmp_path):
    cfg = load(
        a_toml="[doNoisyStrip]\nNoisyMinStat = 1\nNoisyModuleList = 2\n",
        b_json='{"NoisyMinStat": 3}',
        c_py="NoisyReadNumRuns = 7  # runs\n",
    )
    names = ("NoisyMinStat", "NoisyModuleList", "NoisyReadNumRuns", "NoisyStripAll")
    assert [cfg[name] for name in names] == [3, 2, 7, True]
    files = [str(tmp_path / name) for name in ("b.json", "a.toml", "c.py")]
    assert [cfg.origin(name) for name in names] == [*files, "packaged default"]
    assert cfg.sources == (packaged_file(), *(tmp_path / n for n in ("a.toml", "b.json", "c.py")))


def test_packaged_file_listed_last_restores_its_values(tmp_path):
    (tmp_path / "a.toml").write_text("NoisyMinStat = 1\n")
    cfg = load_configuration(["a.toml", "share/SCTCalibConfig.toml"], search=[tmp_path])
    assert cfg["NoisyMinStat"] == 10000
    assert cfg.origin("NoisyMinStat") == "packaged default"
    assert (
        load_configuration(["share/SCTCalibConfig.toml", "a.toml"], search=[tmp_path])[
            "NoisyMinStat"
        ]
        == 1
    )


@pytest.mark.parametrize(
    "text",
    [
        "NoisyMinStat = 5\nWriteToCool = false",
        "[doNoisyStrip]\nNoisyMinStat = 5\n[common]\nWriteToCool = false",
        "WriteToCool = false\n[doNoisyStrip]\nNoisyMinStat = 5",
        "doNoisyStrip = {NoisyMinStat = 5}\ncommon.WriteToCool = false",
        "NoisyMinStat = 5\r\nWriteToCool = false\r\n",
    ],
)
def test_options_stand_in_tables_or_without_them(text, load):
    cfg = load(a_toml=text)
    assert (cfg["NoisyMinStat"], cfg["WriteToCool"]) == (5, False)


def test_json_has_the_same_structure(load):
    content = {"$schema": "x", "common": {"WriteToCool": False}, "NoisyMinStat": 5}
    cfg = load(a_json=json.dumps(content))
    assert (cfg["NoisyMinStat"], cfg["WriteToCool"]) == (5, False)


def test_whole_numbers_serve_as_numbers_and_the_reverse(load):
    cfg = load(a_toml="NoisyStripThrOffline = 1\nNoisyMinStat = 5e4")
    assert (cfg["NoisyStripThrOffline"], cfg["NoisyMinStat"]) == (1.0, 50000)
    assert type(cfg["NoisyStripThrOffline"]) is float
    assert type(cfg["NoisyMinStat"]) is int


def test_values_come_in_their_type():
    cfg = load_configuration([])
    assert cfg.flag("NoisyStripAll") is True
    assert cfg.integer("NoisyMinStat") == 10000
    assert cfg.number("NoisyStripThrOffline") == 0.015
    assert cfg.text("TagID4NoisyStrips") == "SctDerivedMonitoring-RUN2-UPD4-005"
    assert cfg.path("BadChannels") is None
    assert cfg.text("ConditionsDatabase") == ""
    with pytest.raises(TypeError, match="NoisyMinStat is of type integer, not number"):
        cfg.number("NoisyMinStat")
    with pytest.raises(TypeError, match="no path"):
        cfg.path("TagID4NoisyStrips")
    for access in (cfg.__getitem__, cfg.origin, cfg.flag):
        with pytest.raises(KeyError):
            access("NoisyMinstat")


def test_configuration_is_a_frozen_mapping():
    cfg = load_configuration([])
    assert dict(cfg) == cfg.as_dict()
    assert len(cfg) == len(options())
    cfg.as_dict()["NoisyMinStat"] = 1
    assert cfg["NoisyMinStat"] == 10000
    with pytest.raises(dataclasses.FrozenInstanceError):
        cfg.sources = ()
    assert pickle.loads(pickle.dumps(cfg)) == cfg


def test_relative_paths_are_relative_to_the_file_that_sets_them(tmp_path):
    for folder, text in (
        ("a", 'BadChannels = "bad.json"\nRunInfo = "run.txt"'),
        ("b", 'RunInfo = "run.txt"'),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "c.toml").write_text(text)
    cfg = load_configuration(["a/c.toml", "b/c.toml"], search=[tmp_path])
    assert cfg.path("BadChannels") == tmp_path / "a" / "bad.json"
    assert cfg.path("RunInfo") == tmp_path / "b" / "run.txt"
    assert cfg.text("RunInfo") == str(tmp_path / "b" / "run.txt")
    assert cfg["BadChannels"] == "bad.json"


def test_paths_are_absolute_when_the_search_folder_is_not(tmp_path, monkeypatch):
    (tmp_path / "c.toml").write_text('BadChannels = "bad.json"\nSerialNumbers = "/data/s.csv"')
    monkeypatch.chdir(tmp_path)
    cfg = load_configuration(["c.toml"])
    assert cfg.path("BadChannels") == tmp_path / "bad.json"
    assert cfg.path("SerialNumbers") == Path("/data/s.csv")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ref.db", "{}/ref.db"),
        ("/data/ref.db", "/data/ref.db"),
        ("sqlite://;schema=ref.db;dbname=CONDBR2", "sqlite://;schema={}/ref.db;dbname=CONDBR2"),
        ("sqlite://;schema=/d/ref.db;dbname=COMP200", "sqlite://;schema=/d/ref.db;dbname=COMP200"),
        ("sqlite://;dbname=CONDBR2", "sqlite://;dbname=CONDBR2"),
        ("oracle://X;schema=S;dbname=CONDBR2", "oracle://X;schema=S;dbname=CONDBR2"),
    ],
)
def test_conditions_database_is_a_path_or_a_connection_string(given, expected, load, tmp_path):
    cfg = load(a_toml=f'ConditionsDatabase = "{given}"')
    assert cfg.text("ConditionsDatabase") == expected.format(tmp_path)
    if ";" in given:
        with pytest.raises(TypeError, match="no path"):
            cfg.path("ConditionsDatabase")
    else:
        assert str(cfg.path("ConditionsDatabase")) == expected.format(tmp_path)


def test_a_file_name_with_a_semicolon_is_a_file_name(load, tmp_path):
    assert load(a_toml='BadChannels = "a;b.json"').path("BadChannels") == tmp_path / "a;b.json"


@pytest.mark.requirement("R22")
def test_search_folders_come_in_their_order(tmp_path):
    for folder, events in (("x", 1), ("y", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "c.toml").write_text(f"NoisyMinStat = {events}")
    (tmp_path / "y" / "only.toml").write_text("NoisyReadNumRuns = 9")
    search = [tmp_path / "x", tmp_path / "y"]
    assert load_configuration(["c.toml"], search=search)["NoisyMinStat"] == 1
    assert load_configuration(["only.toml"], search=search)["NoisyReadNumRuns"] == 9
    assert load_configuration([str(tmp_path / "y" / "c.toml")], search=search)["NoisyMinStat"] == 2


def test_packaged_file_serves_where_no_folder_has_the_name(tmp_path):
    cfg = load_configuration(["share/SCTCalibConfig.toml"], search=[tmp_path])
    assert cfg.sources == (packaged_file(), packaged_file())
    assert cfg.warnings == ()


@pytest.mark.parametrize("folder", ["{tmp}", "conf"])
def test_packaged_file_does_not_stand_in_for_one_of_its_name_elsewhere(folder, tmp_path):
    name = f"{folder.format(tmp=tmp_path)}/SCTCalibConfig.toml"
    with pytest.raises(ArgumentError, match="not found"):
        load_configuration([name], search=[tmp_path])


def test_packaged_file_is_found_as_share_too(tmp_path):
    loaded = load_configuration(["share/SCTCalibConfig.toml"], search=[tmp_path])
    assert loaded.sources == (packaged_file(), packaged_file())


def test_digest_depends_on_the_values_alone(load, tmp_path):
    default = load_configuration([])
    assert len(default.digest) == 64
    assert (
        default.digest
        == load_configuration(["share/SCTCalibConfig.toml"], search=[tmp_path]).digest
    )
    changed = load(a_toml="NoisyMinStat = 1\nNoisyModuleList = 2").digest
    assert changed != default.digest
    assert changed == load(b_json='{"NoisyModuleList": 2.0, "NoisyMinStat": 1}').digest
    assert changed == load(c_py="NoisyModuleList = 2", d_toml="NoisyMinStat = 1").digest
    assert changed != load(e_toml="NoisyMinStat = 1\nNoisyModuleList = 3").digest


def test_digest_is_that_of_canonical_json():
    import hashlib

    cfg = load_configuration([])
    canonical = json.dumps(dict(sorted(cfg.items())), separators=(",", ":"))
    assert cfg.digest == hashlib.sha256(canonical.encode()).hexdigest()


LITERALS = {
    "boolean": st.booleans(),
    "integer": st.integers(1, 30) | st.integers(1, 1000),
    "number": st.floats(0, 1),
    "string": st.from_regex(r"[!#-&(-\[\]-~]{1,20}", fullmatch=True),
}
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        name: (
            LITERALS[option.type].filter(lambda value, option=option: not option.check(value))
            if not option.choices
            else st.sampled_from(option.choices)
        )
        for name, option in options().items()
    },
)


@settings(max_examples=40, deadline=None)
@given(changes=CHANGES)
def test_the_three_forms_give_the_same_configuration(changes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    toml = "".join(f"{name} = {json.dumps(value)}\n" for name, value in changes.items())
    (folder / "c.toml").write_text(toml)
    (folder / "c.json").write_text(json.dumps(changes))
    (folder / "c.py").write_text("".join(f"{n} = {v!r}\n" for n, v in changes.items()))
    forms = [load_configuration([name], search=[folder]) for name in ("c.toml", "c.json", "c.py")]
    expected = {name: option.default for name, option in options().items()} | changes
    assert all(cfg.as_dict() == expected for cfg in forms)
    assert len({cfg.digest for cfg in forms}) == 1


def test_relative_difference_above_ten_is_a_warning(load):
    (warning,) = load(a_py="NoisyStripDiff = 5120").warnings
    assert "NoisyStripDiff is 5120 with NoisyStripDiffMode 'relative'" in warning
    assert "set NoisyStripDiffMode to 'absolute'" in warning
    assert load(b_toml="NoisyStripDiff = 10").warnings == ()
    assert load(c_toml='NoisyStripDiff = 5120\nNoisyStripDiffMode = "absolute"').warnings == ()
    assert load(d_py="NoisyStripDiff = 5120", e_toml="NoisyStripDiff = 0.3").warnings == ()


def test_absolute_difference_below_one_strip_is_a_warning(load):
    (warning,) = load(a_toml='NoisyStripDiffMode = "absolute"').warnings
    assert "increase by one strip fails" in warning


def test_loading_does_not_import_the_validator():
    code = (
        "import sys; from sctcalib.configuration import load_configuration; load_configuration([]);"
        "sys.exit(bool({'jsonschema', 'numpy'} & set(sys.modules)))"
    )
    top = packaged_file().parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=top, check=False).returncode == 0


def test_missing_file_names_where_it_was_looked_for(tmp_path):
    with pytest.raises(ArgumentError) as caught:
        load_configuration(["conf/mine.toml"], search=[tmp_path / "a", tmp_path / "b"])
    message = str(caught.value)
    assert caught.value.code == 7
    assert "'conf/mine.toml' not found" in message
    for place in (tmp_path / "a" / "conf", tmp_path / "b" / "conf"):
        assert str(place / "mine.toml") in message


def test_missing_file_of_the_original_gets_a_hint(tmp_path):
    with pytest.raises(ArgumentError, match="always read first and need no entry"):
        load_configuration(["SCT_CalibAlgs/SCTCalibConfig.py"], search=[tmp_path])

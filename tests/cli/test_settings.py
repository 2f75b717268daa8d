"""Flag over environment over file over default; unknown keys are errors; origins are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.errors import Refused
from holdfast.settings import Flags, leaves, load, system_zone, variable


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOLDFAST_DATA", "HOLDFAST_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(flags: Flags | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        load(flags)
    return caught.value


def test_nothing_is_required() -> None:
    loaded = load()
    assert loaded.settings.data == Path("holdfast-data")
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.settings.processes >= 1


def test_file_wins_over_default_environment_over_file_flag_over_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "holdfast-data/holdfast.toml", "[vault]\nsegment_mib = 2\n")
    loaded = load()
    assert (loaded.settings.vault.segment_mib, loaded.origins["vault.segment_mib"]) == (
        2,
        str(file.relative_to(tmp_path)),
    )
    monkeypatch.setenv("HOLDFAST_VAULT__SEGMENT_MIB", "3")
    loaded = load()
    assert loaded.settings.vault.segment_mib == 3
    assert loaded.origins["vault.segment_mib"] == "environment (HOLDFAST_VAULT__SEGMENT_MIB)"
    loaded = load(Flags(values={"vault.segment_mib": "4"}))
    assert (loaded.settings.vault.segment_mib, loaded.origins["vault.segment_mib"]) == (4, "flag")


def test_data_comes_from_flag_then_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_DATA", str(tmp_path / "from-env"))
    assert load().settings.data == tmp_path / "from-env"
    assert load(Flags(data=tmp_path / "flag")).settings.data == tmp_path / "flag"


def test_file_is_named_by_flag_then_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(tmp_path / "a.toml", '[archive]\nname = "first"\n')
    second = write(tmp_path / "b.toml", '[archive]\nname = "second"\n')
    monkeypatch.setenv("HOLDFAST_CONFIG", str(first))
    assert load().settings.archive.name == "first"
    assert load(Flags(config=second)).settings.archive.name == "second"


def test_paths_in_a_file_are_relative_to_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "etc/h.toml", 'data = "d"\n[keys]\npath = "k"\n')
    settings = load(Flags(config=file)).settings
    assert (settings.data, settings.keys_folder) == (tmp_path / "etc/d", tmp_path / "etc/k")


def test_missing_default_file_is_fine_but_a_named_one_must_exist(tmp_path: Path) -> None:
    assert "no settings file" in refused(Flags(config=tmp_path / "none.toml")).cause


@pytest.mark.parametrize("text", ["[vault", "x = ", "\udcff".encode("utf-8", "surrogateescape")])
def test_file_that_is_not_toml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "h.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert str(file) in refused(Flags(config=file)).cause


def test_unknown_key_in_file_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    file = write(tmp_path / "h.toml", "[vault]\nsegment_mb = 1\n")
    error = refused(Flags(config=file))
    assert "Did you mean 'vault.segment_mib'?" in error.cause
    assert str(file) in error.cause
    assert error.exit_status == 2


def test_every_problem_is_listed(tmp_path: Path) -> None:
    file = write(tmp_path / "h.toml", "[vault]\nsegmnt_mib = 1\n[wor]\nprocesses = 1\n")
    problems = refused(Flags(config=file)).facts["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 2


def test_unknown_variable_of_a_section_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_VAULT__SEGMENTMIB", "1")
    assert "'vault.segment_mib'" in refused().cause


def test_variable_of_an_unknown_section_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_VALT__SEGMENT_MIB", "1")
    assert "Did you mean 'VAULT'?" in refused().cause


def test_variables_that_container_platforms_set_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOLDFAST_PORT_8800_TCP", "tcp://10.0.0.1:8800")
    monkeypatch.setenv("HOLDFAST_SERVICE_HOST", "10.0.0.1")
    load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vault.segment_mib", "many"),
        ("vault.segment_mib", "0"),
        ("archive.zone", "Mars/Olympus"),
        ("archive.name", "two words"),
        ("limits.parse_cpu_s", "-1"),
        ("data.sub", "x"),
    ],
)
def test_value_that_is_not_valid_is_refused_with_name_and_origin(name: str, value: str) -> None:
    cause = refused(Flags(values={name: value})).cause
    assert name in cause
    assert "flag" in cause


def test_internal_domains_are_a_list_or_one_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "h.toml", '[archive]\ninternal_domains = ["a.example"]\n')
    assert load(Flags(config=file)).settings.archive.internal_domains == ("a.example",)
    monkeypatch.setenv("HOLDFAST_ARCHIVE__INTERNAL_DOMAINS", "a.example, b.example")
    assert load().settings.archive.internal_domains == ("a.example", "b.example")


def test_keys_stand_beside_the_data_and_never_inside(tmp_path: Path) -> None:
    assert load(Flags(data=tmp_path / "d")).settings.keys_folder == tmp_path / "d.keys"
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "d")
    for inside in (tmp_path / "d", tmp_path / "d/keys", tmp_path / "link/keys"):
        error = refused(Flags(data=tmp_path / "d", values={"keys.path": str(inside)}))
        assert "inside the data" in error.cause


def test_settings_cannot_be_changed() -> None:
    settings = load().settings
    with pytest.raises(ValueError, match="frozen"):
        settings.vault.segment_mib = 1


def test_zone_of_the_system_comes_from_tz_where_it_has_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", ":Asia/Shanghai")
    assert system_zone() == "Asia/Shanghai"
    assert load().settings.zone.key == "Asia/Shanghai"
    monkeypatch.setenv("TZ", "no/such/zone")
    assert system_zone() != "no/such/zone"


def test_every_setting_has_an_origin_and_a_variable() -> None:
    loaded = load()
    names = dict(leaves(loaded.settings.model_dump()))
    assert loaded.origins.keys() == names.keys()
    assert variable("vault.segment_mib") == "HOLDFAST_VAULT__SEGMENT_MIB"


def test_whole_section_in_the_environment_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOLDFAST_KEYS", "/srv/keys")
    with pytest.raises(Refused, match="whole section: HOLDFAST_KEYS"):
        load()

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.errors import Refused
from holdfast.settings import Flags, Settings, load, secret


def loaded(tmp_path: Path, toml: str) -> Settings:
    file = tmp_path / "holdfast.toml"
    file.write_text(toml, encoding="utf-8")
    return load(Flags(config=file)).settings


def test_secret_is_read_from_a_file_beside_the_settings_without_its_line_end(
    tmp_path: Path,
) -> None:
    (tmp_path / "pg").write_text("pa ss\r\n", encoding="utf-8")
    settings = loaded(tmp_path, '[catalogue]\npassword_file = "pg"\n')
    assert secret(settings.catalogue, "password") == "pa ss"


def test_secret_is_what_a_command_prints(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "[vault]\nsecret_key_command = \"printf '%s' 'a b'\"\n")
    assert secret(settings.vault, "secret_key") == "a b"


def test_no_secret_is_empty() -> None:
    assert secret(Settings().index, "password") == ""


@pytest.mark.parametrize("command", ["false", "no-such-program-here", "'unclosed", " "])
def test_failing_command_is_refused_and_says_nothing_of_its_output(
    tmp_path: Path, command: str
) -> None:
    settings = loaded(tmp_path, f'[work]\npassword_command = "{command}"\n')
    with pytest.raises(Refused, match="The command of password failed"):
        secret(settings.work, "password")


def test_missing_file_is_refused_with_its_path(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[work]\npassword_file = "gone"\n')
    with pytest.raises(Refused, match="gone"):
        secret(settings.work, "password")


def test_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="exclude each other"):
        loaded(tmp_path, '[index]\npassword = "x"\npassword_command = "echo x"\n')


def test_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        loaded(tmp_path, '[catalogue]\nurl = "postgresql://me:hunter2@db/holdfast"\n')
    assert "hunter2" not in str(caught.value) + str(caught.value.facts)


def test_worm_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="retain_days"):
        loaded(tmp_path, '[vault]\nurl = "s3://b/p"\nworm = "compliance"\n')


def test_secrets_are_stars_wherever_settings_are_printed(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[index]\npassword = "hunter2"\n')
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()

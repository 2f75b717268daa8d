"""`backup`, `restore` and `migrate` as people type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_archive import Desk, write_mbox


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An archive with a passphrase in `pass`, a backup in `to` and keys in `keys` beside it."""
    folder = tmp_path_factory.mktemp("moving")
    desk = Desk(folder / "data")
    desk.run("import", write_mbox(folder / "in/letters.mbox"), "--source", "letters")
    (desk.data / "holdfast.toml").write_text('[archive]\nname = "letters"\n')
    (folder / "pass").write_text("correct horse battery staple\n")
    back_up(desk, folder / "to", folder / "keys")
    return desk


def back_up(desk: Desk, to: Path, keys: Path, *words: object, status: int = 0) -> str:
    ran = desk.run("backup", to, "--keys-to", keys, *passphrase(desk), *words, status=status)
    return ran.out + ran.err


def passphrase(desk: Desk) -> tuple[object, ...]:
    return "--passphrase-file", desk.data.with_name("pass")


def test_backup_says_what_it_holds(desk: Desk, tmp_path: Path) -> None:
    said = desk.run("backup", tmp_path, "--json").json
    assert said["originals"] == said["interactions"] == 5
    assert said["log_size"] > 5
    assert said["keys"] == ""
    assert Path(said["manifest"]).exists()
    told = desk.run("backup", tmp_path)
    assert "keys are not in it" in told.err
    assert "5" in told.out


def test_restored_archive_verifies_and_finds_the_same(desk: Desk, tmp_path: Path) -> None:
    folder = desk.data.parent
    other = Desk(tmp_path / "data")
    words = ("restore", folder / "to", "--keys-from", folder / "keys", *passphrase(desk))
    said = other.run(*words, "--json").json
    assert said["indexed"] == 5
    assert said["entries_after"] >= 0
    assert other.run("verify", "--json").json["is_intact"]
    for query in ("discount", "from:wang.min@jia.example", "签合同", "lighthouse"):
        wanted = desk.run("search", query, "--format", "json").out
        assert other.run("search", query, "--format", "json").out == wanted
    assert "already" in other.run(*words, status=5).err
    assert 'name = "letters"' in (other.data / "holdfast.toml").read_text("utf-8")


def test_keys_beside_the_data_are_refused_unless_asked_loudly(desk: Desk, tmp_path: Path) -> None:
    assert "beside" in back_up(desk, tmp_path, tmp_path / "keys", status=2)
    assert "beside" in back_up(desk, tmp_path, desk.data / "keys", status=2)
    assert list(tmp_path.iterdir()) == []
    back_up(desk, tmp_path, tmp_path / "keys", "--keys-beside-data")
    assert list((tmp_path / "keys").iterdir())


def test_backup_that_is_not_whole_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.run("backup", tmp_path)
    assert desk.run("backup", tmp_path, "--verify", "--json").json["is_whole"]
    path = max(
        (p for p in (tmp_path / "parts").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size
    )
    path.write_bytes(path.read_bytes()[:-1])
    ran = desk.run("backup", tmp_path, "--verify", status=6)
    assert path.name in ran.out
    found = desk.run("backup", tmp_path, "--verify", "--json", status=6).json
    assert not found["is_whole"]
    assert path.name in found["cause"]
    words = ("restore", tmp_path, "--keys-from", desk.data.with_name("data.keys"))
    ran = Desk(tmp_path / "new").run(*words, status=6)
    assert path.name in ran.err
    assert "another backup" in ran.err


def test_missing_backup_and_missing_keys_are_told_apart(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "data")
    folder = desk.data.parent
    ran = other.run("restore", tmp_path, "--keys-from", folder / "keys", status=4)
    assert "no backup" in ran.err
    ran = other.run("restore", folder / "to", "--keys-from", tmp_path / "none", status=4)
    assert "no sealed keys" in ran.err
    (tmp_path / "pass").write_text("quite another passphrase")
    words = ("--keys-from", folder / "keys", "--passphrase-file", tmp_path / "pass")
    assert "passphrase" in other.run("restore", folder / "to", *words, status=2).err
    ran = other.run("restore", folder / "to", "--keys-from", folder / "keys", status=2)
    assert "--passphrase-file" in ran.err
    assert not other.data.exists()


def test_archive_moves_and_tells_where_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data")
    desk.run("import", write_mbox(tmp_path / "in/letters.mbox"))
    found = desk.run("search", "discount", "--format", "json").out
    (tmp_path / "there.toml").write_text('data = "there"\n')
    (tmp_path / "back.toml").write_text('data = "data"\n')
    planned = desk.run("migrate", "--to", tmp_path / "there.toml", "--dry-run", "--json").json
    assert planned["rows"]["originals"] == 5
    assert not (tmp_path / "there").exists()
    moved = desk.run("migrate", "--to", tmp_path / "there.toml", "--json").json
    assert moved["originals"] == moved["indexed"] == 5
    refused = desk.run("search", "discount", status=5)
    assert "has moved" in refused.err
    assert str(tmp_path / "there.toml") in refused.err
    there = Desk(tmp_path / "there")
    assert there.run("search", "discount", "--format", "json").out == found
    there.run("migrate", "--to", tmp_path / "back.toml")
    assert desk.run("search", "discount", "--format", "json").out == found
    assert desk.run("verify", "--json").json["is_intact"]


def test_move_that_never_began_cannot_be_given_up(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "there.toml").write_text('data = "there"\n')
    words = ("migrate", "--to", tmp_path / "there.toml", "--give-up")
    assert "not on its way" in desk.run(*words, status=5).err
    assert "exclude" in desk.run(*words, "--dry-run", status=2).err
    assert "settings file" in desk.run("migrate", "--to", tmp_path / "no", status=2).err

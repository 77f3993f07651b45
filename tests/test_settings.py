from __future__ import annotations

from pathlib import Path

import pytest

from settings import SettingsError, read

KEY = "a key of thirty-two characters and more"


def test_a_setting_is_read_from_the_file_that_is_named_for_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")

    found = read({"REGISTRY_SECRET_KEY_FILE": str(tmp_path / "key"), "REGISTRY_DEVELOPMENT": "0"})

    assert found.secret_key == KEY


def test_a_variable_goes_before_its_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgres://localhost/registry")

    found = read({"DATABASE_URL": "postgres://elsewhere/registry", "DATABASE_URL_FILE": str(tmp_path / "url"), "REGISTRY_DEVELOPMENT": "1"})

    assert found.database_url == "postgres://elsewhere/registry"


def test_a_file_that_is_not_there_or_no_text_stops_the_process_with_the_name_of_its_variable(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match=r"REGISTRY_SEAL_KEY_FILE=.*missing.*cannot be read: FileNotFoundError"):
        read({"REGISTRY_SEAL_KEY_FILE": str(tmp_path / "missing")})
    with pytest.raises(SettingsError, match=r"REGISTRY_SEAL_KEY_FILE=.*key.*cannot be read: UnicodeDecodeError"):
        read({"REGISTRY_SEAL_KEY_FILE": str(tmp_path / "key")})

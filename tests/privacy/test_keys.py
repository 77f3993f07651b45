"""Keys: the right ones at start, two suites side by side, and everything sealed anew under another key while the registry serves."""

from __future__ import annotations

import hmac
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.actions import keys
from domain.actions.record_chain import broken_links
from models.accounts import Account
from models.ciphers import UnknownKey
from models.database import database_now, execute, rows
from models.enums import FilePurpose, Stage
from models.profiles import Revision
from models.publicity import Objection
from models.sealing import current_fingerprint, current_header, seal, secret_fingerprint, unseal
from models.sms import SmsMessage
from settings import Settings, SettingsError, read, settings, variable
from tests.cases import case_at
from tests.conftest import ROOT
from tests.files import attacks
from tests.files.uploads import contents, hand_in, on_disk
from tests.objections.raising import objection_to
from tests.people import registered_expert, sign_in, some_phone

FIRST, SECOND = "the first key to seal with of 32 characters and more", "the second key to seal with of 32 characters and more"
Change = Callable[..., Settings]


@pytest.fixture(autouse=True)
def data_dir(database: Settings, change_settings: Change, tmp_path: Path) -> Path:
    """Where this test's files go."""
    change_settings(data_dir=tmp_path)
    return tmp_path


@pytest.fixture
async def forgotten(database: Settings) -> None:
    """No key is noted yet."""
    await execute("DELETE FROM known_keys")


def quietly(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody looks at."""


_BESIDE = "SELECT to_jsonb(r) - '{address,email,id_number,second_phone}'::text[] AS r FROM revisions r ORDER BY id"


async def sealed_values() -> list[bytes]:
    return [
        each["sealed"]
        for table, column, _ in keys.sealed_columns()
        for each in await rows(f"SELECT {column} AS sealed FROM {table} WHERE {column} IS NOT NULL")
    ]


# Suites and keys


@pytest.mark.parametrize("crypto", ["aes", "sm"])
def test_what_was_sealed_opens_for_its_purpose_alone_and_shows_every_change(change_settings: Change, crypto: str) -> None:
    change_settings(crypto=crypto, seal_key=FIRST)

    sealed = seal("220102197503121234", "account.id_number")

    assert unseal(sealed, "account.id_number") == "220102197503121234"
    assert seal("220102197503121234", "account.id_number") != sealed
    with pytest.raises(InvalidTag):
        unseal(sealed, "revision.id_number")
    for place in range(len(sealed)):
        with pytest.raises(InvalidTag):
            unseal(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], "account.id_number")
    for length in range(len(sealed)):
        with pytest.raises(InvalidTag):
            unseal(sealed[:length], "account.id_number")


def test_both_suites_and_former_keys_open_side_by_side_and_others_name_their_key(change_settings: Change) -> None:
    under_secret = seal("甲", "account.phone")
    change_settings(seal_key=FIRST, crypto="sm")
    under_first, fingerprint = seal("乙", "account.phone"), current_fingerprint()
    change_settings(seal_key=SECOND, further_seal_keys=(FIRST,), crypto="aes")

    assert [unseal(each, "account.phone") for each in (under_secret, under_first, seal("丙", "account.phone"))] == ["甲", "乙", "丙"]

    change_settings(further_seal_keys=())
    with pytest.raises(UnknownKey, match=fingerprint):
        unseal(under_first, "account.phone")


def test_what_the_first_releases_sealed_still_opens(change_settings: Change) -> None:
    key = hmac.digest(settings().secret_key.encode(), b"registry/seal", "sha256")
    nonce = os.urandom(12)
    old = b"\x01" + nonce + AESGCM(key).encrypt(nonce, "张三".encode(), b"account.phone")
    change_settings(seal_key=FIRST, crypto="sm")

    assert unseal(old, "account.phone") == "张三"


def test_sealing_keys_and_the_suite_are_checked_when_settings_are_read() -> None:
    base = {variable("development"): "1"}

    for name, value in (("seal_key", "short"), ("seal_key", "a,comma" * 9), ("further_seal_keys", f"{FIRST},short"), ("crypto", "rot13")):
        with pytest.raises(SettingsError, match=variable(name)):
            read(base | {variable(name): value})

    assert read(base | {variable("further_seal_keys"): "a" * 32 + "," + "b" * 32}).further_seal_keys == ("a" * 32, "b" * 32)


# The right keys at start


async def test_keys_are_noted_at_the_first_start_and_a_repeat_changes_nothing(forgotten: None) -> None:
    await keys.check()
    before = await rows("SELECT * FROM known_keys ORDER BY use")
    await keys.check()

    assert await rows("SELECT * FROM known_keys ORDER BY use") == before
    assert [(each["use"], each["fingerprint"]) for each in before] == [("HASH", secret_fingerprint()), ("SEAL", current_fingerprint())]


async def test_another_secret_is_told_at_start(forgotten: None, change_settings: Change) -> None:
    await keys.check()
    change_settings(secret_key="another secret, of 32 characters and more than that")

    with pytest.raises(SettingsError, match="REGISTRY_SECRET_KEY is not the one"):
        await keys.check()


async def test_a_key_that_is_still_needed_and_missing_is_told_at_start_by_its_fingerprint(forgotten: None, change_settings: Change) -> None:
    change_settings(seal_key=FIRST)
    await keys.check()
    fingerprint = current_fingerprint()
    change_settings(seal_key=SECOND)

    with pytest.raises(SettingsError, match=f"fingerprint {fingerprint}.*REGISTRY_FURTHER_SEAL_KEYS"):
        await keys.check()

    change_settings(further_seal_keys=(FIRST,))
    await keys.check()


# Everything sealed anew


@pytest.fixture
async def kept(database: Settings) -> Any:
    """Somebody with a frozen profile, an objection, messages and an image."""
    person, case = await case_at(Stage.PUBLICITY)
    objection = await objection_to(case.id, phone=some_phone())
    drafting = await registered_expert()
    image = await hand_in(attacks.scan(), drafting, await database_now(), purpose=FilePurpose.TITLE)
    return person, case, objection, image


async def test_everything_is_sealed_anew_and_the_former_key_is_needed_no_more(
    forgotten: None, kept: Any, change_settings: Change, data_dir: Path
) -> None:
    person, case, objection, image = kept
    await keys.check()
    before, picture = await rows(_BESIDE), await contents(image)
    count = len(await sealed_values())
    change_settings(seal_key=FIRST, crypto="sm")
    seen: list[tuple[str, int, int]] = []

    done = await keys.seal_anew(lambda *progress: seen.append(progress))

    assert (done.values, done.files, done.left) == (count, 1, 0)
    assert {each[: len(current_header())] for each in await sealed_values()} == {current_header()}
    assert [each.read_bytes()[:5] for each in on_disk(data_dir)] == [current_header()]
    assert ("revisions.address", 1, 1) in seen
    assert seen[-1] == ("files", 256, 256)
    assert await rows(_BESIDE) == before
    assert await contents(image) == picture
    assert (await Account.get(id=person.account.id)).phone == person.phone
    assert (await Revision.get(id=case.revision_id)).address == "吉林省长春市南关区人民大街 1 号"
    assert (await Objection.get(id=objection.id)).phone == objection.phone
    assert {each.phone for each in await SmsMessage.filter(application_id=case.id)} == {person.phone}
    assert await broken_links(case.id) == []
    await sign_in(person.phone)

    assert (await keys.seal_anew(quietly)).values == 0
    change_settings(seal_key=SECOND, further_seal_keys=(FIRST,))
    await keys.check()
    await keys.seal_anew(quietly)
    change_settings(further_seal_keys=())
    await keys.check()
    assert (await Account.get(id=person.account.id)).phone == person.phone
    change_settings(seal_key="", crypto="aes", further_seal_keys=(SECOND,))
    await keys.seal_anew(quietly)
    await keys.check()


async def test_a_rotation_that_was_broken_off_goes_on(kept: Any, change_settings: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 2)
    change_settings(seal_key=FIRST)
    count = len(await sealed_values())

    def break_off(_what: str, done: int, _of: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await keys.seal_anew(break_off)
    done = sum(each.startswith(current_header()) for each in await sealed_values())
    rest = await keys.seal_anew(quietly)

    assert done == 4
    assert (rest.values, rest.left) == (count - 4, 0)
    change_settings(seal_key="", further_seal_keys=(FIRST,))
    await keys.seal_anew(quietly)


async def test_what_is_written_meanwhile_is_kept(kept: Any, change_settings: Change) -> None:
    person = kept[0]
    change_settings(seal_key=FIRST)
    column = next(each for each in keys.sealed_columns() if each.column == "phone" and each.table == "accounts")
    batch = await keys._batch(column, None)
    await Account.filter(id=person.account.id).update(phone="+8613911112222")

    await keys._replace(column, batch)

    assert (await Account.get(id=person.account.id)).phone == "+8613911112222"
    assert sum(each.startswith(current_header()) for each in await sealed_values()) == len(batch)
    await Account.filter(id=person.account.id).update(phone=person.phone)
    change_settings(seal_key="", further_seal_keys=(FIRST,))
    await keys.seal_anew(quietly)


def test_the_command_tells_its_progress_and_when_the_former_key_can_go(kept: Any, environment: dict[str, str], tmp_path: Path) -> None:
    chosen = environment | {variable("data_dir"): str(tmp_path), variable("seal_key"): FIRST}
    command = [sys.executable, "run.py", "rotate-keys"]

    first = subprocess.run(command, cwd=ROOT, env=chosen, capture_output=True, text=True, check=False)
    wrong = subprocess.run(command, cwd=ROOT, env=chosen | {variable("seal_key"): SECOND}, capture_output=True, text=True, check=False)
    back = subprocess.run(
        command,
        cwd=ROOT,
        env=chosen | {variable("seal_key"): "", variable("further_seal_keys"): FIRST},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (first.returncode, first.stderr) == (0, "")
    assert "accounts.phone" in first.stdout
    assert first.stdout.rstrip().endswith("REGISTRY_FURTHER_SEAL_KEYS can be emptied at the next restart.")
    assert wrong.returncode == 2
    assert "REGISTRY_FURTHER_SEAL_KEYS" in wrong.stdout
    assert back.returncode == 0

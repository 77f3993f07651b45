"""Who may do what: what one may not see is as if it were not there, and a verb of others changes nothing."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from graphql import get_named_type

from domain.actions import reviews
from domain.rules.viewer import Viewer
from models.database import database_now, rows
from models.enums import FilePurpose
from schema.root import schema
from settings import Settings
from tests.authorisation.world import World, allowed, build
from tests.cases import complete_profile, submitted_case
from tests.graphql import execute
from tests.people import registered_expert, some_phone
from tests.profiles.kept import some_image

MUTATIONS = schema._schema.mutation_type.fields if schema._schema.mutation_type else {}

TARGETS = {
    "sessionRevoke.sessionId": "Session",
    "applicationSubmit.applicationId": "Application",
    "applicationWithdraw.applicationId": "Application",
    "applicationClaim.applicationId": "Application",
    "applicationRelease.applicationId": "Application",
    "applicationApprove.applicationId": "Application",
    "applicationReturn.applicationId": "Application",
    "applicationReject.applicationId": "Application",
    "applicationHandOver.applicationId": "Application",
    "applicationHandOver.toStaffId": "Account",
    "applicationNoteAdd.applicationId": "Application",
    "divisionChangeGiveUp.applicationId": "Application",
    "expertReveal.applicationId": "Application",
    "objectionRaise.noticeId": "PublicNotice",
    "objectionSettle.objectionId": "Objection",
    "expertDismiss.expertId": "Expert",
    "expertSuspend.expertId": "Expert",
    "expertReinstate.expertId": "Expert",
    "staffDisable.staffId": "Account",
    "staffEnable.staffId": "Account",
    "staffMove.staffId": "Account",
    "staffSecondFactorReset.staffId": "Account",
    "messageResend.messageId": "Message",
    "educationSave.id": "Education",
    "educationRemove.id": "Education",
    "titleSave.id": "TitleEntry",
    "titleRemove.id": "TitleEntry",
    "workEntrySave.id": "WorkEntry",
    "workEntryRemove.id": "WorkEntry",
    "qualificationSave.id": "QualificationEntry",
    "qualificationRemove.id": "QualificationEntry",
    "fileAttach.fileId": "File",
    "fileAttach.entryId": "Education",
    "fileDetach.fileId": "File",
    "fileDetach.entryId": "Education",
    "applicationFormExport.profileId": "Profile",
    "scheduleSave.id": "SchedulePeriod",
    "scheduleRemove.id": "SchedulePeriod",
}
"""What the ids in the inputs name."""

KNOWN_TO_HAVE_BEEN = {("objectionRaise.noticeId", "PublicNotice that is over")}
"""Things that everybody could see once: who comes too late is told so."""

OPEN = {
    "phoneCodeSend",
    "accountRegister",
    "sessionOpen",
    "sessionConfirm",
    "sessionClose",
    "passwordReset",
    "developmentClockMove",
    "objectionRaise",
}
"""Verbs without a session; who leaves a session that is over has left."""

SIGNED_IN = "another office elsewhere province administrator"
OFFICERS = "office elsewhere province"
MAY = f"""
sessionCloseAll      | {SIGNED_IN}
sessionRevoke        | {SIGNED_IN}
phoneChange          | {SIGNED_IN}
applicationSubmit    | another
applicationWithdraw  | another
applicationClaim     | {OFFICERS}
applicationRelease   | {OFFICERS}
applicationApprove   | {OFFICERS}
applicationReturn    | {OFFICERS}
applicationReject    | {OFFICERS}
applicationHandOver  | {OFFICERS}
applicationNoteAdd   | {OFFICERS}
expertReveal         | {OFFICERS}
privacyTermsAccept   | another
objectionSettle      | province
expertDeregister     | another
expertDismiss        | province
expertSuspend        | province
expertReinstate      | province
registrationRevoke   | province
staffCreate          | administrator
staffDisable         | administrator
staffEnable          | administrator
staffMove            | administrator
staffSecondFactorReset | administrator
calendarYearPublish  | administrator
specialtyScarceSet   | administrator
poolMerge            | province administrator
poolClose            | province administrator
messageResend        | {OFFICERS} administrator
applicationFormExport | {OFFICERS} another
applicationsExport   | {OFFICERS}
expertsExport        | {OFFICERS}
ownDataExport        | another
fileUpload           | another
basicInfoSave        | another
evaluationInfoSave   | another
educationSave        | another
educationRemove      | another
titleSave            | another
titleRemove          | another
workEntrySave        | another
workEntryRemove      | another
qualificationSave    | another
qualificationRemove  | another
fileAttach           | another
fileDetach           | another
scheduleSave         | another
scheduleRemove       | another
changeSubmit         | another
draftDiscard         | another
divisionChangeRequest | another
divisionChangeGiveUp | another
"""
"""Whose verb it is; all others are refused whatever they name."""

GOOD: dict[str, Any] = {
    "commitmentAccepted": True,
    "avoidanceAccepted": True,
    "stage": "FIRST_REVIEW",
    "opinion": "请补充",
    "reasons": [{"path": "titles", "text": "缺少职称证书"}],
    "reason": "OTHER",
    "upheld": False,
    "confirm": True,
    "cause": "OTHER",
    "text": "说明情况",
    "role": "ADMINISTRATOR",
    "name": "某某",
    "password": "correct horse battery",
    "idNumber": "220102197503121234",
    "poolCode": "220199",
    "divisionCode": "220299",
    "code": "000000",
    "keepThis": True,
    "fields": ["ADDRESS"],
    "version": "2026-01",
    "purpose": "PORTRAIT",
    "file": SimpleNamespace(read=None, filename="scan.jpg"),
    "availability": "UNAVAILABLE",
    "firstHalf": "AM",
    "lastHalf": "PM",
    "school": "吉林大学",
    "startedOn": "1994-09-01",
    "endedOn": "1998-07-01",
    "major": "数学",
    "level": "21",
    "mode": "FULL_TIME",
    "titleCode": "T01012",
    "certificateNumber": "1",
    "obtainedOn": "2010-12-01",
    "issuer": "人社厅",
    "employer": "吉林大学",
    "post": "讲师",
    "duties": "教学",
    "qualificationCode": "Q101",
    "specialtyCode": "A01010000",
    "fromPoolCode": "220100",
    "intoPoolCode": "220100",
    "scarce": True,
    "year": 2027,
    "days": [{"date": "2027-01-01", "kind": "OFF", "name": "元旦"}],
}
"""Values that are fit for inputs of these names."""


def input_of(name: str) -> dict[str, str]:
    """The input fields of a mutation with their types."""
    kind: Any = get_named_type(MUTATIONS[name].args["input"].type)
    return {field: str(each.type) for field, each in kind.fields.items()}


def ids_of(name: str) -> list[str]:
    return [field for field, kind in input_of(name).items() if kind.rstrip("!") == "ID"]


async def fingerprint() -> dict[str, str]:
    """A digest of every table: equal where nothing has changed."""
    tables = await rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {}
    for each in tables:
        name = each["tablename"]
        found[name] = (await rows(f"SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS sum FROM {name} t"))[0]["sum"]
    return found


class Scene:
    """The world, with people who could do something if it were theirs."""

    def __init__(self, world: World, viewers: dict[str, Viewer | None], at_hand: dict[str, dict[str, str]]) -> None:
        self.world, self.viewers, self.at_hand = world, viewers, at_hand

    async def do(self, name: str, role: str, given: dict[str, str]) -> Any:
        """The answer of a mutation with these ids; other ids are at hand, or there is nothing of them."""
        fields = input_of(name)
        filled: dict[str, Any] = {field: GOOD[field] for field in fields if field in GOOD}
        filled |= {"reasons": "经核查不成立"} if fields.get("reasons") == "String!" else {}
        filled |= {"phone": self.phone} if "phone" in fields else {}
        filled |= {"newPhone": self.phone} if "newPhone" in fields else {}
        filled |= {"until": self.day} if "until" in fields else {}
        filled |= {"firstDate": self.day, "lastDate": self.day} if "firstDate" in fields else {}
        for field in ids_of(name):
            if fields[field].endswith("!") and field not in given:
                filled[field] = self.at_hand.get(role, {}).get(field) or f"{TARGETS[f'{name}.{field}']}_{uuid4()}"
        if name == "fileAttach" and "entryId" in given and "fileId" not in given:
            filled["fileId"] = self.at_hand.get(role, {}).get("certificate") or filled["fileId"]
        results: Any = get_named_type(MUTATIONS[name].type)
        told = "... on InvalidInput { fields { path code } }" if "InvalidInput" in {each.name for each in results.types} else ""
        document = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{
            {name}(input: $input) {{ __typename ... on Problem {{ code message }} {told} }}
        }}"""
        result = await execute(document, self.viewers[role], input=filled | given)
        assert result.errors is None, (name, role, result.errors)
        assert result.data is not None
        return result.data[name]

    phone = some_phone()

    @property
    def day(self) -> str:
        """A day on which nobody has anything."""
        return str((self.world.now + timedelta(days=60)).date())


@pytest.fixture(scope="module")
async def scene(database: Settings) -> Scene:
    world = await build()
    writing = await registered_expert(name="周旁人")
    await complete_profile(writing.viewer)
    own = await some_image(writing.viewer, FilePurpose.EDUCATION)
    _, claimed = await submitted_case()
    office = world.people["office"].viewer
    await reviews.claim(claimed.id, viewer=office, now=await database_now())
    viewers = {
        **world.viewers,
        "another": writing.viewer,
        "another, under review": world.people["another"].viewer,
        "another, formal": world.people["admitted"].viewer,
    }
    return Scene(world, viewers, {"another": {"certificate": f"File_{own.id}"}, "office": {"applicationId": f"Application_{claimed.id}"}})


def test_every_id_of_an_input_and_every_verb_stands_in_the_lists() -> None:
    assert {f"{name}.{field}" for name in MUTATIONS for field in ids_of(name)} == set(TARGETS), "say what the new id names"
    assert set(MUTATIONS) == OPEN | {line.split()[0] for line in MAY.strip().splitlines()}, "say whose verb the new one is"


@pytest.mark.parametrize("place", TARGETS)
async def test_what_one_may_not_see_is_to_every_verb_as_if_it_were_not_there(scene: Scene, place: str) -> None:
    name, field = place.split(".")
    before = await fingerprint()
    tried = 0

    for thing, roles in allowed().items():
        if thing.split()[0] != TARGETS[place] or (place, thing) in KNOWN_TO_HAVE_BEEN:
            continue
        target = scene.world.things[thing]
        for role, viewer in scene.viewers.items():
            if role.split(",")[0] in roles or (viewer is not None and viewer == target.owner):
                continue
            existing = await scene.do(name, role, {field: target.id})
            missing = await scene.do(name, role, {field: f"{TARGETS[place]}_{uuid4()}"})
            assert existing == missing, (place, thing, role)
            assert "code" in existing, (place, thing, role)
            tried += 1

    assert tried > 0 or place == "objectionRaise.noticeId"
    assert await fingerprint() == before


@pytest.mark.parametrize("name", [line.split()[0] for line in MAY.strip().splitlines()])
async def test_a_verb_of_others_is_refused_whatever_is_named(scene: Scene, name: str) -> None:
    [may] = [line.split("|")[1].split() for line in MAY.strip().splitlines() if line.split()[0] == name]
    before = await fingerprint()

    for role, viewer in scene.viewers.items():
        if role.split(",")[0] in may:
            continue
        for thing, target in scene.world.things.items():
            if any(TARGETS[f"{name}.{field}"] == thing.split()[0] for field in ids_of(name)) or thing == "Division":
                given = {field: target.id for field in ids_of(name) if TARGETS[f"{name}.{field}"] == thing.split()[0]}
                answer = await scene.do(name, role, given)
                expected = {"NotSignedIn"} if viewer is None else {"NotAllowed", "NotFound"}
                assert answer["__typename"] in expected, (name, role, thing)

    assert await fingerprint() == before


@pytest.mark.parametrize("name", sorted(set(MUTATIONS) - OPEN))
async def test_who_is_signed_out_is_told_so_before_anything_is_said_of_the_input(scene: Scene, name: str) -> None:
    texts = {field: "" for field, kind in input_of(name).items() if kind.rstrip("!") == "String"}
    before = await fingerprint()

    for malformed in ("", "x", "Application", "Application_x", f"Nothing_{uuid4()}", f"Division_{uuid4()}"):
        answer = await scene.do(name, "nobody", dict.fromkeys(ids_of(name), malformed))
        of_empty_texts = await scene.do(name, "nobody", dict.fromkeys(ids_of(name), malformed) | texts)
        assert (answer["__typename"], of_empty_texts["__typename"]) == ("NotSignedIn", "NotSignedIn"), malformed

    assert await fingerprint() == before


async def test_who_comes_too_late_to_object_is_told_so(scene: Scene) -> None:
    for role in scene.viewers:
        answer = await scene.do("objectionRaise", role, {"noticeId": scene.world.things["PublicNotice that is over"].id})
        assert answer["__typename"] == "NoticeOver"

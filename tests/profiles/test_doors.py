from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from api.app import application
from domain.actions.revisions import freeze
from models.applications import Application
from models.database import transaction
from models.enums import FilePurpose, Stage
from models.experts import Expert
from schema.root import schema
from settings import Settings, settings
from tests.people import SignedIn, officer, provincial_officer, registered_expert
from tests.profiles.kept import draft_of, everything_of, some_image

FIELDS = "... on InvalidInput { fields { path code message } }"
PROFILE = """id number state version createdAt updatedAt frozenAt
basicInfo {
  name formerName idType idNumber idNumberMasked idValidFrom idValidUntil idValidLongTerm sex sexName birthDate
  ethnicGroup ethnicGroupName politicalAffiliation politicalAffiliationName health
  portrait { purpose } idFront { purpose } idBack { purpose }
  secondPhone secondPhoneMasked email emailMasked
  residenceCode residence { name } address addressMasked postcode employer employerCreditCode
  employerKind department post workStatus workingSince yearsInField source
}
evaluationInfo {
  homePoolCode homePool { name } evaluationPools { code } specialties { code specialty { name } }
  avoidanceUnits { name creditCode relation until declared }
}
education {
  school startedOn endedOn major level levelName mode degree degreeName certificateNumber isHighest
  certificate { purpose } profile { number }
}
titles { titleCode title { name } certificateNumber obtainedOn issuer certificate { purpose } }
workHistory { startedOn endedOn employer post duties }
qualifications { qualificationCode qualification { name } certificateNumber obtainedOn validUntil issuer certificate { purpose } }
otherMaterials { file { purpose } }
missing { path code } warnings { path code }"""

BASIC_INFO = {
    "idValidFrom": "2015-06-01",
    "idValidUntil": "2035-06-01",
    "ethnicGroup": "01",
    "politicalAffiliation": "13",
    "health": "GOOD",
    "secondPhone": "0431-85166114",
    "email": "zhang@example.com",
    "residenceCode": "220102",
    "address": "吉林省长春市南关区人民大街1号",
    "postcode": "130022",
    "employer": "吉林大学",
    "employerCreditCode": "12100000412750016P",
    "employerKind": "INSTITUTION",
    "department": "数学学院",
    "post": "教授",
    "workStatus": "EMPLOYED",
    "workingSince": "1998-07-01",
    "yearsInField": 25,
    "source": "SELF",
}
EVALUATION_INFO = {
    "homePoolCode": "220199",
    "specialties": ["A02010000", "A01010000"],
    "avoidanceUnits": [{"name": "吉林银行", "relation": "持股", "until": "2030-01-01"}],
}
EDUCATION = {
    "school": "吉林大学",
    "startedOn": "1994-09-01",
    "endedOn": "1998-07-01",
    "major": "数学",
    "level": "21",
    "mode": "FULL_TIME",
    "degree": "407",
    "isHighest": True,
}
TITLE = {"titleCode": "T01011", "certificateNumber": "20051234", "obtainedOn": "2005-12-01", "issuer": "吉林省人社厅"}
WORK_ENTRY = {"startedOn": "1998-07-01", "employer": "吉林大学", "post": "讲师", "duties": "教学"}
QUALIFICATION = {"qualificationCode": "Q101", "certificateNumber": "2001-1", "obtainedOn": "2001-06-01", "issuer": "教育部"}


class Client:
    """Speaks GraphQL to the product's application in this process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, who: SignedIn | None, query: str, language: str = "zh", **variables: Any) -> Any:
        """The data of an operation that has no errors."""
        answer = await self._post(who, query, language, variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def codes(self, who: SignedIn | None, query: str, **variables: Any) -> list[tuple[str, str | None]]:
        """The codes of the errors of an operation, and what their values lack."""
        told = [each["extensions"] for each in (await self._post(who, query, "zh", variables))["errors"]]
        return [(each["code"], each.get("reason")) for each in told]

    async def _post(self, who: SignedIn | None, query: str, language: str, variables: dict[str, Any]) -> Any:
        headers = {"Accept-Language": language} | ({} if who is None else {"Authorization": f"Bearer {who.token}"})
        return (await self._http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).json()

    async def do(
        self, who: SignedIn | None, mutation: str, input: dict[str, Any], selection: str = "__typename", language: str = "zh"
    ) -> Any:
        """The answer of one mutation."""
        kind = mutation[0].upper() + mutation[1:]
        fields = FIELDS if mutation.endswith(("Save", "Attach")) else ""
        query = f"""mutation M($input: {kind}Input!) {{
            answer: {mutation}(input: $input) {{ __typename {selection} ... on Problem {{ code message }} {fields} }}
        }}"""
        return (await self.ask(who, query, language, input=input))["answer"]


@pytest.fixture
async def client(database: Settings) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(application(schema, settings()))
    async with httpx.AsyncClient(transport=transport, base_url=settings().origin) as opened:
        yield Client(opened)


@pytest.fixture
async def expert(database: Settings) -> SignedIn:
    return await registered_expert()


async def fill_in(client: Client, expert: SignedIn) -> None:
    """Every section and every image."""
    await client.do(expert, "basicInfoSave", BASIC_INFO)
    await client.do(expert, "evaluationInfoSave", EVALUATION_INFO)
    await client.do(expert, "workEntrySave", WORK_ENTRY)
    entries = {
        FilePurpose.EDUCATION: await client.do(expert, "educationSave", EDUCATION, "... on Education { id }"),
        FilePurpose.TITLE: await client.do(expert, "titleSave", TITLE, "... on TitleEntry { id }"),
        FilePurpose.QUALIFICATION: await client.do(expert, "qualificationSave", QUALIFICATION, "... on QualificationEntry { id }"),
    }
    for purpose in FilePurpose:
        image = await some_image(expert.viewer, purpose, blurred=purpose is FilePurpose.TITLE)
        entry = entries[purpose]["id"] if purpose in entries else None
        attached = await client.do(expert, "fileAttach", {"fileId": f"File_{image.pk}", "entryId": entry})
        assert attached["__typename"] == "Profile", attached


async def hand_over(expert: SignedIn, now: datetime) -> None:
    """Freeze the draft and put the case before the first office; what else submitting does is tested with cases."""
    async with transaction():
        frozen = await freeze(await draft_of(expert.viewer), now=now)
        case = Application.filter(expert_id=expert.viewer.expert_id)
        await case.update(stage=Stage.FIRST_REVIEW, round=1, pool_code=frozen.home_pool_code, revision_id=frozen.pk)


async def draft_in_graphql(client: Client, who: SignedIn) -> Any:
    answer = await client.ask(who, f"{{ viewer {{ expert {{ draftProfile {{ {PROFILE} }} }} }} }}")
    return answer["viewer"]["expert"]["draftProfile"]


async def test_a_profile_saved_section_by_section_is_read_whole(client: Client, expert: SignedIn) -> None:
    await fill_in(client, expert)

    draft = await draft_in_graphql(client, expert)

    number = expert.account.id_number or ""
    assert (draft["number"], draft["state"], draft["version"], draft["frozenAt"]) == (1, "DRAFT", 13, None)
    assert draft["basicInfo"] == {
        **BASIC_INFO,
        "name": "张三",
        "formerName": None,
        "idType": "RESIDENT_ID",
        "idNumber": number,
        "idNumberMasked": number[:2] + "*" * 15 + number[-1:],
        "idValidLongTerm": False,
        "sex": "1",
        "sexName": "男",
        "birthDate": "1975-03-12",
        "ethnicGroupName": "汉族",
        "politicalAffiliationName": "群众",
        "portrait": {"purpose": "PORTRAIT"},
        "idFront": {"purpose": "ID_FRONT"},
        "idBack": {"purpose": "ID_BACK"},
        "secondPhone": "+8643185166114",
        "secondPhoneMasked": "0431****6114",
        "emailMasked": "z***@example.com",
        "residence": {"name": "南关区"},
        "addressMasked": "吉林省长春市南关区****",
    }
    assert draft["evaluationInfo"] == {
        "homePoolCode": "220199",
        "homePool": {"name": "长春市本级"},
        "evaluationPools": [{"code": "220199"}],
        "specialties": [
            {"code": "A02010000", "specialty": {"name": "信息化设备"}},
            {"code": "A01010000", "specialty": {"name": "房屋"}},
        ],
        "avoidanceUnits": [
            {"name": "吉林大学", "creditCode": "12100000412750016P", "relation": "现工作单位", "until": None, "declared": False},
            {"name": "吉林银行", "creditCode": None, "relation": "持股", "until": "2030-01-01", "declared": True},
        ],
    }
    assert draft["education"] == [
        {
            **EDUCATION,
            "levelName": "大学本科毕业",
            "degreeName": "理学学士学位",
            "certificateNumber": None,
            "certificate": {"purpose": "EDUCATION"},
            "profile": {"number": 1},
        }
    ]
    assert draft["titles"] == [{**TITLE, "title": {"name": "教授"}, "certificate": {"purpose": "TITLE"}}]
    assert draft["workHistory"] == [{**WORK_ENTRY, "endedOn": None}]
    assert draft["qualifications"] == [
        {**QUALIFICATION, "validUntil": None, "qualification": {"name": "教师资格"}, "certificate": {"purpose": "QUALIFICATION"}}
    ]
    assert draft["otherMaterials"] == [{"file": {"purpose": "OTHER"}}]
    assert (draft["missing"], draft["warnings"]) == ([], [{"path": "titles.0.certificate", "code": "IMAGE_BLURRED"}])


async def test_before_the_first_save_there_is_no_draft_and_then_what_is_missing_is_listed(client: Client, expert: SignedIn) -> None:
    none = await draft_in_graphql(client, expert)

    saved = await client.do(expert, "basicInfoSave", {"employer": "吉林大学"}, "... on Profile { missing { path code message } }")

    in_english = await client.ask(expert, "{ viewer { expert { draftProfile { missing { path message } } } } }", "en")
    assert none is None
    assert saved["missing"][0] == {"path": "basicInfo.idValidFrom", "code": "REQUIRED", "message": "此项为必填；请填写。"}
    assert {
        "path": "titles",
        "code": "TITLE_OR_QUALIFICATION_REQUIRED",
        "message": "请填写至少一项职称；没有职称的，填写执业资格。",
    } in saved["missing"]
    assert in_english["viewer"]["expert"]["draftProfile"]["missing"][0] == {
        "path": "basicInfo.idValidFrom",
        "message": "This is required; fill it in.",
    }


@pytest.mark.parametrize(("language", "message"), [("zh", "最多 3 项；请减少。"), ("en", "At most 3; send fewer.")])
async def test_bad_input_is_told_with_its_path_in_the_language_of_the_reader(
    client: Client, expert: SignedIn, language: str, message: str
) -> None:
    before = await everything_of(expert.viewer)

    answer = await client.do(
        expert,
        "evaluationInfoSave",
        {"homePoolCode": "330100", "specialties": ["A01010000", "A01020000", "A01030000", "A02010000"]},
        language=language,
    )

    assert (answer["__typename"], answer["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert [(each["path"], each["code"]) for each in answer["fields"]] == [
        ("homePoolCode", "DIVISION_OUTSIDE_PROVINCE"),
        ("specialties", "TOO_MANY"),
    ]
    assert answer["fields"][1]["message"] == message
    assert await everything_of(expert.viewer) == before


async def test_what_is_left_out_stays_and_null_empties(client: Client, expert: SignedIn) -> None:
    await client.do(expert, "basicInfoSave", BASIC_INFO)

    saved = await client.do(expert, "basicInfoSave", {"department": None}, "... on Profile { version basicInfo { department employer } }")

    assert saved["basicInfo"] == {"department": None, "employer": "吉林大学"}
    assert saved["version"] == 2


async def test_an_entry_is_changed_and_removed_by_its_global_id(client: Client, expert: SignedIn) -> None:
    entry = (await client.do(expert, "educationSave", EDUCATION, "... on Education { id }"))["id"]
    other = (await client.do(expert, "titleSave", TITLE, "... on TitleEntry { id }"))["id"]

    changed = await client.do(expert, "educationSave", {"id": entry, "major": "应用数学"}, "... on Education { id major school }")
    of_another_type = await client.do(expert, "educationSave", {"id": other, "major": "物理"})
    removed = await client.do(expert, "educationRemove", {"id": entry}, "... on Profile { education { id } titles { id } }")
    again = await client.do(expert, "educationRemove", {"id": entry})

    assert changed == {"__typename": "Education", "id": entry, "major": "应用数学", "school": "吉林大学"}
    assert (of_another_type["__typename"], again["__typename"]) == ("NotFound", "NotFound")
    assert removed == {"__typename": "Profile", "education": [], "titles": [{"id": other}]}


async def test_every_section_is_removed_by_its_own_mutation(client: Client, expert: SignedIn) -> None:
    for section, kind, given in (
        ("title", "TitleEntry", TITLE),
        ("workEntry", "WorkEntry", WORK_ENTRY),
        ("qualification", "QualificationEntry", QUALIFICATION),
    ):
        entry = await client.do(expert, f"{section}Save", given, f"... on {kind} {{ id }}")
        assert (await client.do(expert, f"{section}Remove", {"id": entry["id"]}))["__typename"] == "Profile"

    draft = await draft_in_graphql(client, expert)
    assert (draft["titles"], draft["workHistory"], draft["qualifications"], draft["version"]) == ([], [], [], 6)


async def test_an_old_version_is_a_typed_conflict(client: Client, expert: SignedIn) -> None:
    await client.do(expert, "basicInfoSave", {"post": "教授"})

    answer = await client.do(expert, "basicInfoSave", {"post": "讲师", "expectedVersion": 0}, "... on Stale { version }")

    assert (answer["__typename"], answer["code"], answer["version"]) == ("Stale", "STALE", 1)
    assert (await draft_in_graphql(client, expert))["basicInfo"]["post"] == "教授"


async def test_a_taken_id_number_is_a_typed_problem(client: Client, expert: SignedIn) -> None:
    other = await registered_expert()

    answer = await client.do(expert, "basicInfoSave", {"idNumber": other.account.id_number}, "... on Taken { path }")

    assert (answer["__typename"], answer["path"]) == ("Taken", "idNumber")


async def test_images_are_attached_and_detached(client: Client, expert: SignedIn) -> None:
    title = (await client.do(expert, "titleSave", TITLE, "... on TitleEntry { id }"))["id"]
    image = await some_image(expert.viewer, FilePurpose.TITLE)
    file = f"File_{image.pk}"

    unfit = [
        await client.do(expert, "fileAttach", {"fileId": file}),
        await client.do(expert, "fileAttach", {"fileId": file, "entryId": file}),
        await client.do(expert, "fileAttach", {"fileId": "File_1"}),
    ]
    attached = await client.do(expert, "fileAttach", {"fileId": file, "entryId": title}, "... on Profile { titles { certificate { id } } }")
    elsewhere = await client.do(expert, "fileDetach", {"fileId": file, "entryId": "WorkEntry_1"})
    detached = await client.do(expert, "fileDetach", {"fileId": file}, "... on Profile { titles { certificate { id } } }")
    again = await client.do(expert, "fileDetach", {"fileId": file})

    assert [[(each["path"], each["code"]) for each in answer["fields"]] for answer in unfit] == [
        [("entryId", "ENTRY_REQUIRED")],
        [("entryId", "ENTRY_UNFIT")],
        [("fileId", "FILE_UNKNOWN")],
    ]
    assert attached["titles"] == [{"certificate": {"id": file}}]
    assert (elsewhere["__typename"], again["__typename"]) == ("NotFound", "NotFound")
    assert detached["titles"] == [{"certificate": None}]


async def test_only_experts_who_are_signed_in_save(client: Client) -> None:
    staff = await officer()
    inputs: dict[str, dict[str, Any]] = {
        "basicInfoSave": {},
        "evaluationInfoSave": {},
        "educationSave": EDUCATION,
        "titleSave": TITLE,
        "workEntrySave": WORK_ENTRY,
        "qualificationSave": QUALIFICATION,
        "educationRemove": {"id": "Education_01a20505-3741-7580-98f5-bbfca9ecfa12"},
        "titleRemove": {"id": "TitleEntry_01a20505-3741-7580-98f5-bbfca9ecfa12"},
        "workEntryRemove": {"id": "WorkEntry_01a20505-3741-7580-98f5-bbfca9ecfa12"},
        "qualificationRemove": {"id": "QualificationEntry_01a20505-3741-7580-98f5-bbfca9ecfa12"},
        "fileAttach": {"fileId": "File_01a20505-3741-7580-98f5-bbfca9ecfa12"},
        "fileDetach": {"fileId": "File_01a20505-3741-7580-98f5-bbfca9ecfa12"},
    }

    for mutation, given in inputs.items():
        assert (await client.do(None, mutation, given))["__typename"] == "NotSignedIn", mutation
        assert (await client.do(staff, mutation, given))["__typename"] == "NotAllowed", mutation


async def test_a_profile_shows_itself_to_its_owner_and_once_submitted_masked_to_the_offices_of_its_case(
    client: Client, expert: SignedIn, now: datetime
) -> None:
    await fill_in(client, expert)
    draft = await draft_in_graphql(client, expert)
    stranger, local, elsewhere, province = await registered_expert(), await officer(), await officer("220299"), await provincial_officer()
    query = f"query Q($id: ID!) {{ node(id: $id) {{ ... on Profile {{ {PROFILE} }} }} }}"
    others = (stranger, local, elsewhere, province)

    hidden = [(await client.ask(who, query, id=draft["id"]))["node"] for who in others]
    signed_out = [await client.codes(None, query, id=draft["id"])]
    await hand_over(expert, now)
    shown = [(await client.ask(who, query, id=draft["id"]))["node"] for who in others]
    signed_out.append(await client.codes(None, query, id=draft["id"]))

    assert hidden == [None] * 4
    assert signed_out == [[("NOT_SIGNED_IN", None)]] * 2
    assert [each is not None for each in shown] == [False, True, False, True]
    for each in (shown[1], shown[3]):
        clear = {name: each["basicInfo"][name] for name in ("idNumber", "secondPhone", "email", "address")}
        assert clear == dict.fromkeys(clear)
        assert each["basicInfo"]["idNumberMasked"] == draft["basicInfo"]["idNumberMasked"]
        assert {**each["basicInfo"], **dict.fromkeys(clear)} == {**draft["basicInfo"], **dict.fromkeys(clear)}
        assert each["evaluationInfo"] == draft["evaluationInfo"]
        assert (each["state"], each["education"], each["titles"]) == ("FROZEN", draft["education"], draft["titles"])


async def test_while_offices_have_the_case_saving_is_refused(client: Client, expert: SignedIn, now: datetime) -> None:
    await fill_in(client, expert)
    await hand_over(expert, now)
    before = await everything_of(expert.viewer)

    answer = await client.do(expert, "basicInfoSave", {"post": "讲师"})

    assert (answer["__typename"], answer["code"]) == ("NotAllowed", "CASE_UNDER_REVIEW")
    assert await everything_of(expert.viewer) == before
    assert (await Expert.get(id=expert.viewer.expert_id)).draft_id is None


@pytest.mark.parametrize(
    ("mutation", "input"),
    [
        ("basicInfoSave", {"idValidUntil": "9999-12-31", "post": "讲师"}),
        ("basicInfoSave", {"workingSince": "0001-01-01"}),
        ("qualificationSave", QUALIFICATION | {"validUntil": "9999-12-31"}),
        ("scheduleSave", {"availability": "UNAVAILABLE", "firstDate": "0001-01-01", "lastDate": "0001-01-01", "weeklyUntil": "9999-12-31"}),
    ],
)
async def test_days_by_which_people_say_that_there_is_no_end_are_refused_before_anything_is_kept(
    client: Client, expert: SignedIn, mutation: str, input: dict[str, Any]
) -> None:
    await client.do(expert, "basicInfoSave", BASIC_INFO)
    before = await everything_of(expert.viewer)

    kind = mutation[0].upper() + mutation[1:]
    query = f"mutation M($input: {kind}Input!) {{ {mutation}(input: $input) {{ __typename }} }}"
    told = await client.codes(expert, query, input=input)

    assert set(told) == {("BAD_USER_INPUT", "DATE_RANGE")}
    assert await everything_of(expert.viewer) == before


async def test_a_paper_for_life_is_said_as_such(client: Client, expert: SignedIn) -> None:
    saved = await client.do(
        expert,
        "basicInfoSave",
        BASIC_INFO | {"idValidUntil": None, "idValidLongTerm": True},
        "... on Profile { basicInfo { idValidUntil idValidLongTerm } }",
    )

    assert saved["basicInfo"] == {"idValidUntil": None, "idValidLongTerm": True}

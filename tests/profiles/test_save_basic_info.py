from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any

import pytest

from domain.actions.profiles import save_basic_info
from domain.rules.errors import InvalidInput, NotAllowed, Stale, Taken
from domain.rules.profile_input import BasicInfo
from models.accounts import Account
from models.applications import Application
from models.database import database_now, rows
from models.enums import CaseKind, EmployerKind, HealthDeclaration, IdType, Stage, WorkStatus
from models.experts import Expert
from models.profiles import Revision
from models.sealing import id_number_hash
from tests.people import SignedIn, officer, registered_expert, some_id_number
from tests.profiles.kept import draft_of, everything_of, told


@pytest.fixture
async def expert(now: datetime) -> SignedIn:
    return await registered_expert(name="张三", id_number=some_id_number(born=date(1975, 3, 12)))


async def refused(given: BasicInfo, expert: SignedIn, now: datetime) -> list[tuple[str, str]]:
    """The problems of a save, which has stored nothing."""
    before = await everything_of(expert.viewer)
    with pytest.raises(InvalidInput) as refusal:
        await save_basic_info(given, viewer=expert.viewer, now=now)
    assert await everything_of(expert.viewer) == before
    return told(refusal.value)


async def test_the_first_save_opens_a_draft_prefilled_from_the_account_and_an_admission_case(expert: SignedIn, now: datetime) -> None:
    saved = await save_basic_info(BasicInfo(employer="吉林大学"), viewer=expert.viewer, now=now)

    kept = await draft_of(expert.viewer)
    case = await Application.get(expert_id=expert.viewer.expert_id)
    assert kept.pk == saved.pk == (await Expert.get(id=expert.viewer.expert_id)).draft_id
    assert (kept.number, kept.version, kept.base_id) == (1, 1, None)
    assert (kept.name, kept.id_type, kept.id_number) == ("张三", IdType.RESIDENT_ID, expert.account.id_number)
    assert (kept.sex, kept.birth_date, kept.employer) == ("1", date(1975, 3, 12), "吉林大学")
    assert (kept.id_number_masked, kept.id_number_hash) == (expert.account.id_number_masked, expert.account.id_number_hash)
    assert (case.kind, case.stage, case.applicant, case.round) == (CaseKind.ADMISSION, Stage.DRAFT, "张三", 0)


async def test_only_given_fields_are_written_and_null_empties_them(expert: SignedIn, now: datetime) -> None:
    await save_basic_info(
        BasicInfo(employer="吉林大学", department="数学学院", email="zhang@example.com", id_valid_long_term=True),
        viewer=expert.viewer,
        now=now,
    )

    await save_basic_info(BasicInfo(department=None, email=None, post="教授", id_valid_long_term=None), viewer=expert.viewer, now=now)

    kept = await draft_of(expert.viewer)
    assert (kept.employer, kept.department, kept.post) == ("吉林大学", None, "教授")
    assert (kept.email, kept.email_masked, kept.id_valid_long_term) == (None, None, False)
    assert kept.version == 2


async def test_every_field_is_kept_normalised(expert: SignedIn, now: datetime) -> None:
    await save_basic_info(
        BasicInfo(
            name="买买提•吐尔逊",
            former_name="  李　四 ",
            id_valid_from=date(2015, 6, 1),
            id_valid_until=date(2035, 6, 1),
            ethnic_group="０２",
            political_affiliation="13",
            health=HealthDeclaration.GOOD,
            second_phone="０４３１－８５１６６１１４",
            email="Zhang@Example.COM",
            residence_code="220102",
            address="吉林省长春市南关区人民大街１号",
            postcode="１３００２２",
            employer="吉林大学",
            employer_credit_code="12100000412750016P".lower(),
            employer_kind=EmployerKind.INSTITUTION,
            department="数学学院",
            post="教授",
            work_status=WorkStatus.EMPLOYED,
            working_since=date(1998, 7, 1),
            years_in_field=25,
        ),
        viewer=expert.viewer,
        now=now,
    )

    kept = await draft_of(expert.viewer)
    assert (kept.name, kept.former_name) == ("买买提·吐尔逊", "李四")
    assert (kept.ethnic_group, kept.political_affiliation) == ("02", "13")
    assert (kept.second_phone, kept.second_phone_masked) == ("+8643185166114", "0431****6114")
    assert (kept.email, kept.email_masked) == ("Zhang@example.com", "Z***@example.com")
    assert (kept.address, kept.address_masked) == ("吉林省长春市南关区人民大街1号", "吉林省长春市南关区****")
    assert (kept.postcode, kept.employer_credit_code) == ("130022", "12100000412750016P")
    assert (kept.years_in_field, kept.working_since, kept.residence_code) == (25, date(1998, 7, 1), "220102")


async def test_personal_data_are_sealed_at_rest(expert: SignedIn, now: datetime) -> None:
    await save_basic_info(BasicInfo(email="zhang@example.com", address="长春市人民大街1号"), viewer=expert.viewer, now=now)

    stored = str(await everything_of(expert.viewer))
    assert "zhang@example.com" not in stored
    assert "人民大街" not in stored
    assert (expert.account.id_number or "?") not in stored


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("id_number", "220102197503120011", ("idNumber", "ID_NUMBER_CHECK_DIGIT")),
        ("id_number", "220102750312001", ("idNumber", "ID_NUMBER_15_DIGITS")),
        ("id_number", "220102197502300018", ("idNumber", "ID_NUMBER_BIRTH_DATE")),
        ("id_number", "", ("idNumber", "ID_NUMBER_FORMAT")),
        ("id_number", None, ("idNumber", "REQUIRED")),
        ("id_type", None, ("idType", "REQUIRED")),
        ("id_type", IdType.TAIWAN_PERMIT, ("idNumber", "ID_NUMBER_KIND")),
        ("name", None, ("name", "REQUIRED")),
        ("name", "张😀", ("name", "NAME_CHARACTERS")),
        ("name", "张\x00三", ("name", "NAME_CHARACTERS")),
        ("name", "张\ud800三", ("name", "NAME_CHARACTERS")),
        ("name", "张", ("name", "NAME_LENGTH")),
        ("former_name", "李4", ("formerName", "NAME_CHARACTERS")),
        ("employer", "吉林\x07大学", ("employer", "TEXT_CHARACTERS")),
        ("employer", "大" * 121, ("employer", "TEXT_LENGTH")),
        ("ethnic_group", "99", ("ethnicGroup", "CODE_UNKNOWN")),
        ("ethnic_group", "0\x001", ("ethnicGroup", "TEXT_CHARACTERS")),
        ("political_affiliation", "77", ("politicalAffiliation", "CODE_UNKNOWN")),
        ("residence_code", "110105", ("residenceCode", "DIVISION_OUTSIDE_PROVINCE")),
        ("residence_code", "229999", ("residenceCode", "CODE_UNKNOWN")),
        ("residence_code", "220199", ("residenceCode", "DIVISION_IS_POOL")),
        ("employer_credit_code", "12100000412750016A", ("employerCreditCode", "CREDIT_CODE_CHECK_DIGIT")),
        ("second_phone", "+85221234567", ("secondPhone", "PHONE_NOT_MAINLAND")),
        ("email", "zhang@", ("email", "EMAIL_FORMAT")),
        ("postcode", "13002", ("postcode", "POSTCODE_FORMAT")),
        ("years_in_field", 71, ("yearsInField", "NUMBER_RANGE")),
        ("years_in_field", -1, ("yearsInField", "NUMBER_RANGE")),
        ("working_since", date(2999, 1, 1), ("workingSince", "DATE_IN_FUTURE")),
        ("working_since", date(1975, 3, 12), ("workingSince", "DATE_BEFORE_BIRTH")),
        ("id_valid_until", date(2001, 1, 1), ("idValidUntil", "ID_EXPIRED")),
    ],
)
async def test_a_value_that_cannot_be_kept_is_refused_on_its_path(
    expert: SignedIn, now: datetime, field: str, value: Any, problem: tuple[str, str]
) -> None:
    problems = await refused(BasicInfo(**{field: value}), expert, now)

    assert problems == [problem]


async def test_a_refused_first_save_leaves_no_draft_and_no_case(expert: SignedIn, now: datetime) -> None:
    await refused(BasicInfo(name="😀😀"), expert, now)

    assert not await Revision.filter(expert_id=expert.viewer.expert_id).exists()
    assert not await Application.filter(expert_id=expert.viewer.expert_id).exists()


async def test_all_problems_are_told_at_once(expert: SignedIn, now: datetime) -> None:
    given = BasicInfo(
        name="张3",
        id_number="123",
        id_valid_from=date(2030, 1, 1),
        id_valid_until=date(2029, 1, 1),
        id_valid_long_term=True,
        ethnic_group="99",
        employer=" ",
    )

    problems = await refused(given, expert, now)

    assert problems == [
        ("idNumber", "ID_NUMBER_FORMAT"),
        ("name", "NAME_CHARACTERS"),
        ("employer", "TEXT_EMPTY"),
        ("idValidFrom", "DATE_IN_FUTURE"),
        ("idValidUntil", "DATES_REVERSED"),
        ("idValidUntil", "ID_VALIDITY_TWICE"),
        ("ethnicGroup", "CODE_UNKNOWN"),
    ]


async def test_dates_are_compared_with_those_kept_before(expert: SignedIn, now: datetime) -> None:
    await save_basic_info(BasicInfo(id_valid_from=date(2015, 6, 1), id_valid_until=date(2035, 6, 1)), viewer=expert.viewer, now=now)

    reversed_dates = await refused(BasicInfo(id_valid_until=date(2014, 6, 1)), expert, now)
    for_life_as_well = await refused(BasicInfo(id_valid_long_term=True), expert, now)

    assert reversed_dates == [("idValidUntil", "DATES_REVERSED"), ("idValidUntil", "ID_EXPIRED")]
    assert for_life_as_well == [("idValidUntil", "ID_VALIDITY_TWICE")]


async def test_full_width_digits_and_a_small_x_are_put_right_and_sex_and_birth_date_follow(expert: SignedIn, now: datetime) -> None:
    await save_basic_info(BasicInfo(id_number="　１１０１０５１９４９１２３１００２ｘ "), viewer=expert.viewer, now=now)

    kept = await draft_of(expert.viewer)
    assert (kept.id_number, kept.sex, kept.birth_date) == ("11010519491231002X", "2", date(1949, 12, 31))
    assert (kept.id_number_masked, kept.id_number_hash) == ("11***************X", id_number_hash("11010519491231002X"))


async def test_until_admission_the_account_follows_the_draft(expert: SignedIn, now: datetime) -> None:
    number = some_id_number(male=False)

    await save_basic_info(BasicInfo(name="张三丰", id_number=number), viewer=expert.viewer, now=now)

    account = await Account.get(id=expert.viewer.account_id)
    assert (account.name, account.id_number, account.id_number_hash) == ("张三丰", number, id_number_hash(number))
    assert (await Expert.get(id=expert.viewer.expert_id)).name == "张三丰"


@pytest.mark.parametrize("holder", [registered_expert, officer])
async def test_an_id_number_of_another_live_account_is_taken(expert: SignedIn, now: datetime, holder: Any) -> None:
    other: SignedIn = await holder()
    before = await everything_of(expert.viewer)

    with pytest.raises(Taken) as refusal:
        await save_basic_info(BasicInfo(id_number=other.account.id_number), viewer=expert.viewer, now=now)

    assert refusal.value.path == "idNumber"
    assert await everything_of(expert.viewer) == before


async def test_of_two_people_who_take_one_id_number_at_once_one_gets_it(expert: SignedIn, now: datetime) -> None:
    other = await registered_expert()
    number = some_id_number()

    ends = await asyncio.gather(
        *(save_basic_info(BasicInfo(id_number=number), viewer=each.viewer, now=now) for each in (expert, other)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in ends) == ["Revision", "Taken"]
    assert await Account.filter(id_number_hash=id_number_hash(number)).count() == 1


async def test_two_saves_at_once_lose_nothing(expert: SignedIn, now: datetime) -> None:
    given = [BasicInfo(employer="吉林大学"), BasicInfo(department="数学学院"), BasicInfo(post="教授"), BasicInfo(email="z@example.com")]

    await asyncio.gather(*(save_basic_info(each, viewer=expert.viewer, now=now) for each in given))

    kept = await draft_of(expert.viewer)
    assert (kept.employer, kept.department, kept.post, kept.email) == ("吉林大学", "数学学院", "教授", "z@example.com")
    assert kept.version == 4
    assert await Revision.filter(expert_id=expert.viewer.expert_id).count() == 1
    assert await Application.filter(expert_id=expert.viewer.expert_id).count() == 1


async def test_who_saves_on_an_old_version_is_told_the_present_one(expert: SignedIn, now: datetime) -> None:
    first = await save_basic_info(BasicInfo(employer="吉林大学"), viewer=expert.viewer, now=now, expected_version=0)

    with pytest.raises(Stale) as refusal:
        await save_basic_info(BasicInfo(employer="长春理工大学"), viewer=expert.viewer, now=now, expected_version=0)

    assert (first.version, refusal.value.version) == (1, 1)
    assert (await draft_of(expert.viewer)).employer == "吉林大学"


async def test_of_two_saves_on_one_version_at_once_one_is_stale(expert: SignedIn, now: datetime) -> None:
    await save_basic_info(BasicInfo(employer="吉林大学"), viewer=expert.viewer, now=now)

    ends = await asyncio.gather(
        *(save_basic_info(BasicInfo(post=each), viewer=expert.viewer, now=now, expected_version=1) for each in ("教授", "讲师")),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in ends) == ["Revision", "Stale"]
    assert (await draft_of(expert.viewer)).version == 2


async def test_staff_have_no_profile(now: datetime) -> None:
    someone = await officer()
    revisions = await rows("SELECT count(*) AS n FROM revisions")

    with pytest.raises(NotAllowed):
        await save_basic_info(BasicInfo(employer="财政局"), viewer=someone.viewer, now=await database_now())

    assert await rows("SELECT count(*) AS n FROM revisions") == revisions

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import standing
from domain.actions.changes import submit_change
from domain.actions.eligibility import set_scarce
from domain.actions.profiles import save_basic_info
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import InvalidInput, NotAllowed, NotFound, Taken, WrongStanding
from domain.rules.profile_input import BasicInfo
from domain.rules.standing import years_after
from models.accounts import Account
from models.database import database_now, execute, rows
from models.enums import AccountStatus, DismissalCause, SmsTemplate, Stage, Standing, StandingChange
from models.experts import Expert
from models.sms import SmsMessage
from models.standing import Bar, StandingRecord
from settings import Settings, settings
from tests import graphql
from tests.cases import case_at
from tests.conftest import Clock
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert, some_id_number

REASONS = "多次无故缺席评审。"
DISMISS = """mutation Dismiss($input: ExpertDismissInput!) { expertDismiss(input: $input) { __typename
    ... on Expert { standing standingRecords { change cause reasons actorName } } ... on Problem { code } } }"""


async def formal() -> SignedIn:
    return (await case_at(Stage.ADMITTED, name="吴正式"))[0]


@pytest.fixture
async def province(database: Settings) -> SignedIn:
    """An officer of the province."""
    return await provincial_officer(name="郑省级")


async def today() -> date:
    return (await database_now()).astimezone(SHANGHAI).date()


async def suspend(person: SignedIn, by: SignedIn, *, days: int) -> Expert:
    until = await today() + timedelta(days=days)
    return await standing.suspend(_id(person), until=until, reasons=REASONS, viewer=by.viewer, now=await database_now())


async def dismiss(person: SignedIn, by: SignedIn, reasons: str = REASONS) -> Expert:
    return await standing.dismiss(
        _id(person), cause=DismissalCause.BREACH_OF_DUTY, reasons=reasons, viewer=by.viewer, now=await database_now()
    )


def _id(person: SignedIn) -> UUID:
    assert person.viewer.expert_id is not None
    return person.viewer.expert_id


async def told(person: SignedIn) -> list[SmsTemplate]:
    found = await SmsMessage.filter(account_id=person.account.id).order_by("id")
    return [each.template for each in found if each.template not in (SmsTemplate.NOTICE_OPENED, SmsTemplate.ADMITTED)]


async def test_a_dismissal_closes_the_account_and_bars_the_id_number_for_three_years(province: SignedIn, clock: Clock) -> None:
    person = await formal()
    id_number = (await Account.get(id=person.account.id)).id_number

    expert = await dismiss(person, province)

    account = await Account.get(id=person.account.id)
    assert (expert.standing, account.status) == (Standing.DISMISSED, AccountStatus.DEREGISTERED)
    [record] = await StandingRecord.filter(expert_id=expert.id)
    assert (record.change, record.cause, record.reasons, record.actor_name) == (
        StandingChange.DISMISS,
        DismissalCause.BREACH_OF_DUTY,
        REASONS,
        "郑省级",
    )
    assert await told(person) == [SmsTemplate.DISMISSED]
    bar = await Bar.get(id_number_hash=account.id_number_hash)
    assert bar.until == years_after(await today(), 3)
    with pytest.raises(Taken) as refusal:
        await registered_expert(id_number=id_number)
    assert refusal.value.path == "idNumber"
    assert await Account.filter(id_number_hash=account.id_number_hash).count() == 1
    for _ in range(40):
        await clock.move(days=28)
    await registered_expert(id_number=id_number)


async def test_a_suspension_ends_by_itself_after_its_last_day(province: SignedIn, clock: Clock) -> None:
    person = await formal()
    suspended = await suspend(person, province, days=2)
    await standing.keep_standing()
    still = await Expert.get(id=suspended.id)

    await clock.move(days=3)
    await standing.keep_standing()
    await standing.keep_standing()

    after = await Expert.get(id=suspended.id)
    assert (suspended.standing, still.standing) == (Standing.SUSPENDED, Standing.SUSPENDED)
    assert (after.standing, after.suspended_until) == (Standing.FORMAL, None)
    records = await StandingRecord.filter(expert_id=suspended.id).order_by("id")
    assert [(each.change, each.actor_id) for each in records] == [
        (StandingChange.SUSPEND, province.account.id),
        (StandingChange.REINSTATE, None),
    ]
    assert await told(person) == [SmsTemplate.SUSPENDED, SmsTemplate.REINSTATED]


async def test_a_suspension_can_be_ended_early_and_turned_into_a_dismissal(province: SignedIn) -> None:
    person, other = await formal(), await formal()
    await suspend(person, province, days=30)
    await suspend(other, province, days=30)

    back = await standing.reinstate(_id(person), reasons="情况已核实。", viewer=province.viewer, now=await database_now())
    gone = await dismiss(other, province)

    assert (back.standing, back.suspended_until) == (Standing.FORMAL, None)
    assert (gone.standing, gone.suspended_until) == (Standing.DISMISSED, None)
    with pytest.raises(WrongStanding) as refusal:
        await standing.reinstate(_id(person), reasons="再次。", viewer=province.viewer, now=await database_now())
    assert refusal.value.standing is Standing.FORMAL


async def test_bad_input_is_told_field_by_field(province: SignedIn) -> None:
    person = await formal()

    with pytest.raises(InvalidInput) as refusal:
        await standing.suspend(
            _id(person), until=await today() - timedelta(days=1), reasons=" ", viewer=province.viewer, now=await database_now()
        )

    assert [(each.path, each.code) for each in refusal.value.problems] == [("until", "SUSPENSION_PAST"), ("reasons", "TEXT_EMPTY")]
    assert (await Expert.get(id=_id(person))).standing is Standing.FORMAL


async def test_the_province_alone_decides_on_standing(province: SignedIn) -> None:
    person = await formal()
    stranger, own, other = await registered_expert(), await officer("220199"), await officer("220299")

    for by, refused in (
        (own, NotAllowed),
        (person, NotAllowed),
        (other, NotFound),
        (stranger, NotFound),
        (await administrator(), NotFound),
    ):
        with pytest.raises(refused):
            await dismiss(person, by)
    assert (await Expert.get(id=_id(person))).standing is Standing.FORMAL
    given = {"expertId": f"Expert_{_id(person)}", "cause": "FALSE_MATERIAL", "reasons": REASONS}
    signed_out = await graphql.execute(DISMISS, input=given)
    local = await graphql.execute(DISMISS, own.viewer, input=given)
    done = await graphql.execute(DISMISS, province.viewer, input=given)

    assert signed_out.data == {"expertDismiss": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert local.data == {"expertDismiss": {"__typename": "NotAllowed", "code": "PROVINCE_DECIDES"}}
    assert done.data == {
        "expertDismiss": {
            "__typename": "Expert",
            "standing": "DISMISSED",
            "standingRecords": [{"change": "DISMISS", "cause": "FALSE_MATERIAL", "reasons": REASONS, "actorName": "郑省级"}],
        }
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts SET phone_hash = a.phone_hash FROM accounts a WHERE accounts.id = $1 AND a.id = $2",
        "UPDATE accounts SET id_number_hash = a.id_number_hash FROM accounts a WHERE accounts.id = $1 AND a.id = $2",
        """UPDATE accounts SET id_number_hash = r.id_number_hash FROM experts x JOIN applications c ON c.expert_id = x.id
           JOIN revisions r ON r.id = c.revision_id WHERE accounts.id = $1 AND x.account_id = $2 AND c.closed_at IS NULL""",
    ],
    ids=["phone", "id number", "id number under review"],
)
async def test_nobody_decides_on_their_own_standing(statement: str) -> None:
    person, province = await formal(), await provincial_officer()
    await save_basic_info(BasicInfo(id_number=some_id_number()), viewer=person.viewer, now=await database_now())
    await submit_change(commitment=True, avoidance=True, viewer=person.viewer, now=await database_now())
    # The verbs keep staff and experts apart; these are the rows of somebody who slipped past them.
    await execute("UPDATE accounts SET status = 'DEREGISTERED' WHERE id = $1", person.account.id)
    await execute(statement, province.account.id, person.account.id)

    with pytest.raises(NotAllowed) as refusal:
        await dismiss(person, province)

    assert refusal.value.code == "OWN_CASE"
    assert (await Expert.get(id=_id(person))).standing is Standing.FORMAL
    assert not await StandingRecord.exists(expert_id=_id(person))


async def test_who_turns_seventy_is_told_ninety_days_before_and_then_lapses(
    province: SignedIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await formal()
    born = date(1975, 3, 12)
    age = (await today()).year - born.year + 2
    birthday = years_after(born, age)
    monkeypatch.setattr("domain.actions.standing.settings", lambda: replace(settings(), expert_age_limit=age))
    while birthday - await today() > timedelta(days=95):
        await clock.move(days=min(30, (birthday - await today()).days - 95))
    await standing.keep_standing(limit=1000)
    before = await Expert.get(id=_id(person))

    await clock.move(days=5)
    await standing.keep_standing(limit=1000)
    await standing.keep_standing(limit=1000)
    noticed = await Expert.get(id=_id(person))
    for days in (30, 30, 29):
        await clock.move(days=days)
    await standing.keep_standing(limit=1000)
    last = await Expert.get(id=_id(person))
    await clock.move(days=2)
    await standing.keep_standing(limit=1000)
    await standing.keep_standing(limit=1000)

    after = await Expert.get(id=_id(person))
    assert before.lapses_on is None
    assert (noticed.lapses_on, noticed.standing, last.standing) == (birthday, Standing.FORMAL, Standing.FORMAL)
    assert after.standing is Standing.LAPSED
    assert (await Account.get(id=person.account.id)).status is AccountStatus.ACTIVE
    assert await told(person) == [SmsTemplate.LAPSE_NOTICE, SmsTemplate.LAPSED]
    [record] = await StandingRecord.filter(expert_id=_id(person))
    assert (record.change, record.actor_id) == (StandingChange.LAPSE, None)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("a_suspension_has_an_end", "UPDATE experts SET standing = 'SUSPENDED', suspended_until = NULL WHERE id = '{expert}'"),
        ("a_suspension_has_an_end", "UPDATE experts SET suspended_until = '2030-01-01' WHERE id = '{expert}'"),
        (
            "a_dismissal_has_its_cause",
            """INSERT INTO standing_records (id, expert_id, at, change, from_standing, to_standing)
               VALUES (gen_random_uuid(), '{expert}', now(), 'DISMISS', 'FORMAL', 'DISMISSED')""",
        ),
        ("standing_records_never_change", "UPDATE standing_records SET reasons = '改'"),
        ("standing_records_never_change", "DELETE FROM standing_records"),
        ("bars_never_change", "UPDATE bars SET until = '2020-01-01'"),
        ("bars_never_change", "DELETE FROM bars"),
    ],
)
async def test_what_is_always_true_of_standing(province: SignedIn, name: str, statement: str) -> None:
    person = await formal()
    await dismiss(await formal(), province)

    with pytest.raises(IntegrityError, match=name if name.startswith("a_") else "never change"):
        await execute(statement.format(expert=_id(person)))

    assert await rows("SELECT FROM pg_trigger WHERE tgname = $1 UNION ALL SELECT FROM pg_constraint WHERE conname = $1", name)


async def test_who_was_approved_beyond_the_age_for_a_scarce_specialty_does_not_lapse_by_it(
    province: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await administrator()
    for module in ("standing", "eligibility"):
        monkeypatch.setattr(f"domain.actions.{module}.settings", lambda: replace(settings(), expert_age_limit=40))
    await set_scarce("A01010000", True, viewer=admin.viewer)
    relaxed = await formal()
    await set_scarce("A01010000", False, viewer=admin.viewer)
    beyond = await formal()

    await standing.keep_standing(limit=1000)
    told_of = [(await Expert.get(id=_id(each))).lapses_on for each in (relaxed, beyond)]
    await execute("UPDATE experts SET lapses_on = '2026-01-01' WHERE id IN ($1, $2)", _id(relaxed), _id(beyond))
    await standing.keep_standing(limit=1000)

    stays, goes = [await Expert.get(id=_id(each)) for each in (relaxed, beyond)]
    assert (told_of[0], told_of[1] is not None) == (None, True)
    assert (stays.standing, stays.lapses_on, await told(relaxed)) == (Standing.FORMAL, None, [])
    assert goes.standing is Standing.LAPSED

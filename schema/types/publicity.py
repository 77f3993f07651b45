"""Public notices 公示."""

from datetime import date, datetime

from models import publicity
from models.enums import NoticeState
from schema.nodes import Node, column, many, one, record
from schema.types.reference import Division, Specialty


@record(publicity.NoticeSpecialty, "A specialty named in a public notice.")
class NoticeSpecialty(Node):
    """One line of a notice."""

    code: str = column("specialty_code", "Code of the specialty.")
    specialty: Specialty | None = one("Specialty", "specialty_code", "The specialty with its place in the tree.", to="code")


@record(
    publicity.PublicNotice,
    "公示: an admission before the public. Everybody sees it while it runs: name, employer, specialties, pool and dates, nothing else.",
)
class PublicNotice(Node):
    """A public notice."""

    state: NoticeState = column("state", "Whether it runs.")
    name: str = column("name", "Name of the person.")
    employer: str = column("employer", "Present employer.")
    pool_code: str = column("pool_code", "Code of the pool.")
    pool: Division | None = one("Division", "pool_code", "The pool the person is to enter.", to="code")
    specialties: list[NoticeSpecialty] = many("NoticeSpecialty", "notice_id", "Specialties the person is to evaluate.")
    opened_at: datetime = column("opened_at", "When the final review was approved.")
    first_day: date = column("first_day", "First working day that counts.")
    last_day: date = column("last_day", "Last working day; the notice runs until its end, 24:00 in Shanghai.")
    closes_at: datetime = column("closes_at", "The instant at which it ends.")
    days_counted: list[date] = column(
        "days_counted",
        "The working days counted.",
        convert=lambda days: [date.fromisoformat(day) for day in days],
        sql="to_json(ARRAY(SELECT jsonb_array_elements_text({t}.days_counted)))",
    )
    tentative: bool = column("tentative", "Whether a year it touches is not yet published; then it may still become longer, never shorter.")
    closed_at: datetime | None = column("closed_at", "When it was closed or struck.")

"""A small province: cases at every stage, so that something stands behind every field of the schema."""

from __future__ import annotations

from dataclasses import dataclass

from domain.actions import reviews
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import database_now, rows
from models.enums import Stage
from schema.nodes import RECORDS
from tests.cases import case_at, complete_profile
from tests.divisions.moving import change_of_division_at
from tests.objections.raising import objection_to
from tests.people import administrator, officer, provincial_officer, registered_expert


@dataclass(frozen=True, slots=True)
class Province:
    """Who asks, by name, and the global ids of everything there is, good and bad."""

    viewers: dict[str, Viewer | None]
    ids: list[str]


async def small_province() -> Province:
    """Made by the verbs; takes a few seconds."""
    admitted, _ = await case_at(Stage.ADMITTED, name="陈一")
    publicity, _ = await case_at(Stage.PUBLICITY, name="陈二", pool="220299")
    returned, _ = await case_at(Stage.RETURNED, name="陈三")
    for number, stage in enumerate(
        (Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.REJECTED, Stage.WITHDRAWN, Stage.PUBLICITY)
    ):
        await case_at(stage, name=f"陈{'四五六七八九'[number]}")
    objected = await Application.filter(stage=Stage.PUBLICITY).order_by("id")
    for case in objected:
        await objection_to(case.id)
    moving, _ = await change_of_division_at(Stage.SECOND_REVIEW, name="陈迁")
    returned_division, _ = await change_of_division_at(Stage.RETURNED, name="陈返")
    drafting = await registered_expert(name="陈十")
    await complete_profile(drafting.viewer)
    local, other = await officer("220199"), await officer("220299")
    province = await provincial_officer()
    _, claimed = await case_at(Stage.FIRST_REVIEW, name="陈百")
    await reviews.claim(claimed.id, viewer=local.viewer, now=await database_now())
    people = {
        "nobody": None,
        "admitted": admitted.viewer,
        "in publicity": publicity.viewer,
        "returned": returned.viewer,
        "moving": moving.viewer,
        "returned, moving": returned_division.viewer,
        "drafting": drafting.viewer,
        "local officer": local.viewer,
        "other officer": other.viewer,
        "province": province.viewer,
        "administrator": (await administrator()).viewer,
    }
    return Province(people, await _ids())


async def _ids() -> list[str]:
    found = ["", "Application", "Application_x", "Nothing_1", "Division_220199", "Division_999999", "Specialty_A", "Code_SEX:1"]
    for name, kind in RECORDS.items():
        model = kind.__model__
        keys = await rows(f"SELECT {model._meta.pk_attr} AS key FROM {model._meta.db_table} ORDER BY 1 DESC LIMIT 4")
        found += [f"{name}_{row['key']}" for row in keys]
    return found

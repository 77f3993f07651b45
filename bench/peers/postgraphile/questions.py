"""Our operations as PostGraphile is asked them: the same facts under its own names, and its answers put into the shape of ours."""

from __future__ import annotations

from typing import Any

from bench import operations

_FILE = "{ id: rowId mediaType width height }"
_BASIC = """name formerName idType idNumberMasked idValidFrom idValidUntil idValidLongTerm sex sexName birthDate
    ethnicGroup ethnicGroupName politicalAffiliation politicalAffiliationName health portrait FILE idFront FILE idBack FILE
    secondPhoneMasked emailMasked residenceCode residence { code name } addressMasked postcode
    employer employerCreditCode employerKind department post workStatus workingSince yearsInField source"""
_EVALUATION = """homePoolCode homePool { code name } specialties { code specialty { name parent { name } } }
    avoidanceUnits { name creditCode relation until declared }"""
_SECTIONS = """education {
        id: rowId school startedOn endedOn major level levelName mode degree degreeName certificateNumber isHighest certificate FILE
    }
    titles { id: rowId titleCode title { name series rank } certificateNumber obtainedOn issuer certificate FILE }
    workHistory { id: rowId startedOn endedOn employer post duties }
    qualifications { id: rowId qualificationCode qualification { name } certificateNumber obtainedOn validUntil issuer certificate FILE }
    otherMaterials { id: rowId file FILE }"""

DOCUMENTS = {
    "five fields": """query FiveFields($id: UUID!) {
        application: applicationByKey(key: $id) { profile { name idNumberMasked sex employer post } } }""",
    "profile": f"""query Profile($id: UUID!) {{ application: applicationByKey(key: $id) {{
        id: rowId kind stage round applicant poolCode submittedAt stageSince
        profile {{ id: rowId number state frozenAt {_BASIC} {_EVALUATION} {_SECTIONS} }} }} }}""".replace("FILE", _FILE),
    "queue": """query Queue { totalCount: waitingTotal applications: allWaitings(first: 20, orderBy: [STAGE_SINCE_ASC, KEY_ASC]) {
        pageInfo { hasNextPage endCursor }
        nodes {
            id: rowId stage round applicant employer submittedAt stageSince dueAt overdue pool { code name }
            records { number at move fromStage toStage actorName opinion }
        } } }""",
    "notices": """query Notices { totalCount: publicNoticesTotal
        publicNotices: allPublicNotices(first: 50, orderBy: [CLOSES_AT_ASC, KEY_ASC]) {
        pageInfo { hasNextPage endCursor }
        nodes {
            id: rowId name employer poolCode pool { name } openedAt firstDay lastDay closesAt tentative
            specialties { code specialty { name } }
        } } }""",
    "approve": """mutation Approve($id: UUID!) {
        applicationApprove: approve(input: {caseKey: $id, seen: "SECOND_REVIEW", said: "材料齐全，同意"}) {
            result { __typename id: rowId stage round } } }""",
}
_PARTS = {"basicInfo": _BASIC, "evaluationInfo": _EVALUATION}


def shaped(name: str, answer: Any) -> Any:
    """An answer of PostGraphile as ours: what is nested over the same row here lies flat there, totals lie beside their pages."""
    data = answer["data"]
    if name == operations.MUTATION.name:
        return {"data": {"applicationApprove": data["applicationApprove"]["result"]}}
    if "totalCount" in data:
        (page,) = (key for key in data if key != "totalCount")
        return {"data": {page: {**data[page], "totalCount": data["totalCount"]}}}
    profile = data["application"]["profile"]
    parts = {part: {key: profile.pop(key) for key in list(profile) if key in names.split()} for part, names in _PARTS.items()}
    data["application"]["profile"] = profile | {part: found for part, found in parts.items() if found}
    return {"data": data}

"""The measured operations: their documents, and who asks them with which variables."""

from __future__ import annotations

from dataclasses import dataclass

_FILE = "{ id mediaType width height }"

FIVE_FIELDS = """query FiveFields($id: ID!) {
  application(id: $id) { profile { basicInfo { name idNumberMasked sex employer post } } }
}"""

PROFILE = """query Profile($id: ID!) {
  application(id: $id) {
    id kind stage round applicant poolCode submittedAt stageSince
    profile {
      id number state frozenAt
      basicInfo {
        name formerName idType idNumberMasked idValidFrom idValidUntil idValidLongTerm sex sexName birthDate
        ethnicGroup ethnicGroupName politicalAffiliation politicalAffiliationName health
        portrait FILE idFront FILE idBack FILE
        secondPhoneMasked emailMasked residenceCode residence { code name } addressMasked postcode
        employer employerCreditCode employerKind department post workStatus workingSince yearsInField source
      }
      evaluationInfo {
        homePoolCode homePool { code name }
        specialties { code specialty { name parent { name } } }
        avoidanceUnits { name creditCode relation until declared }
      }
      education { id school startedOn endedOn major level levelName mode degree degreeName certificateNumber isHighest certificate FILE }
      titles { id titleCode title { name series rank } certificateNumber obtainedOn issuer certificate FILE }
      workHistory { id startedOn endedOn employer post duties }
      qualifications { id qualificationCode qualification { name } certificateNumber obtainedOn validUntil issuer certificate FILE }
      otherMaterials { id file FILE }
    }
  }
}""".replace("FILE", _FILE)

QUEUE = """query Queue {
  applications(first: 20, filter: {awaitingMe: true}) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id stage round applicant employer submittedAt stageSince dueAt overdue
      pool { code name }
      records { number at move fromStage toStage actorName opinion }
    }
  }
}"""

NOTICES = """query Notices {
  publicNotices(first: 50) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id name employer poolCode pool { name } openedAt firstDay lastDay closesAt tentative
      specialties { code specialty { name } }
    }
  }
}"""

APPROVE = """mutation Approve($id: ID!) {
  applicationApprove(input: {applicationId: $id, stage: SECOND_REVIEW, opinion: "材料齐全，同意"}) {
    __typename
    ... on Application { id stage round }
  }
}"""


@dataclass(frozen=True, slots=True)
class Measured:
    """An operation; `of_case` where it takes a case's id, `signed_in` where an officer of the province asks."""

    name: str
    document: str
    of_case: bool = False
    signed_in: bool = True


OPERATIONS = (
    Measured("profile", PROFILE, of_case=True),
    Measured("five fields", FIVE_FIELDS, of_case=True),
    Measured("queue", QUEUE),
    Measured("notices", NOTICES, signed_in=False),
)
MUTATION = Measured("approve", APPROVE, of_case=True)

"""The operations of the demonstration, as a client would keep them; each is one document with one operation."""

PROBLEM = "... on Problem { code message } ... on InvalidInput { fields { path code message } }"

PUBLIC = """query Public {
  privacyTermsVersion
  publicNotices(first: 5) { totalCount nodes { name employer lastDay } }
  divisions(search: "长春") { code name poolSelectable }
  specialties(search: "房屋") { code name level }
}"""

PHONE_CODE_SEND = f"""mutation PhoneCodeSend($input: PhoneCodeSendInput!) {{
  phoneCodeSend(input: $input) {{ __typename ... on PhoneCodeSent {{ expiresAt resendAfterSeconds }} {PROBLEM} }}
}}"""

MESSAGES = """query Messages($phone: String) {
  developmentMessages(phone: $phone) { template text state }
}"""

ACCOUNT_REGISTER = f"""mutation AccountRegister($input: AccountRegisterInput!) {{
  accountRegister(input: $input) {{ __typename ... on Account {{ name role }} ... on Taken {{ path }} {PROBLEM} }}
}}"""

SESSION_OPEN = f"""mutation SessionOpen($input: SessionOpenInput!) {{
  sessionOpen(input: $input) {{
    __typename
    ... on SessionOpened {{ token viewer {{ account {{ name role }} expert {{ id standing }} pool {{ name }} }} }}
    {PROBLEM}
  }}
}}"""

BASIC_INFO_SAVE = f"""mutation BasicInfoSave($input: BasicInfoSaveInput!) {{
  basicInfoSave(input: $input) {{ __typename ... on Profile {{ version basicInfo {{ name sexName birthDate employer }} }} {PROBLEM} }}
}}"""

EVALUATION_INFO_SAVE = f"""mutation EvaluationInfoSave($input: EvaluationInfoSaveInput!) {{
  evaluationInfoSave(input: $input) {{
    __typename
    ... on Profile {{
      evaluationInfo {{ homePool {{ name }} specialties {{ specialty {{ name }} }} avoidanceUnits {{ name relation declared }} }}
    }}
    {PROBLEM}
  }}
}}"""

EDUCATION_SAVE = f"""mutation EducationSave($input: EducationSaveInput!) {{
  educationSave(input: $input) {{ __typename ... on Education {{ id school levelName isHighest }} {PROBLEM} }}
}}"""

TITLE_SAVE = f"""mutation TitleSave($input: TitleSaveInput!) {{
  titleSave(input: $input) {{ __typename ... on TitleEntry {{ id title {{ name rank }} }} {PROBLEM} }}
}}"""

WORK_ENTRY_SAVE = f"""mutation WorkEntrySave($input: WorkEntrySaveInput!) {{
  workEntrySave(input: $input) {{ __typename ... on WorkEntry {{ id employer post }} {PROBLEM} }}
}}"""

QUALIFICATION_SAVE = f"""mutation QualificationSave($input: QualificationSaveInput!) {{
  qualificationSave(input: $input) {{ __typename ... on QualificationEntry {{ id qualification {{ name }} }} {PROBLEM} }}
}}"""

FILE_UPLOAD = f"""mutation FileUpload($input: FileUploadInput!) {{
  fileUpload(input: $input) {{ __typename ... on File {{ id purpose width height blurred }} {PROBLEM} }}
}}"""

FILE_ATTACH = f"""mutation FileAttach($input: FileAttachInput!) {{
  fileAttach(input: $input) {{ __typename ... on Profile {{ version }} {PROBLEM} }}
}}"""

MY_CASE = """query MyCase {
  viewer {
    expert {
      standing
      number
      pool { name }
      draftProfile { id missing { path code message } }
      applications(first: 1) {
        nodes {
          id
          stage
          round
          availableMoves
          records { number move fromStage toStage opinion fieldReasons { path text } }
          notice { name firstDay lastDay closesAt daysCounted }
        }
      }
    }
  }
}"""

APPLICATION_SUBMIT = f"""mutation ApplicationSubmit($input: ApplicationSubmitInput!) {{
  applicationSubmit(input: $input) {{
    __typename
    ... on Application {{ id stage round dueAt availableMoves }}
    ... on Incomplete {{ missing {{ path code message }} }}
    {PROBLEM}
  }}
}}"""

QUEUE = """query Queue($search: String) {
  applications(filter: { awaitingMe: true, search: $search }, first: 20) {
    totalCount
    nodes {
      id
      applicant
      employer
      stage
      round
      overdue
      availableMoves
      pool { name }
      profile {
        basicInfo { name idNumberMasked employer workStatus portrait { id url } }
        education { school levelName certificate { id } }
        titles { title { name rank } certificate { id } }
      }
    }
  }
}"""

APPLICATION_CLAIM = """mutation ApplicationClaim($input: ApplicationClaimInput!) {
  applicationClaim(input: $input) { __typename ... on Application { claim { holder mine until } } ... on Problem { code message } }
}"""

APPLICATION_APPROVE = f"""mutation ApplicationApprove($input: ApplicationApproveInput!) {{
  applicationApprove(input: $input) {{
    __typename
    ... on Application {{ stage availableMoves }}
    ... on AlreadyReviewed {{ stage }}
    {PROBLEM}
  }}
}}"""

APPLICATION_RETURN = f"""mutation ApplicationReturn($input: ApplicationReturnInput!) {{
  applicationReturn(input: $input) {{ __typename ... on Application {{ stage }} {PROBLEM} }}
}}"""

CLOCK_MOVE = f"""mutation ClockMove($input: DevelopmentClockMoveInput!) {{
  developmentClockMove(input: $input) {{ __typename ... on DevelopmentClockMoved {{ now }} {PROBLEM} }}
}}"""

MY_TITLES = "query MyTitles { viewer { expert { draftProfile { titles { id title { name } } } } } }"

NOTICES = "query Notices { publicNotices(first: 100) { nodes { id name } } }"

APPLICATION_MOVED = "subscription ApplicationMoved { applicationMoved { id stage round } }"

QUEUE_CHANGED = "subscription QueueChanged { queueChanged { stage application { id } } }"

OBJECTION_RAISE = f"""mutation ObjectionRaise($input: ObjectionRaiseInput!) {{
  objectionRaise(input: $input) {{ __typename ... on ObjectionReceived {{ receipt receivedAt }} {PROBLEM} }}
}}"""

OBJECTIONS_OF = """query ObjectionsOf($id: ID!) {
  application(id: $id) { objections { id receipt state text phoneMasked receivedAt settledBy settlement } }
}"""

OBJECTION_SETTLE = f"""mutation ObjectionSettle($input: ObjectionSettleInput!) {{
  objectionSettle(input: $input) {{ __typename ... on Objection {{ state settlement application {{ stage }} }} {PROBLEM} }}
}}"""

CHANGE_SUBMIT = f"""mutation ChangeSubmit($input: ChangeSubmitInput!) {{
  changeSubmit(input: $input) {{
    __typename
    ... on Application {{ id kind stage }}
    ... on Incomplete {{ missing {{ path code message }} }}
    {PROBLEM}
  }}
}}"""

DIFFERENCE = """query Difference($id: ID!) {
  application(id: $id) {
    kind
    difference { fields { path label before after } entries { section label change title fields { path before after } } }
  }
}"""

EXPERT_REVEAL = f"""mutation ExpertReveal($input: ExpertRevealInput!) {{
  expertReveal(input: $input) {{ __typename ... on PersonalDataRevealed {{ phone }} {PROBLEM} }}
}}"""

CLEAR_READS = "query ClearReads { viewer { clearReads(first: 5) { nodes { at readerName readerPool { name } fields reason } } } }"

IN_FORCE = "query InForce { viewer { expert { effectiveProfile { id number basicInfo { employer } } } } }"

DIVISION_CHANGE_REQUEST = f"""mutation DivisionChangeRequest($input: DivisionChangeRequestInput!) {{
  divisionChangeRequest(input: $input) {{
    __typename
    ... on Application {{ id kind stage pool {{ name }} leavingPool {{ name }} }}
    {PROBLEM}
  }}
}}"""

SCHEDULE_SAVE = f"""mutation ScheduleSave($input: ScheduleSaveInput!) {{
  scheduleSave(input: $input) {{ __typename ... on SchedulePeriod {{ id firstDate lastDate availability }} {PROBLEM} }}
}}"""

AVAILABLE_EXPERTS = "query AvailableExperts($date: Date!) { availableExperts(date: $date, first: 100) { nodes { number name } } }"

APPLICATION_FORM_EXPORT = """mutation ApplicationFormExport($input: ApplicationFormExportInput!) {
  applicationFormExport(input: $input) { __typename ... on Export { id state } ... on Problem { code message } }
}"""

EXPORTS = "query Exports { exports(first: 1) { nodes { kind state done total fileName url } } }"

EXPERT_DEREGISTER = f"""mutation ExpertDeregister($input: ExpertDeregisterInput!) {{
  expertDeregister(input: $input) {{ __typename ... on ExpertDeregistered {{ at }} {PROBLEM} }}
}}"""

FORMER_REGISTRATIONS = """query FormerRegistrations($id: ID!) {
  application(id: $id) { expert { formerRegistrations { number standing registeredOn leftOn } } }
}"""

DOCUMENTS = {name: value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str) and name != "PROBLEM"}
"""Every document by its name here, for tests that hold them to the schema."""

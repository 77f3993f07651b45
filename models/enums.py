"""The closed vocabularies of the registry, each value with its Chinese and English wording."""

from __future__ import annotations

from enum import Enum
from typing import Self


class Vocabulary(str, Enum):  # noqa: UP042  StrEnum leaves no room for the wordings
    """A closed list of codes; `zh` and `en` are what people are shown, the value is what clients and rows hold."""

    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        member.en = en
        return member

    __str__ = str.__str__


class Role(Vocabulary):
    """What an account is for."""

    EXPERT = "EXPERT", "专家", "registers as an expert: temporary or formal"
    LOCAL_OFFICER = "LOCAL_OFFICER", "市县财政监管", "finance office of one pool: first review of that pool's cases"
    PROVINCIAL_OFFICER = "PROVINCIAL_OFFICER", "省级财政监管", "provincial finance office: second and final review, objections"
    ADMINISTRATOR = "ADMINISTRATOR", "系统管理员", "operates the system: staff, reference data, calendar; reviews nothing"


class AccountStatus(Vocabulary):
    """Whether an account can be used."""

    ACTIVE = "ACTIVE", "正常", "can sign in"
    DISABLED = "DISABLED", "停用", "a staff account that was disabled"
    DEREGISTERED = "DEREGISTERED", "已注销", "left for good; never usable again"


class StaffActKind(Vocabulary):
    """What was done with an account of staff, by an administrator, the operator or its owner (GB/T 22239-2019, 8.1.4.3)."""

    CREATED = "CREATED", "开通账号", "the account was made"
    DISABLED = "DISABLED", "停用", "taken out of use"
    ENABLED = "ENABLED", "恢复启用", "taken back into use"
    MOVED = "MOVED", "调整所属专家库", "put into another pool"
    FACTOR_RESET = "FACTOR_RESET", "重置动态口令", "its second factor was taken away, to be set up anew"
    FACTOR_SET = "FACTOR_SET", "绑定动态口令", "its owner set up a second factor"
    FACTOR_REFUSED = "FACTOR_REFUSED", "动态口令错误", "password or phone code were right, the second factor was wrong"
    SIGNED_IN = "SIGNED_IN", "登录", "its owner signed in"
    PASSWORD_RESET = "PASSWORD_RESET", "重置密码", "its owner set a new password by phone code"
    PHONE_CHANGED = "PHONE_CHANGED", "更换手机号", "its owner signs in with another phone from then on"


class Transport(Vocabulary):
    """How a session travels."""

    COOKIE = "COOKIE", "网页", "HttpOnly cookie, for pages; needs the X-Registry-Client header"
    BEARER = "BEARER", "令牌", "Authorization: Bearer token, for mobile clients and tools"


class CodePurpose(Vocabulary):
    """What a phone code may be used for; a code serves only its own purpose."""

    REGISTER = "REGISTER", "注册", "register an account"
    SIGN_IN = "SIGN_IN", "登录", "sign in without a password"
    RESET_PASSWORD = "RESET_PASSWORD", "重置密码", "set a new password"
    CHANGE_PHONE = "CHANGE_PHONE", "更换手机号", "prove the old or the new number when the login phone changes"
    DEREGISTER = "DEREGISTER", "注销", "confirm leaving for good"
    OBJECT = "OBJECT", "提出异议", "raise an objection to a public notice"
    SECOND_FACTOR = "SECOND_FACTOR", "绑定动态口令", "set up the second factor of a staff account"


class PersonalField(Vocabulary):
    """Personal data that are masked for all but their owner."""

    ID_NUMBER = "ID_NUMBER", "证件号码", "id number"
    PHONE = "PHONE", "登录手机号", "login phone"
    SECOND_PHONE = "SECOND_PHONE", "备用电话", "second phone"
    EMAIL = "EMAIL", "电子邮箱", "e-mail"
    ADDRESS = "ADDRESS", "通讯地址", "address"


class KeyUse(Vocabulary):
    """What a key of the installation is for."""

    HASH = "HASH", "散列", "keyed hashes, signatures and the chain of records; for the life of the database"
    SEAL = "SEAL", "加密", "sealed columns and files; can be replaced"


class Standing(Vocabulary):
    """Where a person stands in the registry."""

    TEMPORARY = "TEMPORARY", "临时专家", "registered, not yet admitted"
    FORMAL = "FORMAL", "正式专家", "admitted; may be drawn for evaluations"
    SUSPENDED = "SUSPENDED", "暂停", "formal, but not drawn until the suspension ends"
    DISMISSED = "DISMISSED", "解聘", "removed with cause; barred from registering for 3 years"
    LAPSED = "LAPSED", "到龄退出", "left by age"
    DEREGISTERED = "DEREGISTERED", "已注销", "left by own wish, or the registration was revoked"


class StandingChange(Vocabulary):
    """A change of an expert's standing: of a formal one, or the end of a temporary one."""

    SUSPEND = "SUSPEND", "暂停", "keep from being drawn until a day"
    REINSTATE = "REINSTATE", "恢复", "end a suspension, early or at its end"
    DISMISS = "DISMISS", "解聘", "remove with cause"
    DEREGISTER = "DEREGISTER", "注销", "leave by own wish"
    LAPSE = "LAPSE", "到龄退出", "leave by age"
    REVOKE = "REVOKE", "撤销登记", "close the account of a temporary expert at the office"


class DismissalCause(Vocabulary):
    """Why an expert was dismissed (财库〔2016〕198号 art. 27 to 29)."""

    FALSE_MATERIAL = "FALSE_MATERIAL", "提供虚假申请材料", "false material in an application"
    BREACH_OF_DUTY = "BREACH_OF_DUTY", "未按规定履行评审职责", "duties of evaluation were not fulfilled"
    IMPROPER_GAIN = "IMPROPER_GAIN", "谋取不正当利益", "improper gain from evaluations"
    CONFLICT_OF_INTEREST = "CONFLICT_OF_INTEREST", "应当回避而未回避", "did not stand back where it was due"
    DISCLOSURE = "DISCLOSURE", "泄露评审情况", "told of evaluations"
    CRIMINAL = "CRIMINAL", "受到刑事处罚", "criminal penalty"
    OTHER = "OTHER", "其他", "other, see the text"


class RevisionState(Vocabulary):
    """The life of one revision of a profile; only a draft can be edited."""

    DRAFT = "DRAFT", "草稿", "open for editing"
    FROZEN = "FROZEN", "已提交", "submitted; what reviewers see; never changes again"
    EFFECTIVE = "EFFECTIVE", "生效", "in force"
    SUPERSEDED = "SUPERSEDED", "已被替代", "was in force until a later revision took effect"
    NOT_ADOPTED = "NOT_ADOPTED", "未采用", "returned, rejected, withdrawn or cancelled"


class CaseKind(Vocabulary):
    """What a case asks for."""

    ADMISSION = "ADMISSION", "入库申请", "become a formal expert"
    CHANGE = "CHANGE", "信息变更", "change data of a formal expert"
    DIVISION_CHANGE = "DIVISION_CHANGE", "变更区划", "move a formal expert to another pool"


class EntryChange(Vocabulary):
    """What became of an entry of a profile from one revision to another."""

    ADDED = "ADDED", "新增", "not in the revision before"
    REMOVED = "REMOVED", "删除", "no longer in the later revision"
    CHANGED = "CHANGED", "修改", "in both, with other fields"


class Stage(Vocabulary):
    """Where a case stands; `availableMoves` tells where the viewer can take it from here."""

    DRAFT = "DRAFT", "草稿", "being filled in"
    FIRST_REVIEW = "FIRST_REVIEW", "初审", "first review by the city or county office of the pool"
    SECOND_REVIEW = "SECOND_REVIEW", "复审", "second review by the province"
    FINAL_REVIEW = "FINAL_REVIEW", "终审", "final review by another provincial officer"
    PUBLICITY = "PUBLICITY", "公示", "public notice is running"
    OBJECTION = "OBJECTION", "异议处理", "notice over, an objection is not yet settled"
    RETURNED = "RETURNED", "退回修改", "sent back to the expert with reasons"
    ADMITTED = "ADMITTED", "已入库", "closed: the person is a formal expert"
    APPLIED = "APPLIED", "已生效", "closed: the change has taken effect"
    REJECTED = "REJECTED", "不予通过", "closed: refused"
    WITHDRAWN = (
        "WITHDRAWN",
        "已撤回",
        "closed: taken back by the expert; anew: `applicationSubmit` without an id, `changeSubmit` or `divisionChangeRequest`",
    )
    CANCELLED = (
        "CANCELLED",
        "已取消",
        "closed: left lying, given up, deregistered or pool without an office; anew as after WITHDRAWN, or after a save",
    )


class Move(Vocabulary):
    """A step of a case from one stage to another. Each value names the mutation that makes it, by the kind of case where that matters."""

    SUBMIT = (
        "SUBMIT",
        "提交",
        "send to first review: `applicationSubmit` (ADMISSION), `changeSubmit` (CHANGE), `divisionChangeRequest` (DIVISION_CHANGE)",
    )
    WITHDRAW = "WITHDRAW", "撤回", "take back before anybody has decided: `applicationWithdraw`"
    APPROVE = "APPROVE", "通过", "pass on to the next stage: `applicationApprove`"
    RETURN = "RETURN", "退回", "send back to the expert with reasons: `applicationReturn`"
    REJECT = "REJECT", "不予通过", "refuse and close: `applicationReject`"
    CLOSE_NOTICE = "CLOSE_NOTICE", "公示结束", "the notice ended, nothing unsettled; made by the system"
    HOLD_FOR_OBJECTION = "HOLD_FOR_OBJECTION", "转入异议处理", "the notice ended with an objection unsettled; made by the system"
    DISMISS_OBJECTIONS = (
        "DISMISS_OBJECTIONS",
        "异议不成立",
        "all objections were dismissed: `objectionSettle` with `upheld: false` at OBJECTION; at PUBLICITY that settles and moves nothing",
    )
    UPHOLD_OBJECTION = "UPHOLD_OBJECTION", "异议成立", "an objection was upheld: `objectionSettle` with `upheld: true`"
    CANCEL = (
        "CANCEL",
        "取消",
        "close without a decision: its expert by `draftDiscard` (CHANGE) or `divisionChangeGiveUp` (DIVISION_CHANGE), else the system",
    )
    TRANSFER = (
        "TRANSFER",
        "转库",
        "the pool was merged: its successor has the case, at the stage where it stands; made by the system",
    )


class RejectReason(Vocabulary):
    """Why a case was rejected."""

    NOT_ELIGIBLE = "NOT_ELIGIBLE", "不符合入库条件", "conditions of admission are not met"
    FALSE_MATERIAL = "FALSE_MATERIAL", "材料虚假", "material is false"
    BAD_RECORD = "BAD_RECORD", "存在不良记录", "bad record within three years"
    DUPLICATE = "DUPLICATE", "重复申请", "the person is already in the registry"
    OTHER = "OTHER", "其他", "other, see the text"


class MergeState(Vocabulary):
    """How far the people and cases of a closed pool have followed it."""

    RUNNING = "RUNNING", "合并中", "people and cases are being moved"
    DONE = "DONE", "已完成", "nobody is left in the closed pool"


class EligibilityRule(Vocabulary):
    """A condition of admission (财库〔2016〕198号 art. 6) that the eligibility report looks at."""

    AGE = "AGE", "年龄", "under the age limit on the day of submission"
    TITLE = "TITLE", "专业水平", "a senior or middle title, or a professional qualification in its place"
    EXPERIENCE = "EXPERIENCE", "从业年限", "years in the field, unless the title is senior"
    RECORD = "RECORD", "不良记录", "no dismissal or suspension in the years before"


class EligibilityResult(Vocabulary):
    """What the eligibility report says of one condition. It informs and never decides."""

    PASSED = "PASSED", "符合", "the condition is met"
    FAILED = "FAILED", "不符合", "the condition is not met, or a fact is missing"
    RELAXED = "RELAXED", "可适当放宽", "not met, and the rule may be relaxed for a scarce specialty that was chosen"


class EligibilityChange(Vocabulary):
    """A change in a person's eligibility that time alone will bring."""

    AGE_LIMIT = "AGE_LIMIT", "达到年龄上限", "the person reaches the age limit"
    QUALIFICATION_LAPSE = "QUALIFICATION_LAPSE", "执业资格到期", "a qualification is valid no more"


class IdType(Vocabulary):
    """Kind of identity paper."""

    RESIDENT_ID = "RESIDENT_ID", "居民身份证", "resident identity card, GB 11643"
    HK_MACAO_PERMIT = "HK_MACAO_PERMIT", "港澳居民居住证", "residence permit of Hong Kong and Macao residents"
    TAIWAN_PERMIT = "TAIWAN_PERMIT", "台湾居民居住证", "residence permit of Taiwan residents"
    FOREIGN_PERMANENT_RESIDENT = "FOREIGN_PERMANENT_RESIDENT", "外国人永久居留身份证", "foreign permanent resident card"


class WorkStatus(Vocabulary):
    """Whether a person works at present."""

    EMPLOYED = "EMPLOYED", "在职", "employed"
    RETIRED = "RETIRED", "退休", "retired"
    SELF_EMPLOYED = "SELF_EMPLOYED", "自由职业", "self-employed"


class HealthDeclaration(Vocabulary):
    """The expert's own declaration of health."""

    GOOD = "GOOD", "健康", "fit for evaluation work"
    MINOR = "MINOR", "一般", "minor conditions that do not hinder evaluation work"
    UNFIT = "UNFIT", "不适合", "not fit for evaluation work at present"


class EmployerKind(Vocabulary):
    """Kind of employer."""

    GOVERNMENT = "GOVERNMENT", "机关", "government or party organ"
    INSTITUTION = "INSTITUTION", "事业单位", "public institution"
    STATE_ENTERPRISE = "STATE_ENTERPRISE", "国有企业", "state-owned enterprise"
    PRIVATE_ENTERPRISE = "PRIVATE_ENTERPRISE", "民营企业", "private enterprise"
    FOREIGN_ENTERPRISE = "FOREIGN_ENTERPRISE", "外资企业", "foreign-invested enterprise"
    SOCIAL_ORGANISATION = "SOCIAL_ORGANISATION", "社会组织", "social organisation"
    OTHER = "OTHER", "其他", "other"


class ExpertSource(Vocabulary):
    """How a person came to apply."""

    SELF = "SELF", "自我推荐", "own application"
    UNIT = "UNIT", "单位推荐", "recommended by the employer"
    PUBLIC_CALL = "PUBLIC_CALL", "公开征集", "answered a public call"


class StudyMode(Vocabulary):
    """How an education was followed."""

    FULL_TIME = "FULL_TIME", "全日制", "full time"
    PART_TIME = "PART_TIME", "非全日制", "part time"
    DISTANCE = "DISTANCE", "网络教育", "distance or online"
    SELF_STUDY = "SELF_STUDY", "自学考试", "self-study examination"


class FilePurpose(Vocabulary):
    """What an uploaded image is for; decides the checks it must pass."""

    PORTRAIT = "PORTRAIT", "个人照片", "photo of the person"
    ID_FRONT = "ID_FRONT", "身份证人像面", "identity paper, side with the portrait"
    ID_BACK = "ID_BACK", "身份证国徽面", "identity paper, side with the emblem"
    EDUCATION = "EDUCATION", "学历证书", "certificate of an education"
    TITLE = "TITLE", "职称证书", "certificate of a title"
    QUALIFICATION = "QUALIFICATION", "执业资格证书", "certificate of a qualification"
    OTHER = "OTHER", "其他材料", "signed application form and other material; JPEG only"


class NoticeState(Vocabulary):
    """The life of a public notice."""

    OPEN = "OPEN", "公示中", "running; on the public list"
    CLOSED = "CLOSED", "已结束", "over; no longer on the public list"
    STRUCK = "STRUCK", "已撤销", "ended early because the case ended"


class ObjectionState(Vocabulary):
    """Whether an objection is settled."""

    OPEN = "OPEN", "待处理", "received, not yet settled"
    DISMISSED = "DISMISSED", "不成立", "settled: no ground"
    UPHELD = "UPHELD", "成立", "settled: the admission is refused"


class ChainBreak(Vocabulary):
    """What is wrong at a place of a chain of records."""

    CHANGED = "CHANGED", "被改动", "the record does not say what it was written with, or does not follow the one before"
    MISSING = "MISSING", "缺失", "the record, or the whole case, is gone"
    FOREIGN = "FOREIGN", "外来", "a record that the registry did not write there"
    CASE_DIFFERS = "CASE_DIFFERS", "申请不符", "the case does not stand where its last record says"


class SmsTemplate(Vocabulary):
    """Messages that the registry sends."""

    PHONE_CODE = "PHONE_CODE", "验证码", "phone code"
    PHONE_CHANGED = "PHONE_CHANGED", "手机号已更换", "the login phone was changed"
    ADMITTED = "ADMITTED", "入库通知", "the person is a formal expert"
    RETURNED = "RETURNED", "退回通知", "the case was returned"
    REJECTED = "REJECTED", "不予通过通知", "the case was rejected"
    APPLIED = "APPLIED", "变更生效通知", "the change has taken effect"
    NOTICE_OPENED = "NOTICE_OPENED", "公示通知", "a public notice has begun"
    NOTICE_EXTENDED = "NOTICE_EXTENDED", "公示延长通知", "a running notice became longer by the published calendar"
    OBJECTION_UPHELD = "OBJECTION_UPHELD", "异议成立通知", "an objection was upheld"
    DEREGISTERED = "DEREGISTERED", "注销通知", "the person has left by own wish"
    DISMISSED = "DISMISSED", "解聘通知", "the person was dismissed"
    SUSPENDED = "SUSPENDED", "暂停通知", "the person is suspended"
    REINSTATED = "REINSTATED", "恢复通知", "a suspension has ended"
    LAPSE_NOTICE = "LAPSE_NOTICE", "到龄预告", "the person will leave by age"
    LAPSED = "LAPSED", "到龄退出通知", "the person has left by age"
    REGISTRATION_REVOKED = "REGISTRATION_REVOKED", "撤销登记通知", "the registration was revoked by the province"
    POOL_MERGED = "POOL_MERGED", "专家库合并通知", "the pool was merged, its successor has the person"
    TARGET_MERGED = "TARGET_MERGED", "转入库合并通知", "the pool that the person asked to move to was merged, its successor has the case"
    DIVISION_CHANGE_MOOT = "DIVISION_CHANGE_MOOT", "变更区划取消通知", "the two pools of a change of division became one, it was cancelled"
    POOL_CLOSED = "POOL_CLOSED", "专家库撤销通知", "the pool of a case was closed without a successor, the case cancelled"
    OWN_POOL_CLOSED = "OWN_POOL_CLOSED", "所在库撤销通知", "the pool of a formal expert was closed without a successor"
    REMINDER = "REMINDER", "提醒", "a draft or returned case is waiting"
    DRAFT_WAITING = "DRAFT_WAITING", "变更草稿提醒", "what a formal expert changed is not submitted and so not in effect"
    CASE_CANCELLED = "CASE_CANCELLED", "申请取消通知", "a case left lying was cancelled"
    QUALIFICATION_EXPIRING = "QUALIFICATION_EXPIRING", "执业资格到期提醒", "a qualification in force ends soon"


class ReminderKind(Vocabulary):
    """What people are reminded of."""

    CASE_LYING = "CASE_LYING", "申请搁置", "a draft or returned case was not touched for some time"
    DRAFT_LYING = "DRAFT_LYING", "变更草稿搁置", "the draft of a formal expert was not touched for some time"
    POOL_CLOSED = "POOL_CLOSED", "所在库撤销", "the pool of a formal expert closed without a successor"
    QUALIFICATION_ENDING = "QUALIFICATION_ENDING", "执业资格到期", "a qualification ends soon"


class SmsState(Vocabulary):
    """What became of a message."""

    QUEUED = "QUEUED", "待发送", "waiting for its turn or for the next try"
    SENDING = "SENDING", "发送中", "handed to the provider, no answer yet"
    SENT = "SENT", "已发送", "accepted by the provider"
    DELIVERED = "DELIVERED", "已送达", "delivered according to the provider's receipt"
    FAILED = "FAILED", "发送失败", "given up after the last try; `messageResend` sends it once more"
    UNDELIVERABLE = "UNDELIVERABLE", "无法送达", "refused for good, e.g. an empty number"


class OutboxState(Vocabulary):
    """What became of a promise."""

    PENDING = "PENDING", "待处理", "due now or later"
    SENDING = "SENDING", "处理中", "claimed under a lease"
    SENT = "SENT", "已完成", "done"
    DEAD = "DEAD", "已放弃", "given up; an operator must look"


class CodeKind(Vocabulary):
    """The flat code tables of the reference data."""

    EDUCATION = "EDUCATION", "学历", "GB/T 4658 levels of education"
    DEGREE = "DEGREE", "学位", "GB/T 6864 degrees"
    ETHNIC_GROUP = "ETHNIC_GROUP", "民族", "GB/T 3304 ethnic groups"
    POLITICAL = "POLITICAL", "政治面貌", "GB/T 4762 political affiliation"
    SEX = "SEX", "性别", "GB/T 2261.1 sex"


class Availability(Vocabulary):
    """What a period of an expert's schedule says."""

    UNAVAILABLE = "UNAVAILABLE", "不可参评", "cannot be drawn for evaluations"
    AVAILABLE = "AVAILABLE", "可参评", "keeps the time free for evaluations"


class HalfDay(Vocabulary):
    """Half of a day."""

    AM = "AM", "上午", "until noon"
    PM = "PM", "下午", "from noon on"


class HelpKind(Vocabulary):
    """What an article of the help centre is."""

    GUIDE = "GUIDE", "指南", "how something is done, step by step"
    QUESTION = "QUESTION", "常见问题", "a frequent question with its answer"


class Audience(Vocabulary):
    """Whom an article of the help centre is for."""

    EVERYONE = "EVERYONE", "所有人", "anybody, signed in or not"
    EXPERT = "EXPERT", "专家", "temporary and formal experts"
    OFFICER = "OFFICER", "工作人员", "officers and administrators"


class DayKind(Vocabulary):
    """How a calendar day differs from Monday to Friday."""

    OFF = "OFF", "休息日", "a weekday that is a holiday"
    WORK = "WORK", "调休上班日", "a Saturday or Sunday that is worked"


class DayStatus(Vocabulary):
    """Whether a calendar day is certain."""

    OFFICIAL = "OFFICIAL", "正式公布", "published by the State Council"
    TENTATIVE = "TENTATIVE", "预估", "expected, not yet published"


class ExportKind(Vocabulary):
    """What somebody can take along as a file."""

    APPLICATION_FORM = "APPLICATION_FORM", "申请表", "the application form of one profile, to be signed; PDF"
    CASES = "CASES", "办件清单", "cases of an officer's queue; XLSX"
    EXPERTS = "EXPERTS", "专家名单", "experts whom an officer may see; XLSX"
    OWN_DATA = "OWN_DATA", "个人数据", "everything that is kept of an expert, for that expert; ZIP of JSON and images"


class ExportState(Vocabulary):
    """What became of an export."""

    QUEUED = "QUEUED", "排队中", "waits for a worker"
    RUNNING = "RUNNING", "生成中", "is being made"
    READY = "READY", "可下载", "can be downloaded until it expires"
    DOWNLOADED = "DOWNLOADED", "已下载", "was downloaded, which own data can be once"
    FAILED = "FAILED", "失败", "could not be made"
    EXPIRED = "EXPIRED", "已过期", "was not downloaded in time; its file is gone"

"""The wording of every message to a phone, in Chinese and in English (rules §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.rules.messages import Language
from models.enums import SmsTemplate

# Placeholders are the parameters of the ledger's row. No name stands in a text: who gets a number later shall learn nothing about a person.
TEXTS: Mapping[SmsTemplate, tuple[str, str]] = {
    SmsTemplate.PHONE_CODE: (
        "【评审专家库】验证码 {code}，用于{purpose}，{until}前有效。工作人员不会索要验证码，请勿转告他人。",
        "[Expert registry] {code} is your code to {purpose}, valid until {until} Beijing time. Our staff never ask for it: tell no one.",
    ),
    SmsTemplate.PHONE_CHANGED: (
        "【评审专家库】您的登录手机号已更换为 {phone}。如非本人操作，请立即联系所在地财政部门。",
        "[Expert registry] Your login phone is now {phone}. If this was not you, call your finance office at once.",
    ),
    SmsTemplate.ADMITTED: (
        "【评审专家库】您已成为正式专家，专家编号 {number}。请登录系统维护日程。",
        "[Expert registry] You are now a formal expert, number {number}. Sign in to keep your schedule.",
    ),
    SmsTemplate.RETURNED: (
        "【评审专家库】您的申请被退回修改。请登录系统查看原因，修改后重新提交。",
        "[Expert registry] Your case was returned. Sign in to read the reasons, correct it and submit again.",
    ),
    SmsTemplate.REJECTED: (
        "【评审专家库】您的申请未予通过。请登录系统查看原因。",
        "[Expert registry] Your case was rejected. Sign in to read the reasons.",
    ),
    SmsTemplate.APPLIED: (
        "【评审专家库】您的变更申请已通过审核并生效。",
        "[Expert registry] Your change has passed its reviews and is in effect.",
    ),
    SmsTemplate.NOTICE_OPENED: (
        "【评审专家库】您的入库申请已通过审核，{first_day} 至 {last_day} 公示。",
        "[Expert registry] Your admission has passed its reviews and is before the public from {first_day} to {last_day}.",
    ),
    SmsTemplate.NOTICE_EXTENDED: (
        "【评审专家库】因工作日安排公布，您的入库公示延长至 {last_day}。",
        "[Expert registry] By the published working days, your admission is before the public until {last_day}.",
    ),
    SmsTemplate.OBJECTION_UPHELD: (
        "【评审专家库】公示期间收到的异议成立，您的入库申请未予通过。请登录系统查看原因。",
        "[Expert registry] An objection to your admission was upheld and the case rejected. Sign in to read the reasons.",
    ),
    SmsTemplate.DEREGISTERED: (
        "【评审专家库】您已注销，账号不再可用。如非本人操作，请立即联系所在地财政部门。",
        "[Expert registry] You have left the registry and your account is closed. If this was not you, call your finance office at once.",
    ),
    SmsTemplate.DISMISSED: (
        "【评审专家库】您已被解聘，账号不再可用。如有异议，请联系省级财政部门。",
        "[Expert registry] You were dismissed and your account is closed. To object, write to the provincial finance office.",
    ),
    SmsTemplate.SUSPENDED: (
        "【评审专家库】您的专家资格已暂停至 {last_day}。请登录系统查看原因。",
        "[Expert registry] You are suspended until {last_day}. Sign in to read the reasons.",
    ),
    SmsTemplate.REINSTATED: (
        "【评审专家库】您的专家资格已恢复。请登录系统维护日程。",
        "[Expert registry] Your suspension has ended. Sign in to keep your schedule.",
    ),
    SmsTemplate.LAPSE_NOTICE: (
        "【评审专家库】按年龄规定，您的专家资格将于 {day} 终止。如有疑问请联系财政部门。",
        "[Expert registry] By the rule on age you leave the registry on {day}. Ask your finance office if in doubt.",
    ),
    SmsTemplate.LAPSED: (
        "【评审专家库】按年龄规定，您的专家资格已终止。感谢您参与评审工作。",
        "[Expert registry] By the rule on age you have left the registry. Thank you for your work.",
    ),
    SmsTemplate.REGISTRATION_REVOKED: (
        "【评审专家库】您的登记已由省级财政部门撤销，账号不再可用。如有疑问，请联系省级财政部门。",
        "[Expert registry] The provincial finance office has revoked your registration and closed your account. Call it if in doubt.",
    ),
    SmsTemplate.POOL_MERGED: (
        "【评审专家库】您所在的专家库已并入{pool}，资料和申请随之转入，无需另行办理。",
        "[Expert registry] Your pool was merged into {pool}; your profile and cases have moved with it, you need do nothing.",
    ),
    SmsTemplate.TARGET_MERGED: (
        "【评审专家库】您申请转入的专家库已并入{pool}，申请随之转入，无需另行办理。",
        "[Expert registry] The pool you asked to move to was merged into {pool}; your case has moved there, you need do nothing.",
    ),
    SmsTemplate.DIVISION_CHANGE_MOOT: (
        "【评审专家库】您现在的专家库与申请转入的专家库已合并，变更区划申请随之取消，无需另行办理。",
        "[Expert registry] Your pool and the one you asked to move to became one; your request was cancelled, you need do nothing.",
    ),
    SmsTemplate.POOL_CLOSED: (
        "【评审专家库】{pool}专家库已撤销，您的申请随之取消，资料仍保留。请登录系统查看。",
        "[Expert registry] The pool {pool} was closed and your case cancelled; your profile is kept. Sign in to see more.",
    ),
    SmsTemplate.OWN_POOL_CLOSED: (
        "【评审专家库】您所在的{pool}专家库已撤销，您仍是正式专家。请登录系统申请变更区划。",
        "[Expert registry] Your pool {pool} was closed; you remain a formal expert. Sign in and ask for a change of division.",
    ),
    SmsTemplate.REMINDER: (
        "【评审专家库】您有申请尚未提交。请登录系统完成，长期不提交的申请将被取消。",
        "[Expert registry] A case of yours is not yet submitted. Sign in and finish it: a case left lying is cancelled.",
    ),
    SmsTemplate.DRAFT_WAITING: (
        "【评审专家库】您修改的资料尚未提交，变更没有生效。请登录系统提交，或者放弃草稿。",
        "[Expert registry] What you changed in your profile is not submitted and not in effect. Sign in to submit or discard it.",
    ),
    SmsTemplate.CASE_CANCELLED: (
        "【评审专家库】您的申请因长期未提交已取消，已填写的资料仍保留。请登录系统重新提交。",
        "[Expert registry] Your case was cancelled because it was left lying. What you entered is kept: sign in to submit it.",
    ),
    SmsTemplate.QUALIFICATION_EXPIRING: (
        "【评审专家库】您登记的一项执业资格将于 {day} 到期。请登录系统更新。",
        "[Expert registry] A qualification in your profile ends on {day}. Sign in to renew it.",
    ),
}


def text(template: SmsTemplate, language: Language, parameters: Mapping[str, Any]) -> str:
    """The words of a message; raises KeyError for a parameter that is missing."""
    zh, en = TEXTS[template]
    return (zh if language == "zh" else en).format_map(parameters)

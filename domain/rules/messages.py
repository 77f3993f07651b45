"""What people read for every stable code, in Chinese and in English; each text says what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.rules.calendar import SHANGHAI
from domain.rules.errors import InvalidInput, Refusal
from models.enums import Vocabulary

Language = Literal["zh", "en"]

# Placeholders are names of facts. A fact that is a Vocabulary shows its wording, a list its items, an instant the time in Shanghai, a span
# of time seconds, minutes or hours.
MESSAGES: dict[str, tuple[str, str]] = {
    # Refusals
    "NOT_SIGNED_IN": ("请先登录。", "Sign in first."),
    "NOT_FOUND": ("未找到，或您无权查看。请核对后重试。", "There is no such thing, or you may not see it. Check the id."),
    "NOT_ALLOWED": ("您不能执行此操作；如有疑问请联系财政部门。", "You may not do this; ask the finance office if in doubt."),
    "INVALID_INPUT": (
        "部分内容不符合要求，请按各项提示修改后重新提交。",
        "Some fields are not acceptable; correct each as told and send again.",
    ),
    "INCOMPLETE": ("资料尚不完整，请按清单补齐后再提交。", "The profile is not complete; fill in what is listed and submit again."),
    "ILLEGAL_MOVE": (
        "申请目前处于“{stage}”，不能执行“{move}”；可执行：{available_moves}。",
        "The case is at {stage} and cannot take {move}; possible: {available_moves}.",
    ),
    "ILLEGAL_MOVE_CLOSED": (
        "该申请已结束（{stage}）。请不指定申请（不填 applicationId）再次提交草稿；没有草稿的，请先保存修改，再提交。",
        "This case is closed ({stage}). Submit the draft without naming a case (no applicationId); if none is open, save a change first.",
    ),
    "DECIDED_BEFORE": (
        "审核机关已对该申请作出过决定，不能再撤回。请等待审核结果；确需修改的，请联系审核机关退回。",
        "An office has decided this case before; it cannot be withdrawn. Wait for the review, or ask the office to return it for changes.",
    ),
    "ALREADY_REVIEWED": (
        "另一位审核人员已先行处理，申请目前处于“{stage}”；请刷新后查看。",
        "Another officer has decided first; the case is at {stage}. Reload to see it.",
    ),
    "CLAIMED_BY_ANOTHER": (
        "{holder}已领取此申请，至{until}；请届时再试或与其联系。",
        "{holder} holds this case until {until}; try again then or speak to them.",
    ),
    "TOO_SOON": ("操作过于频繁，请在 {wait}后再试。", "Too many requests; try again in {wait}."),
    "PHONE_CODES_USED_UP": (
        "验证码的获取次数已达上限，请在 {wait}后再试。",
        "No more codes can be sent for now; try again in {wait}.",
    ),
    "OBJECTIONS_USED_UP": (
        "一天内提出异议的次数已达上限，请在 {wait}后再试。",
        "That is as many objections as a day allows; try again in {wait}.",
    ),
    "EXPORTS_USED_UP": (
        "一天内申请此类导出的次数已达上限，请在 {wait}后再试。",
        "That is as many exports of this kind as a day allows; try again in {wait}.",
    ),
    "CLEAR_READS_USED_UP": (
        "一小时内查看明文的次数已达上限，请在 {wait}后再试。",
        "That is as many looks at data in clear as an hour allows; try again in {wait}.",
    ),
    "ID_NUMBERS_USED_UP": (
        "一天内可填写或查找的不同证件号码已达上限，请在 {wait}后再试。",
        "That is as many different id numbers as a day allows; try again in {wait}.",
    ),
    "CODE_REJECTED": (
        "验证码不正确或已失效。请核对；仍不行请重新获取。",
        "The code is wrong or no longer valid. Check it, or ask for a new one.",
    ),
    "SIGN_IN_REFUSED": (
        "手机号、密码或验证码不正确。请核对，或用验证码重置密码。",
        "Phone, password or code is not right. Check them, or reset the password by a phone code.",
    ),
    "SECOND_FACTOR_NEEDED": (
        "请输入身份验证器应用中的六位动态口令；首次登录请先用应用添加本账号，并填写发送到手机的验证码。",
        "Enter the six digits of your authenticator app; at first, add this account to the app and give a code sent to your phone.",
    ),
    "SECOND_FACTOR_REJECTED": (
        "动态口令不正确、已使用或登录已超时。请等待下一个口令，或重新登录。",
        "The six digits are wrong or used, or the sign-in has waited too long. Wait for the next ones, or sign in anew.",
    ),
    "TAKEN": (
        "该手机号或证件号码已不能用于注册。如已注册，请登录或重置密码；他人用了您的证件号码的，请携带身份证件到省级财政部门办理认领。",
        "This phone or id number cannot register. Sign in if you have an account, or claim the number with your card at the province.",
    ),
    "TAKEN_BY_SOMEBODY": (
        "该手机号或证件号码已有账号，或者证件号码属于在册专家，不能用于工作人员账号；请核对。",
        "This phone or id number has a live account, or the number is that of an expert: it cannot be one of staff. Check it.",
    ),
    "PHONE_TAKEN": ("该手机号已有账号；请换用其他手机号。", "This phone has an account already; choose another."),
    "PASSWORD_WRONG": ("密码不正确；请核对，或用验证码重置密码。", "The password is not right; check it, or reset it by a phone code."),
    "KEY_REUSED": (
        "该幂等键已用于另一内容；请为新的请求换用新的键。",
        "This idempotency key was used with another input; take a new key for a new request.",
    ),
    "SERVICE_UNAVAILABLE": (
        "系统暂时繁忙，请稍后重试；不确定是否已保存的，请先刷新查看。",
        "The registry is busy; try again shortly. If you are not sure whether it was saved, look first.",
    ),
    "OPERATION_TIMEOUT": (
        "处理时间过长，已中止；结果可能已保存，请刷新后查看。",
        "This took too long and was stopped; it may have been carried out, so look before trying again.",
    ),
    "INTERNAL_ERROR": (
        "系统内部出错；请稍后重试，如再次出现请告知编号 {number}。",
        "Something failed inside; try again later, and report number {number} if it happens again.",
    ),
    # Number of an identity paper
    "ID_NUMBER_15_DIGITS": (
        "15 位旧身份证号码已停用，请填写 18 位号码；仍持旧证的请先到公安机关换领。",
        "15-digit numbers are no longer in use; enter the 18 places of the present card, which the police exchange for an old one.",
    ),
    "ID_NUMBER_OLD_FOREIGN_CARD": (
        "旧版外国人永久居留身份证为 15 位号码；请换领新版后填写 18 位号码。",
        "This is the 15-place number of the old permanent resident card; exchange the card and enter the 18 places of the new one.",
    ),
    "ID_NUMBER_FORMAT": (
        "证件号码应为 18 位：17 位数字，末位为数字或 X；请核对。",
        "The number has 18 places: 17 digits and a digit or X; check it against the card.",
    ),
    "ID_NUMBER_KIND": (
        "该号码不属于所选证件“{kind}”；请核对号码或改选证件类型。",
        "This is no number of the chosen kind of card ({kind}); check the number or choose another kind.",
    ),
    "ID_NUMBER_BIRTH_DATE": (
        "证件号码第 7 至 14 位不是真实的出生日期；请核对。",
        "Places 7 to 14 are no real date of birth in the past; check the number against the card.",
    ),
    "ID_NUMBER_CHECK_DIGIT": (
        "证件号码的校验位不符，可能有一位输错；请逐位核对。",
        "The check digit does not fit, a place may be mistyped; compare the number with the card place by place.",
    ),
    "ID_NUMBER_REGION": (
        "未能识别证件号码开头的行政区划；如与证件一致，可继续填写。",
        "The region at the beginning of the number is not known; go on if it is what the card says.",
    ),
    # Cases and reviews
    "OWN_CASE": ("不能审核本人的申请；请由其他人员办理。", "Nobody reviews their own case; another officer must decide it."),
    "OTHER_OFFICE_DECIDES": ("此环节不由您所在部门审核。", "Another office decides this stage."),
    "OTHER_OFFICER_REQUIRED": (
        "复审和终审须由两名不同人员办理；您已办理其中之一，请由其他人员办理。",
        "Second and final review need two officers, and you have done one of them; another officer must decide this one.",
    ),
    "CASE_UNDER_REVIEW": (
        "申请正在审核中，暂不能修改；尚无人作出决定的可先撤回，否则请联系审核机关退回。",
        "The case is under review and cannot be edited; withdraw it while nobody has decided, or ask the office to return it.",
    ),
    "STANDING_ENDED": ("您已不在专家库中，不能修改资料。", "You are no longer in the registry; the profile cannot be edited."),
    "WRONG_STANDING": (
        "当前身份为“{standing}”，不能执行此操作；请刷新后查看。",
        "The expert's standing ({standing}) does not allow this. Reload to see it.",
    ),
    "PROVINCE_DECIDES": ("此事项由省级财政部门办理。", "The provincial finance office decides this."),
    "CONFIRMATION_REQUIRED": (
        "注销后不可恢复；请确认后再提交。",
        "Leaving cannot be undone; confirm it to go on.",
    ),
    "SUSPENSION_PAST": (
        "暂停的最后一日不能早于今天；请改晚。",
        "The last day of a suspension cannot lie before today.",
    ),
    "SUSPENSION_TOO_LONG": ("暂停最长 {most} 天；请改早。", "A suspension lasts at most {most} days; choose an earlier day."),
    "CONSENT_NEEDED": (
        "隐私条款已更新（{version}）；请阅读并同意后再提交。",
        "The privacy terms have changed ({version}); read and accept them, then submit.",
    ),
    "NOTICE_OVER": (
        "该公示已结束，不再受理异议；如有问题请向省级财政部门反映。",
        "This notice is over and takes no more objections; write to the provincial finance office instead.",
    ),
    "ALREADY_SETTLED": ("该异议已处理：{state}；请刷新后查看。", "This objection was settled before ({state}). Reload to see it."),
    "OWN_OBJECTION": ("不能处理本人提出的异议；请由其他人员办理。", "Nobody settles their own objection; another officer must do it."),
    "NAMES_OBJECTOR": (
        "处理理由可能为专家所见，不得包含异议人的联系方式；请删除。",
        "The expert may read the reasons; take the objector's telephone number out of them.",
    ),
    "PATH_UNKNOWN": (
        "这不是资料中的一项；请使用资料项的路径。",
        "This names nothing in the profile; give the path of a field, as `Profile.missing` does.",
    ),
    "ENTRY_UNKNOWN": (
        "所提交的资料中该节只有 {count} 项，路径中的序号从 0 起；请核对。",
        "The submitted profile has {count} entries in this section; indexes in paths begin with 0.",
    ),
    "REASONS_REQUIRED": ("请至少指出一处需要修改的内容。", "Name at least one field that must be changed."),
    "CASE_NOT_YOURS": (
        "此申请目前不由您所在部门办理，不能查看明文。",
        "Your office does not have this case now, so the data stay masked.",
    ),
    "DECLARATION_REQUIRED": ("请先阅读并同意此项声明。", "Read and accept this declaration first."),
    "POOL_NOT_SELECTABLE": (
        "该区划没有专家库，或者其专家库已撤并；请选择本省可选的区划。",
        "This division keeps no pool, or its pool was closed; choose a selectable division of the province.",
    ),
    "STAFF_MAY_NOT_APPLY": ("财政部门工作人员不能担任评审专家。", "Staff of finance offices cannot be experts."),
    # Lists and pages
    "TOO_MANY": ("最多 {maximum} 项；请减少。", "At most {maximum}; send fewer."),
    "CURSOR_INVALID": ("分页位置无效；请从第一页重新开始。", "The cursor does not belong to this list; start from the first page."),
    "PAGE_FIRST_AND_LAST": ("first 与 last 只能选用一个。", "Use either first or last."),
    "PAGE_SIZE": ("每页数量应在 0 到 {maximum} 之间。", "A page has 0 to {maximum} items."),
    "YEAR_RANGE": ("年份应在 {least} 到 {most} 之间。", "The year must lie between {least} and {most}."),
    # Working calendar
    "CALENDAR_EMPTY": ("请列出该年与周一至周五不同的日期。", "List the days of the year that differ from Monday to Friday."),
    "CALENDAR_OTHER_YEAR": ("该日期不在 {year} 年；请核对。", "This day does not lie in {year}; check it."),
    "CALENDAR_NO_EXCEPTION": (
        "工作日不需标为上班，周末不需标为休息；请删除或更正。",
        "A weekday is worked and a weekend is off anyway; remove this day or correct its kind.",
    ),
    # Offices
    "OWN_ACCOUNT": (
        "不能对本人的账号这样操作；请由另一位管理员办理。",
        "Nobody does this to their own account; another administrator must.",
    ),
    "CLAIM_NOT_HELD": ("您尚未领取此申请，无法移交；请先领取。", "You do not hold this case; claim it before you hand it over."),
    "HAND_OVER_UNFIT": (
        "此人不能审核该申请；请选择可办理此环节的其他同事。",
        "This person cannot decide the case; choose another colleague who can decide this stage.",
    ),
    "MESSAGE_ON_ITS_WAY": ("该短信仍在发送中；请等待结果后再重发。", "The message is still on its way; wait for what becomes of it."),
    "MESSAGE_NOT_RESENT": ("验证码不能重发；请由本人重新获取。", "A code is not sent again; its owner asks for a new one."),
    "RECIPIENT_LEFT": (
        "收信人的账号已停用或注销，不能重发；请以其他方式联系本人。",
        "The account of its reader can be used no more; reach the person in another way.",
    ),
    # Schedule
    "SCHEDULE_FORMAL_ONLY": ("入库成为正式专家后方可维护日程。", "Only formal experts keep a schedule; it opens with your admission."),
    "SCHEDULE_OVERLAP": (
        "与日程中 {day} {half}已有的时段重叠；请调整时间，或先修改原有时段。",
        "It overlaps another period on {day} ({half}); choose other times or change that period first.",
    ),
    "SCHEDULE_TOO_LONG": ("最长 {most} 天；请缩短或分段填写。", "At most {most} days; make it shorter or give it in parts."),
    "SCHEDULE_TOO_FAR": (
        "只能填写今后 {most} 天之内开始的时段；请改早。",
        "A period begins within {most} days from now; choose an earlier one.",
    ),
    "SCHEDULE_PAST": ("该时段已过去；请填写今天或以后的日期。", "The period is over; give one that ends today or later."),
    "SCHEDULE_MEETS_ITSELF": (
        "每周重复的时段应短于一周，否则会与下一次重叠；请缩短。",
        "A period that comes again every week must be shorter than a week; make it shorter.",
    ),
    "SCHEDULE_FULL": (
        "日程最多保存 {maximum} 个时段；请先删除不再需要的时段。",
        "A schedule holds at most {maximum} periods; remove some first.",
    ),
    "RANGE_TOO_LONG": ("一次最多查询 {most} 天；请缩短范围。", "At most {most} days at once; ask for fewer."),
    # Organisations
    "CREDIT_CODE_FORMAT": (
        "统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z）；请按营业执照或法人证书填写。",
        "The unified social credit code has 18 digits or capitals (no I, O, S, V, Z); copy it from the organisation's certificate.",
    ),
    "CREDIT_CODE_CHECK_DIGIT": (
        "统一社会信用代码的校验位不符，可能有一位输错；请逐位核对。",
        "The check digit does not fit, a place may be mistyped; compare the code with the certificate place by place.",
    ),
    # Telephone, post, e-mail
    "PHONE_FORMAT": ("电话号码无法识别；请填写如 13812345678。", "This is no telephone number; write it like 13812345678."),
    "PHONE_NOT_MAINLAND": ("仅支持中国内地的号码；请更换。", "Only numbers of mainland China can be used; enter another."),
    "PHONE_NOT_MOBILE": (
        "请填写能接收短信的手机号码，不能是固定电话或服务号码。",
        "Enter a mobile number that takes SMS, no fixed line or service number.",
    ),
    "PHONE_NOT_PERSONAL": ("请填写手机或固定电话号码，不能是服务号码。", "Enter a mobile or fixed-line number, no service number."),
    "EMAIL_FORMAT": ("电子邮箱格式不正确；请填写如 name@example.com。", "This is no e-mail address; write it like name@example.com."),
    "POSTCODE_FORMAT": ("邮政编码应为 6 位数字；请核对。", "A postcode has six digits; check it."),
    # Files
    "FILE_MISSING": (
        "未收到文件；请按 GraphQL multipart 约定上传。",
        "There is no file; send it by the GraphQL multipart request convention.",
    ),
    "PURPOSE_UNKNOWN": ("请用 purpose 参数说明图片用途：{known}。", "Say in `purpose` what the image is for: {known}."),
    "FILE_EMPTY": ("文件为空；请重新选择文件。", "The file is empty; choose it again."),
    "FILE_TOO_LARGE": (
        "文件超过 {most_mib} MB；请压缩图片或降低扫描分辨率后重新上传。",
        "The file is larger than {most_mib} MB; make the image smaller or scan at a lower resolution.",
    ),
    "FILE_QUOTA": (
        "已保存的图片达到 {most} 张上限；请先删除不再使用的图片，次日再试。",
        "The limit of {most} stored images is reached; detach what is not needed and try again the next day.",
    ),
    "IMAGE_TYPE": (
        "只接受 {accepted} 图片；请将文件另存或转换为该格式后上传。",
        "Only {accepted} images are accepted; save or convert the file to that format.",
    ),
    "IMAGE_NAME": (
        "文件内容是 {kind}，与文件名的扩展名不符；请核对是否选错文件，或更正扩展名。",
        "The content is {kind} and the name says otherwise; check that it is the right file, or correct its extension.",
    ),
    "IMAGE_BROKEN": (
        "图片已损坏或不完整，无法读取；请重新扫描或导出后上传。",
        "The image is damaged or incomplete and cannot be read; scan or export it again.",
    ),
    "IMAGE_TOO_SMALL": (
        "图片为 {width}×{height} 像素，短边至少 {short}、长边至少 {long} 像素；请重新扫描或拍摄。",
        "The image has {width} by {height} pixels; the short side needs {short}, the long side {long}. Scan or photograph it again.",
    ),
    "IMAGE_TOO_MANY_PIXELS": (
        "图片为 {width}×{height} 像素，超过 {most} 像素；请降低分辨率后上传。",
        "The image has {width} by {height} pixels, more than {most} in all; make it smaller.",
    ),
    "IMAGE_BLURRED": (
        "图片可能不够清晰；如文字难以辨认，请重新扫描。",
        "The image may be blurred; scan it again if the text is hard to read.",
    ),
    "DOWNLOAD_EXPIRED": (
        "此下载地址已过期；请重新查询以获取新的地址。",
        "This download address has expired; query the file again for a new one.",
    ),
    "INSUFFICIENT_STORAGE": (
        "存储空间不足，文件未保存；请稍后重试或联系管理员。",
        "The storage is full, nothing was kept; try again later or tell the administrator.",
    ),
    # Profiles
    "STALE": (
        "资料已在别处保存过（现为第 {version} 版）；请重新读取后再修改。",
        "The profile was saved elsewhere meanwhile (now version {version}); read it again, then change it.",
    ),
    "NOTHING_CHANGED": (
        "没有需要审核的变更；请先修改资料再提交。",
        "Nothing differs from the profile in force; change something, then submit.",
    ),
    "BASE_MOVED": (
        "生效资料已有更新，此项修改所依据的资料已不是最新；请放弃草稿后重新修改，审核人员请退回。",
        "The profile in force has changed since this change was begun; discard the draft and begin anew. Reviewers: return the case.",
    ),
    "POOL_BY_DIVISION_CHANGE": (
        "正式专家的隶属区划不随资料修改；请提交变更区划申请。",
        "A formal expert's home division does not change with the profile; request a change of division instead.",
    ),
    "DIVISION_UNCHANGED": ("这已是您的隶属区划；请选择其他区划。", "This is your home division already; choose another."),
    "DIVISION_CHANGE_APART": (
        "变更区划申请已退回，不能与其他修改同时办理；请先重新提交（divisionChangeRequest）或放弃（divisionChangeGiveUp）该申请。",
        "Your change of division was returned; first send it again (divisionChangeRequest) or give it up (divisionChangeGiveUp).",
    ),
    "DRAFT_OPEN": (
        "您有未提交的资料草稿，变更区划不能与其他修改同时提交；请先提交或放弃草稿。",
        "You have an open draft, and a change of division goes by itself; submit or discard the draft first.",
    ),
    "ID_NUMBER_IN_USE": (
        "变更后的证件号码已属于其他账号，或尚在解聘后的禁止登记期内，不能生效；请退回或不予通过。",
        "The new id number is that of another account or of somebody barred after a dismissal by now; return or reject the case.",
    ),
    "ID_NUMBER_TAKEN": (
        "该证件号码不能使用；请核对。如属本人，请携带身份证件到省级财政部门办理认领。",
        "This id number cannot be used; check it. If it is yours, claim it with your identity card at the provincial finance office.",
    ),
    "REQUIRED": ("此项为必填；请填写。", "This is required; fill it in."),
    "ENTRY_REQUIRED": (
        "请指明该证书图片所属的条目。",
        "Name the entry to which this image of a certificate belongs.",
    ),
    "ENTRY_UNFIT": (
        "该条目不存在，或不接受此用途的图片；请核对条目，或按正确用途重新上传。",
        "There is no such entry, or it does not take an image of this purpose; check the entry or upload with the right purpose.",
    ),
    "NUMBER_RANGE": ("请填写 {least} 至 {most} 之间的整数。", "Enter a whole number from {least} to {most}."),
    "REPEATED": ("与前面的一项重复；请删除。", "This stands in the list already; remove it."),
    "DATE_FORMAT": ("日期应真实存在，并写作 2026-01-31 的形式。", "A day that exists is expected, written like 2026-01-31."),
    "DATE_RANGE": (
        "日期应在 {first} 至 {last} 之间；长期有效、没有截止日期的请留空，身份证件请改填 idValidLongTerm。",
        "A day from {first} to {last} is expected; leave it empty where there is no end, or say idValidLongTerm for an identity paper.",
    ),
    "INSTANT_FORMAT": (
        "时间应带时区，写作 2026-01-31T09:00:00+08:00 的形式。",
        "An instant is expected with its offset, written like 2026-01-31T09:00:00+08:00.",
    ),
    "DATE_IN_FUTURE": ("日期不能晚于今天；请核对。", "The date lies in the future; check it."),
    "DATE_BEFORE_BIRTH": ("日期应晚于出生日期；请核对。", "The date is not after the date of birth; check it."),
    "DATES_REVERSED": ("结束日期早于开始日期；请核对。", "The end lies before the beginning; check both dates."),
    "ID_VALIDITY_TWICE": (
        "证件长期有效时不应填写截止日期；请保留其一。",
        "A paper that is valid for life has no last day; keep one of the two.",
    ),
    "ID_EXPIRED": ("证件已过期；请换领新证后填写。", "The paper is no longer valid; renew it and enter the new dates."),
    "ID_EXPIRED_SINCE": (
        "证件在提交之后已过期；换领新证后，请在下次提交时更新。",
        "The paper has expired since the submission; once it is renewed, enter it with the next submission.",
    ),
    "CODE_UNKNOWN": ("代码不存在；请从列表中选择。", "There is no such code; choose from the list."),
    "CODE_RETIRED": ("该项已停用；请从现行列表中选择。", "This is no longer given out; choose from the present list."),
    "CODE_NOT_SELECTABLE": ("所选为分类标题；请选择其下的具体项。", "This is a heading; choose an entry under it."),
    "TITLE_NOT_LEAF": ("请选择最末级的具体职称。", "Choose a title of the lowest level of the tree."),
    "SPECIALTY_NOT_LEAF": ("请选择第三级的评标专业。", "Choose a specialty of the third level."),
    "DIVISION_OUTSIDE_PROVINCE": (
        "该区划不在本省；请选择本省的区划。",
        "This division lies outside the province; choose one of the province.",
    ),
    "DIVISION_IS_POOL": ("请选择实际的行政区划，而不是专家库。", "This is a pool; choose the administrative division in which you live."),
    "DIVISION_SERVED_BY": (
        "该区划的专家库为{pool}；请选择{pool}。",
        "This division is served by the pool of {pool}; choose {pool}.",
    ),
    "FILE_UNKNOWN": ("文件不存在或不属于您；请重新上传。", "There is no such file of yours; upload it again."),
    "FILE_NOT_JPEG": ("其他材料仅接受 JPEG 图片；请转换后重新上传。", "Other materials are JPEG images only; convert and upload again."),
    "IMAGE_REQUIRED": ("请上传图片。", "Upload the image."),
    "SPECIALTY_REQUIRED": ("请选择一至三个评标专业。", "Choose one to three specialties."),
    "EDUCATION_REQUIRED": ("请填写学历。", "Enter your education."),
    "HIGHEST_EDUCATION_REQUIRED": ("请标明最高学历。", "Mark which education is the highest."),
    "TITLE_OR_QUALIFICATION_REQUIRED": (
        "请填写至少一项职称；没有职称的，填写执业资格。",
        "Enter at least one title; without a title, a professional qualification.",
    ),
    "WORK_ENTRY_REQUIRED": ("请填写至少一段工作履历。", "Enter at least one employment."),
    "APPLICATION_FORM_REQUIRED": ("请上传本人签字的申请表。", "Upload the signed application form."),
    # Passwords and signing in
    "PASSWORD_LENGTH": (
        "密码应为 {shortest} 至 {longest} 个字符；请重新设置。",
        "A password has {shortest} to {longest} characters; choose another.",
    ),
    "PASSWORD_COMMON": (
        "该密码过于常见或简单，容易被猜中；请换一个。",
        "This password is common or too simple and would soon be guessed; choose another.",
    ),
    "PASSWORD_PERSONAL": (
        "密码不能包含手机号或证件号码的片段；请换一个。",
        "A password may not contain part of the phone or id number; choose another.",
    ),
    "ONE_PROOF": ("请填写密码或验证码其中一项。", "Give the password or a phone code, exactly one of them."),
    "PHONE_UNCHANGED": ("这已是您的登录手机号；请填写新的手机号。", "This is your phone already; enter the new one."),
    "SENSITIVE_DATA_NOT_ACCEPTED": (
        "处理身份证号、证件照片等敏感个人信息须经您单独同意；请勾选后重试。",
        "Id number, identity card, photograph and health need a consent of their own; tick it and send the same again.",
    ),
    "TERMS_VERSION": (
        "隐私条款已更新为 {current} 版；请阅读并同意后重试。",
        "The privacy terms in force are version {current}; read and accept them first.",
    ),
    "NOT_A_STAFF_ROLE": (
        "工作人员账号不能使用专家角色；请改选。",
        "An account of staff cannot have the role of an expert; choose another.",
    ),
    "POOL_OF_LOCAL_OFFICER": (
        "市县财政监管人员须指定一个专家库，其他人员不指定；请核对。",
        "A local officer, and nobody else, has a pool; check role and pool.",
    ),
    "POOL_INTO_ITSELF": ("专家库不能并入自身；请选择另一个专家库。", "A pool cannot be merged into itself; choose another."),
    "POOL_CLOSED": (
        "该专家库已并入{pool}；请核对。",
        "This pool was closed before, into {pool}; check the codes.",
    ),
    "POOL_MERGE_RUNNING": (
        "正有专家库并入该专家库；请在合并完成后再撤销。",
        "People of a merged pool are still on their way to this one; close it when that is done.",
    ),
    "STAFF_POOL_CLOSED": (
        "该人员所属的专家库已撤并；请先调整到现有的专家库，再启用账号。",
        "The pool of this officer has closed; move the account to another pool, then enable it.",
    ),
    # The eligibility report
    "ELIGIBILITY_AGE_UNDER": ("提交时 {age} 周岁，未满 {age_limit} 周岁。", "{age} years old at submission, under {age_limit}."),
    "ELIGIBILITY_AGE_REACHED": (
        "提交时 {age} 周岁，已满 {age_limit} 周岁。",
        "{age} years old at submission, no longer under {age_limit}.",
    ),
    "ELIGIBILITY_AGE_UNKNOWN": (
        "尚未填写证件号码，无法核对是否未满 {age_limit} 周岁。",
        "Without an id number it cannot be told whether the person is under {age_limit}.",
    ),
    "ELIGIBILITY_TITLE_SENIOR": ("具有高级专业技术职称：{title}。", "Holds a senior title: {title}."),
    "ELIGIBILITY_TITLE_MIDDLE": ("具有中级专业技术职称：{title}。", "Holds a middle title: {title}."),
    "ELIGIBILITY_TITLE_EQUAL": (
        "以执业资格“{qualification}”作为同等专业水平；请审核人员认定。",
        "A professional qualification stands in place of a title: {qualification}. Officers judge whether it is equal.",
    ),
    "ELIGIBILITY_TITLE_LOW": ("职称“{title}”未达到中级。", "The title is below middle rank: {title}."),
    "ELIGIBILITY_TITLE_NONE": ("没有职称，也没有执业资格。", "There is neither a title nor a professional qualification."),
    "ELIGIBILITY_QUALIFICATION_LAPSED": (
        "没有职称，执业资格“{qualification}”已过有效期。",
        "There is no title, and the professional qualification is no longer valid: {qualification}.",
    ),
    "ELIGIBILITY_YEARS_NOT_ASKED": ("具有高级职称，不要求从业年限。", "With a senior title no years in the field are asked for."),
    "ELIGIBILITY_YEARS_ENOUGH": (
        "从事相关领域工作 {years} 年，满 {years_required} 年。",
        "{years} years in the field, of {years_required} needed.",
    ),
    "ELIGIBILITY_YEARS_SHORT": (
        "从事相关领域工作 {years} 年，未满 {years_required} 年。",
        "{years} years in the field, short of the {years_required} needed.",
    ),
    "ELIGIBILITY_YEARS_UNKNOWN": (
        "尚未填写从业年限，无法核对是否满 {years_required} 年。",
        "Years in the field are not entered; {years_required} are needed.",
    ),
    "ELIGIBILITY_RECORD_CLEAN": ("自 {since} 起没有被解聘或暂停的记录。", "No dismissal or suspension since {since}."),
    "ELIGIBILITY_RECORD_BAD": ("自 {since} 起有被解聘或暂停的记录。", "There is a dismissal or suspension since {since}."),
    # Exports
    "EXPORT_UNDER_WAY": (
        "同类文件正在生成，请待其完成后再申请。",
        "Another export of this kind is being made; ask again when it is done.",
    ),
    "EXPORT_GONE": (
        "文件已下载、已过期或尚未生成；请重新申请导出。",
        "The file was downloaded, has expired or is not made yet; ask for it anew.",
    ),
    "EXPORT_FAILED": ("文件未能生成；请稍后重新申请。", "The file could not be made; ask for it again later."),
    "EXPORT_TOO_LARGE": (
        "清单行数过多；请设置筛选条件后重新申请。",
        "The list has too many rows; set conditions and ask again.",
    ),
    # Development mode
    "DEVELOPMENT_ONLY": (
        "此操作仅在开发模式下可用；请设置 REGISTRY_DEVELOPMENT=1 后重新启动。",
        "This works in development mode only; start with REGISTRY_DEVELOPMENT=1.",
    ),
    "CLOCK_RANGE": (
        "时钟只能向前拨，每次最多 {longest} 秒；请改小。",
        "The clock only runs forward, at most {longest} seconds at once; give less.",
    ),
    # Text
    "NAME_CHARACTERS": (
        "姓名只能使用汉字或拉丁字母，以及间隔号“·”；请按证件填写，勿用表情、数字或特殊符号。",
        "A name has Chinese characters or Latin letters and the dot ·; write it as on the card, without emoji, digits or symbols.",
    ),
    "NAME_LENGTH": (
        "姓名应为 {shortest} 至 {longest} 个字；请按证件填写。",
        "A name has {shortest} to {longest} characters; write it as on the card.",
    ),
    "TEXT_EMPTY": ("此项不能为空；请填写。", "This may not be empty; fill it in."),
    "TEXT_LENGTH": ("最多 {longest} 个字，现有 {length} 个；请缩短。", "At most {longest} characters, there are {length}; shorten it."),
    "TEXT_CHARACTERS": (
        "含有不能使用的字符（控制字符、换行、表情或无法显示的字符）；请删除后重试。",
        "There are characters that cannot be used (controls, line breaks, emoji or unreadable ones); remove them.",
    ),
}


def text(code: str, language: Language, facts: Mapping[str, Any] | None = None) -> str:
    """The text of a code with its facts filled in. KeyError for a code or fact that does not exist: a fault of ours, not of the reader."""
    zh, en = MESSAGES[code]
    shown = {name: _shown(value, language) for name, value in (facts or {}).items()}
    return (zh if language == "zh" else en).format_map(shown)


def in_words(refusal: Refusal, language: Language) -> str:
    """A refusal where nobody can be shown its facts: each field on a line of its own, behind its path."""
    if isinstance(refusal, InvalidInput):
        return "\n".join(f"{each.path}: {text(each.code, language, each.facts)}" for each in refusal.problems)
    return text(refusal.wording, language, refusal.facts)


def _shown(value: Any, language: Language) -> str:
    match value:
        case Vocabulary():
            return value.zh if language == "zh" else value.value.replace("_", " ").lower()
        case list() | tuple():
            items = [_shown(each, language) for each in value]
            return ("、" if language == "zh" else ", ").join(items) or ("无" if language == "zh" else "none")
        case datetime():
            return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") + ("" if language == "zh" else " Beijing time")
        case timedelta():
            return _span(math.ceil(value.total_seconds()), language)
        case _:
            return str(value)


def _span(seconds: int, language: Language) -> str:
    """A span as one would say it, rounded up: 86076 seconds are 24 hours."""
    size, zh, en = next((each for each in _UNITS if seconds >= 2 * each[0]), _UNITS[-1])
    number = math.ceil(seconds / size)
    return f"{number} {zh}" if language == "zh" else f"{number} {en}{'' if number == 1 else 's'}"


_UNITS = ((3600, "小时", "hour"), (60, "分钟", "minute"), (1, "秒", "second"))

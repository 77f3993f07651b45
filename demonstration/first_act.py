"""The first act: from phone code to formal expert, played by several people over HTTP, WebSocket and event stream."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from demonstration import images
from demonstration import operations as op
from demonstration.client import SurpriseError
from demonstration.people import PASSWORD, Person, expect, paint, short, step
from domain.actions.demonstration import ACCOUNTS
from domain.rules.identity import check_digit
from models.enums import Role


class FirstAct:
    """The path, in the order of the guide."""

    def __init__(self, origin: str) -> None:
        chance = random.SystemRandom()
        self.origin = origin
        self.visitor = Person("访客", origin)
        self.expert = Person("申请人", origin)
        self.phone = f"139{chance.randrange(10**8):08}"
        body = f"220102{chance.randrange(1965, 1985)}0{chance.randrange(1, 10)}1{chance.randrange(10)}{chance.randrange(1, 1000):03}"
        self.id_number = body + check_digit(body)
        self.local, self.second, self.final = (self._officer(role, nth) for role, nth in _OFFICERS)
        self.case = ""

    def _officer(self, role: Role, nth: int) -> Person:
        account = [each for each in ACCOUNTS if each.role is role][nth]
        person = Person(account.name, self.origin)
        person.sign_in(account.phone, password=account.password)
        return person

    def play(self) -> None:
        """All steps; raises SurpriseError."""
        self.look_around()
        self.register()
        self.fill_in()
        self.submit()
        self.return_and_resubmit()
        self.pass_reviews()
        self.run_notice()

    def look_around(self) -> None:
        """What everybody may see."""
        step("访客查看公开信息", "a visitor looks around")
        data = self.visitor.query(op.PUBLIC)
        self.terms = data["privacyTermsVersion"]
        expect("长春市 is among the divisions", "长春市" in [each["name"] for each in data["divisions"]], wanted=True)

    def code(self, purpose: str, phone: str | None = None) -> str:
        """Ask for a phone code and read it, as the phone would show it."""
        self.visitor.change(op.PHONE_CODE_SEND, "PhoneCodeSent", phone=phone or self.phone, purpose=purpose)
        found = self.eventually(lambda: self.messages("PHONE_CODE", phone))
        [digits] = re.findall(r"\d{6}", found[0]["text"])[:1]
        return str(digits)

    def messages(self, template: str, phone: str | None = None) -> list[dict[str, Any]]:
        """Messages of one kind to a phone, the applicant's if none is named, the newest first."""
        data = self.visitor.client.ask(op.MESSAGES, {"phone": phone or self.phone})
        return [each for each in data["developmentMessages"] if each["template"] == template]

    @staticmethod
    def eventually(look: Callable[[], Any], seconds: float = 20) -> Any:
        """What `look` finds as soon as it finds something."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise SurpriseError(f"nothing came within {seconds:.0f} s")
            time.sleep(0.2)
        return found

    def register(self) -> None:
        """Phone code, registration, signing in."""
        step("注册：手机验证码、基本信息、同意隐私条款", "registration")
        given = {"phone": self.phone, "password": PASSWORD, "name": "王演示", "termsVersion": self.terms, "sensitiveDataAccepted": True}
        refused = self.visitor.change(op.ACCOUNT_REGISTER, "InvalidInput", **given, idNumber="220102197001010000", code="000000")
        expect("a wrong check digit is told on its path", [each["path"] for each in refused["fields"]], ["idNumber"])
        made = self.visitor.change(op.ACCOUNT_REGISTER, "Account", **given, idNumber=self.id_number, code=self.code("REGISTER"))
        expect("role", made["role"], "EXPERT")
        step("登录", "signing in")
        viewer = self.expert.sign_in(self.phone, password=PASSWORD)
        expect("standing", viewer["expert"]["standing"], "TEMPORARY")

    def fill_in(self) -> None:
        """Every section, with images."""
        step("填写基本信息", "basic info")
        me = self.expert
        refused = me.change(op.BASIC_INFO_SAVE, "InvalidInput", name="王😀", residenceCode="110101")
        expect("both problems are told at once", sorted(each["path"] for each in refused["fields"]), ["name", "residenceCode"])
        me.change(op.BASIC_INFO_SAVE, "Profile", **BASIC_INFO)
        step("填写评标信息", "evaluation info")
        me.change(op.EVALUATION_INFO_SAVE, "Profile", **_EVALUATION_INFO)
        step("学历、职称、工作履历、执业资格", "education, title, work history, qualification")
        education = me.change(op.EDUCATION_SAVE, "Education", **_EDUCATION)["id"]
        title = me.change(op.TITLE_SAVE, "TitleEntry", **_TITLE)["id"]
        me.change(op.WORK_ENTRY_SAVE, "WorkEntry", **_WORK)
        qualification = me.change(op.QUALIFICATION_SAVE, "QualificationEntry", **_QUALIFICATION)["id"]
        step("上传图片", "images, by the multipart convention and as a plain stream")
        pictures = {
            "PORTRAIT": (images.portrait(), None),
            "ID_FRONT": (images.card(["NAME", "220102"], face=True), None),
            "ID_BACK": (images.card(["AUTHORITY", "2016-2046"], face=False), None),
            "EDUCATION": (images.certificate("DIPLOMA", ["JILIN UNIVERSITY"]), education),
            "TITLE": (images.certificate("TITLE", ["ASSOCIATE PROFESSOR"], seed=1), title),
            "QUALIFICATION": (images.certificate("QUALIFICATION", ["CERTIFIED ACCOUNTANT"], seed=2), qualification),
        }
        for purpose, (picture, entry) in pictures.items():
            file = me.upload(purpose, images.jpeg(picture))
            me.change(op.FILE_ATTACH, "Profile", fileId=file["id"], entryId=entry)
        lacking = self.my_case()["draftProfile"]["missing"]
        expect("what is still missing", [each["path"] for each in lacking], ["otherMaterials"])
        form = me.client.stream_file("OTHER", "申请表.jpg", images.jpeg(images.certificate("APPLICATION FORM", ["SIGNED"], seed=3)))
        print(f"  {paint('33', me.name)} → POST /files?purpose=OTHER\n    ← {short(form)}")
        me.change(op.FILE_ATTACH, "Profile", fileId=form["file"]["id"])
        expect("nothing is missing", self.my_case()["draftProfile"]["missing"], [])

    def my_case(self) -> dict[str, Any]:
        """The applicant's own view."""
        found: dict[str, Any] = self.expert.query(op.MY_CASE)["viewer"]["expert"]
        return found

    def submit(self) -> None:
        """Submission, seen by the office at once."""
        step("提交申请；初审机关实时看到", "submission; the office sees it at once")
        self.case = self.my_case()["applications"]["nodes"][0]["id"]
        self.queue = self.local.client.socket(op.QUEUE_CHANGED)
        self.listen()
        sent = self.send()
        expect("stage", (sent["stage"], sent["round"]), ("FIRST_REVIEW", 1))
        event = self.queue.next()["queueChanged"]
        expect("the office's socket heard", (event["application"]["id"] == self.case, event["stage"]), (True, "FIRST_REVIEW"))
        self.heard("FIRST_REVIEW")
        again = self.expert.change(op.APPLICATION_SUBMIT, "IllegalMove", **self.declared())
        expect("a second submission is refused", again["code"], "ILLEGAL_MOVE")

    def listen(self) -> None:
        """Follow the applicant's case in both ways there are."""
        self.moved = self.expert.client.socket(op.APPLICATION_MOVED)
        self.streamed = self.expert.client.events(op.APPLICATION_MOVED)
        time.sleep(0.5)  # nothing tells a client that a subscription has begun

    def declared(self) -> dict[str, Any]:
        """Input of a submission."""
        return {"applicationId": self.case, "commitmentAccepted": True, "avoidanceAccepted": True}

    def send(self) -> dict[str, Any]:
        """Submit the case."""
        return self.expert.change(op.APPLICATION_SUBMIT, "Application", **self.declared())

    def heard(self, stage: str) -> None:
        """Both of the applicant's subscriptions must bring this stage next."""
        for name, listening in (("WebSocket", self.moved), ("event stream", self.streamed)):
            expect(f"the applicant's {name} heard", listening.next()["applicationMoved"]["stage"], stage)

    def decide(self, officer: Person, stage: str, wanted: str, opinion: str | None = None) -> None:
        """Approve at a stage, after finding the case in the officer's queue."""
        mine = self.in_queue(officer)
        expect("the case is in the queue, to be decided", mine["availableMoves"], ["APPROVE", "RETURN", "REJECT"])
        done = officer.change(op.APPLICATION_APPROVE, "Application", applicationId=self.case, stage=stage, opinion=opinion)
        expect("stage", done["stage"], wanted)
        self.heard(wanted)

    def in_queue(self, officer: Person) -> dict[str, Any]:
        """The case as it stands in the officer's queue."""
        found = officer.query(op.QUEUE, search="王演示")["applications"]["nodes"]
        mine: list[dict[str, Any]] = [each for each in found if each["id"] == self.case]
        if len(mine) != 1:
            raise SurpriseError("the case is not in the queue")
        return mine[0]

    def return_and_resubmit(self) -> None:
        """First review passes, second review sends back, the applicant mends."""
        step("初审：领取申请、查看图片、通过", "first review: claim, look at an image, approve")
        claimed = self.local.change(op.APPLICATION_CLAIM, "Application", applicationId=self.case)
        expect("the claim is mine", claimed["claim"]["mine"], wanted=True)
        basic = self.in_queue(self.local)["profile"]["basicInfo"]
        kind, _ = self.local.client.load(basic["portrait"]["url"])
        expect("the portrait comes as", kind, "image/jpeg")
        expect("the id number is masked", "*" in basic["idNumberMasked"], wanted=True)
        self.decide(self.local, "FIRST_REVIEW", "SECOND_REVIEW", "材料齐全，同意。")
        late = self.local.change(op.APPLICATION_APPROVE, "AlreadyReviewed", applicationId=self.case, stage="FIRST_REVIEW")
        expect("deciding the same review again tells where the case is", late["stage"], "SECOND_REVIEW")
        step("复审：退回，逐项说明理由", "second review: returned with reasons")
        reasons = [{"path": "titles.0.certificate", "text": "证书图片不清晰，请重新上传。"}]
        said = {"stage": "SECOND_REVIEW", "opinion": "请补正后重新提交。", "reasons": reasons}
        self.second.change(op.APPLICATION_RETURN, "Application", applicationId=self.case, **said)
        self.heard("RETURNED")
        told = self.my_case()["applications"]["nodes"][0]
        expect("the applicant reads the reason", told["records"][-1]["fieldReasons"], reasons)
        expect("and was told by SMS", len(self.eventually(lambda: self.messages("RETURNED"))), 1)
        step("补正并重新提交", "mended and submitted again")
        titles = self.expert.query(op.MY_TITLES)["viewer"]["expert"]["draftProfile"]["titles"]
        mended = _TITLE | {"id": titles[0]["id"], "issuer": "吉林省人力资源和社会保障厅"}
        self.expert.change(op.TITLE_SAVE, "TitleEntry", **mended)
        sent = self.send()
        expect("stage", (sent["stage"], sent["round"]), ("FIRST_REVIEW", 2))
        self.heard("FIRST_REVIEW")

    def pass_reviews(self) -> None:
        """The second round."""
        step("初审、复审、终审", "first, second and final review")
        self.decide(self.local, "FIRST_REVIEW", "SECOND_REVIEW")
        self.decide(self.second, "SECOND_REVIEW", "FINAL_REVIEW", "同意。")
        refused = self.second.change(op.APPLICATION_APPROVE, "NotAllowed", applicationId=self.case, stage="FINAL_REVIEW")
        expect("the same officer may not do the final review", refused["code"], "OTHER_OFFICER_REQUIRED")
        self.decide(self.final, "FINAL_REVIEW", "PUBLICITY", "同意入库。")

    def run_notice(self) -> None:
        """The notice runs, the clock is moved, the worker closes it."""
        step("公示", "public notice")
        expect("the public list names the applicant", self.is_listed(), wanted=True)
        notice = self.my_case()["applications"]["nodes"][0]["notice"]
        expect("working days counted", len(notice["daysCounted"]), 5)
        self.object()
        now = self.visitor.change(op.CLOCK_MOVE, "DevelopmentClockMoved", seconds=0)["now"]
        left = (datetime.fromisoformat(notice["closesAt"]) - datetime.fromisoformat(now)).total_seconds()
        step(f"时钟拨快 {left / 86400:.1f} 天（仅开发模式）", "the clock is moved past the window (development mode only)")
        self.visitor.change(op.CLOCK_MOVE, "DevelopmentClockMoved", seconds=int(left) - 60)
        expect("in its last minute the public list names the applicant", self.is_listed(), wanted=True)
        self.expert.sign_in(self.phone, password=PASSWORD)  # a notice over long holidays outlives the session
        self.listen()
        self.visitor.change(op.CLOCK_MOVE, "DevelopmentClockMoved", seconds=62)
        self.heard("ADMITTED")
        step("成为正式专家，短信通知", "a formal expert, told by SMS")
        me = self.my_case()
        expect("standing", me["standing"], "FORMAL")
        expect("pool", me["pool"]["name"], "长春市本级")
        message = self.eventually(lambda: [each for each in self.messages("ADMITTED") if each["state"] == "SENT"])[0]
        expect("the SMS names the expert number", me["number"] in message["text"], wanted=True)
        print(f"  {paint('35', '✉')} {message['text']}")
        expect("the public list is without the applicant", self.is_listed(), wanted=False)

    def object(self) -> None:
        """Somebody objects; the province settles it while the notice goes on."""
        step("异议：凭手机验证码提出，省级处理", "an objection by phone code, settled by the province")
        phone = f"137{random.SystemRandom().randrange(10**8):08}"
        [notice] = [each["id"] for each in self.visitor.query(op.NOTICES)["publicNotices"]["nodes"] if each["name"] == "王演示"]
        given = {"noticeId": notice, "phone": phone, "code": self.code("OBJECT", phone), "text": "该人曾参与本人所在单位的评审，请核实。"}
        received = self.visitor.change(op.OBJECTION_RAISE, "ObjectionReceived", **given)
        raised = self.final.query(op.OBJECTIONS_OF, id=self.case)["application"]["objections"]
        expect(
            "the province reads it, and of the objector a masked phone",
            [(each["state"], "*" in each["phoneMasked"]) for each in raised],
            [("OPEN", True)],
        )
        expect("the receipt is the same", raised[0]["receipt"], received["receipt"])
        settled = {"objectionId": raised[0]["id"], "upheld": False, "reasons": "经核实，不属于回避情形，异议不成立。"}
        self.final.change(op.OBJECTION_SETTLE, "Objection", **settled)
        expect("the applicant learns nothing of it", self.expert.query(op.OBJECTIONS_OF, id=self.case)["application"]["objections"], [])

    def is_listed(self) -> bool:
        """Whether the applicant stands on the public list."""
        listed = self.visitor.query(op.NOTICES)["publicNotices"]["nodes"]
        return "王演示" in [each["name"] for each in listed]


_OFFICERS = ((Role.LOCAL_OFFICER, 0), (Role.PROVINCIAL_OFFICER, 0), (Role.PROVINCIAL_OFFICER, 1))
BASIC_INFO = {
    "idType": "RESIDENT_ID",
    "idValidFrom": "2016-05-01",
    "idValidUntil": "2046-05-01",
    "ethnicGroup": "01",
    "politicalAffiliation": "13",
    "health": "GOOD",
    "residenceCode": "220102",
    "address": "吉林省长春市南关区人民大街 1 号",
    "postcode": "130000",
    "employer": "吉林大学",
    "employerKind": "INSTITUTION",
    "workStatus": "EMPLOYED",
    "workingSince": "2005-07-01",
    "yearsInField": 20,
    "source": "SELF",
}
_EVALUATION_INFO = {
    "homePoolCode": "220199",
    "specialties": ["A01010000", "A01020000"],
    "avoidanceUnits": [{"name": "长春某工程咨询公司", "relation": "配偶任职"}],
}
_EDUCATION = {
    "school": "吉林大学",
    "startedOn": "2001-09-01",
    "endedOn": "2005-07-01",
    "major": "土木工程",
    "level": "21",
    "mode": "FULL_TIME",
    "certificateNumber": "101831200505000001",
    "isHighest": True,
}
_TITLE = {"titleCode": "T01012", "certificateNumber": "ZC2015001", "obtainedOn": "2015-12-01", "issuer": "吉林省人社厅"}
_WORK = {"startedOn": "2005-07-01", "employer": "吉林大学", "post": "副教授", "duties": "教学、科研与工程咨询"}
_QUALIFICATION = {"qualificationCode": "Q104", "certificateNumber": "ZY2018001", "obtainedOn": "2018-06-01", "issuer": "财政部"}

"""The second act: what a formal expert does afterwards, up to leaving and registering again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demonstration import operations as op
from demonstration.first_act import BASIC_INFO, FirstAct
from demonstration.people import PASSWORD, Person, expect, step
from domain.actions.demonstration import ACCOUNTS
from models.enums import Role

_DECLARED = {"commitmentAccepted": True, "avoidanceAccepted": True}


class SecondAct:
    """Goes on where the first act ended, with its people signed in anew: days have passed."""

    def __init__(self, first: FirstAct) -> None:
        self.first = first
        self.expert = first.expert
        self.receiving = self._signed_in(Role.LOCAL_OFFICER, 1)
        self.local, self.second, self.final = (
            self._signed_in(role, nth)
            for role, nth in ((Role.LOCAL_OFFICER, 0), (Role.PROVINCIAL_OFFICER, 0), (Role.PROVINCIAL_OFFICER, 1))
        )

    def _signed_in(self, role: Role, nth: int) -> Person:
        account = [each for each in ACCOUNTS if each.role is role][nth]
        person = Person(account.name, self.first.origin)
        person.sign_in(account.phone, password=account.password)
        return person

    def play(self) -> None:
        """All steps; raises SurpriseError."""
        self.expert.sign_in(self.first.phone, password=PASSWORD)
        self.change()
        self.move()
        self.keep_schedule()
        self.take_form()
        self.leave()
        self.come_back()

    def change(self) -> None:
        """A new employer goes through the three reviews; the officer sees what differs, and asks for the phone in clear."""
        step("信息变更：新的工作单位，审核人看到差异", "a change of profile; reviewers see what differs")
        self.expert.change(op.BASIC_INFO_SAVE, "Profile", **BASIC_INFO | {"employer": "东北师范大学"})
        case = self.expert.change(op.CHANGE_SUBMIT, "Application", **_DECLARED)["id"]
        found = self.local.query(op.DIFFERENCE, id=case)["application"]["difference"]["fields"]
        expect("what differs", [(each["before"], each["after"]) for each in found], [("吉林大学", "东北师范大学")])
        step("查阅：审核人因办理需要查看明文，本人可见记录", "an officer asks for data in clear; the person reads who looked")
        asked = {"applicationId": case, "fields": ["PHONE"], "reason": "电话核实工作单位变更"}
        revealed = self.local.change(op.EXPERT_REVEAL, "PersonalDataRevealed", **asked)
        expect("the phone in clear ends as it should", revealed["phone"][-4:], self.first.phone[-4:])
        look = self.expert.query(op.CLEAR_READS)["viewer"]["clearReads"]["nodes"][0]
        expect("the expert reads who looked", (look["readerName"], look["fields"], look["reason"]), ("刘初审", ["PHONE"], asked["reason"]))
        expect("until it is applied the former employer holds", self.employer(), "吉林大学")
        self.pass_reviews(case, self.local)
        expect("now the new one does", self.employer(), "东北师范大学")

    def employer(self) -> str:
        """The employer that is in force."""
        found: str = self.expert.query(op.IN_FORCE)["viewer"]["expert"]["effectiveProfile"]["basicInfo"]["employer"]
        return found

    def pass_reviews(self, case: str, first: Person) -> None:
        """Three approvals up to APPLIED."""
        for officer, stage, wanted in (
            (first, "FIRST_REVIEW", "SECOND_REVIEW"),
            (self.second, "SECOND_REVIEW", "FINAL_REVIEW"),
            (self.final, "FINAL_REVIEW", "APPLIED"),
        ):
            expect("stage", officer.change(op.APPLICATION_APPROVE, "Application", applicationId=case, stage=stage)["stage"], wanted)

    def move(self) -> None:
        """The receiving office reviews first; the one that is left only follows."""
        step("变更区划：接收地初审，原所在地可见", "a change of division: the receiving office reviews first")
        given = {"divisionCode": "220299", "reason": "调往吉林市工作。", **_DECLARED}
        case = self.expert.change(op.DIVISION_CHANGE_REQUEST, "Application", **given)["id"]
        refused = self.local.change(op.APPLICATION_APPROVE, "NotAllowed", applicationId=case, stage="FIRST_REVIEW")
        expect("the office that is left does not decide", refused["code"], "OTHER_OFFICE_DECIDES")
        self.pass_reviews(case, self.receiving)
        expect("pool", self.first.my_case()["pool"]["name"], "吉林市本级")

    def keep_schedule(self) -> None:
        """Away for a day: not drawn on it."""
        step("日程管理：请假的日子不被抽取", "the schedule: nobody is drawn while away")
        away = self.today() + timedelta(days=7)
        day = away.isoformat()
        self.expert.change(op.SCHEDULE_SAVE, "SchedulePeriod", availability="UNAVAILABLE", firstDate=day, lastDate=day, reason="外出讲学")
        expect("drawn on that day", self.is_available(away), wanted=False)
        expect("drawn on the next", self.is_available(away + timedelta(days=1)), wanted=True)

    def today(self) -> date:
        """By the registry's clock."""
        now = self.first.visitor.change(op.CLOCK_MOVE, "DevelopmentClockMoved", seconds=0)["now"]
        return datetime.fromisoformat(now).astimezone(ZoneInfo("Asia/Shanghai")).date()

    def is_available(self, day: date) -> bool:
        """Whether the receiving office finds the expert among those who can be drawn."""
        number = self.first.my_case()["number"]
        found = self.receiving.query(op.AVAILABLE_EXPERTS, date=day.isoformat())["availableExperts"]["nodes"]
        return number in [each["number"] for each in found]

    def take_form(self) -> None:
        """The application form, made by the worker."""
        step("申请表：由系统生成 PDF", "the application form as PDF")
        profile = self.expert.query(op.IN_FORCE)["viewer"]["expert"]["effectiveProfile"]["id"]
        self.expert.change(op.APPLICATION_FORM_EXPORT, "Export", profileId=profile)
        url = self.first.eventually(self._form_address, 60)
        expect("it comes as", self.expert.client.load(url)[0], "application/pdf")

    def _form_address(self) -> Any:
        [newest] = self.expert.client.ask(op.EXPORTS)["exports"]["nodes"]
        return newest["url"]

    def leave(self) -> None:
        """Left at once, without review."""
        step("注销：手机验证码确认，立即生效", "leaving, confirmed by a phone code, at once")
        self.expert.change(op.EXPERT_DEREGISTER, "ExpertDeregistered", code=self.first.code("DEREGISTER"), confirm=True)
        refused = self.first.visitor.change(
            op.SESSION_OPEN, "SignInRefused", phone=self.first.phone, password=PASSWORD, transport="BEARER", device="demonstration"
        )
        expect("signing in is refused", refused["code"], "SIGN_IN_REFUSED")

    def come_back(self) -> None:
        """The same id number, a new account; the province sees the link."""
        step("重新注册：新账号，省级看到关联", "registering again; the province sees the link")
        self.first.local = self.local
        self.first.visitor.change(op.CLOCK_MOVE, "DevelopmentClockMoved", seconds=61)  # a phone gets one code a minute
        self.first.register()
        self.first.fill_in()
        self.first.submit()
        former = self.final.query(op.FORMER_REGISTRATIONS, id=self.first.case)["application"]["expert"]["formerRegistrations"]
        expect("the earlier registration", [each["standing"] for each in former], ["DEREGISTERED"])

"""Invented people and employers whose names, numbers and codes are well-formed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

from stdnum.cn import uscc

from domain.rules.identity import check_digit
from models.enums import EmployerKind

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_GIVEN_MALE = "伟强磊军勇杰涛明超刚平辉鹏飞建国华志文斌波宇浩凯健俊帆龙林海峰旭东升武振宏利民永祥德义信仁成栋梁松柏"
_GIVEN_FEMALE = "芳娜敏静丽艳娟霞秀英玲桂兰红梅燕萍洁雪琳慧颖莉倩婷怡晶欣瑶岚淑珍凤琴云莲真环蓉眉君薇菁梦"
_TOWNS = "长春 吉林 四平 辽源 通化 白山 松原 白城 延吉 梅河口 公主岭 珲春 敦化 农安 榆树 德惠 蛟河 桦甸 磐石 舒兰".split()  # noqa: SIM905  a quoted list reads worse
_TRADES = "建筑 市政 水利 公路 铁路 电力 通信 机械 化工 医药 农业 林业 测绘 环保 信息 软件 物流 园林 消防 监理 造价 勘察".split()  # noqa: SIM905
_KINDS = (
    ("{town}市第{number}{trade}工程有限公司", EmployerKind.PRIVATE_ENTERPRISE, "91"),
    ("{town}{trade}集团有限责任公司", EmployerKind.STATE_ENTERPRISE, "91"),
    ("{town}市{trade}设计研究院", EmployerKind.INSTITUTION, "12"),
    ("吉林省{trade}工程咨询有限公司{town}分公司", EmployerKind.PRIVATE_ENTERPRISE, "91"),
    ("{town}{trade}职业技术学院", EmployerKind.INSTITUTION, "12"),
    ("{town}市{trade}质量监督站", EmployerKind.INSTITUTION, "12"),
    ("{town}{trade}学会", EmployerKind.SOCIAL_ORGANISATION, "51"),
)
_NUMBERS = "一二三四五六七八九十"

SCHOOLS = (
    "吉林大学", "东北师范大学", "长春理工大学", "长春工业大学", "吉林建筑大学", "东北电力大学", "延边大学", "北华大学",
    "哈尔滨工业大学", "大连理工大学", "东北大学", "清华大学", "天津大学", "同济大学", "吉林农业大学", "长春工程学院",
    "吉林师范大学", "长春中医药大学", "东北林业大学", "沈阳建筑大学",
)  # fmt: skip
MAJORS = (
    "土木工程", "工程管理", "给排水工程", "电气工程及其自动化", "机械设计制造及其自动化", "计算机科学与技术", "水利水电工程",
    "道路桥梁与渡河工程", "建筑学", "会计学", "临床医学", "药学", "农学", "环境工程", "通信工程", "测绘工程", "化学工程与工艺",
    "园林", "法学", "软件工程",
)  # fmt: skip
POSTS = ("工程师", "高级工程师", "项目经理", "技术负责人", "总工程师", "副教授", "教授", "科长", "部门主任", "造价师")
DUTIES = (
    "负责工程项目的技术管理与质量控制",
    "教学与科研",
    "编制招标文件和工程量清单",
    "主持设计与图纸审查",
    "负责设备采购的技术论证",
    "现场监理与验收",
)

_FIRST_BIRTH = date(1957, 1, 1)
_BIRTH_DAYS = 12_600
_ORDERS = 999


@dataclass(frozen=True, slots=True)
class Employer:
    """An organisation with its credit code."""

    name: str
    kind: EmployerKind
    credit_code: str


@dataclass(frozen=True, slots=True)
class Person:
    """What an id card says of somebody, and the phone."""

    name: str
    female: bool
    born: date
    id_number: str
    phone: str


def person(number: int, counties: list[str], chance: Random) -> Person:
    """The `number`-th person: no two have the same id number or phone. Numbers are spread, so that neighbours do not look alike."""
    places = len(counties) * _BIRTH_DAYS * _ORDERS
    spread, order = divmod(number * 15_485_863 % places, _ORDERS)
    county, day = divmod(spread, _BIRTH_DAYS)
    born = _FIRST_BIRTH + timedelta(days=day)
    body = f"{counties[county]}{born:%Y%m%d}{order + 1:03}"
    female = order % 2 == 1  # an even order is a woman's
    given = _GIVEN_FEMALE if female else _GIVEN_MALE
    name = chance.choice(_SURNAMES) + "".join(chance.choices(given, k=1 if chance.random() < 0.2 else 2))
    return Person(name, female, born, body + check_digit(body), f"+86136{number * 48_271 % 10**8:08}")


@cache
def employers(counties: tuple[str, ...]) -> tuple[Employer, ...]:
    """All employers there are, some thousand; the same ones each time."""
    found = []
    for number in range(len(_KINDS) * len(_TOWNS) * len(_TRADES)):
        rest, kind = divmod(number, len(_KINDS))
        town, trade = divmod(rest, len(_TRADES))
        pattern, employer_kind, authority = _KINDS[kind]
        name = pattern.format(town=_TOWNS[town], trade=_TRADES[trade], number=_NUMBERS[number % len(_NUMBERS)])
        body = f"{authority}{counties[number % len(counties)]}{number:08}X"
        found.append(Employer(name, employer_kind, body + uscc.calc_check_digit(body)))
    return tuple(found)

"""Who writes to whom in the demo: two companies, their customers, newsletters and machines."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.ingest.demo.phrases import Chance


@dataclass(frozen=True, slots=True)
class Person:
    """One sender or recipient."""

    name: str
    address: str
    language: str
    title: str = ""
    company: str = ""

    @property
    def first(self) -> str:
        """What a greeting says."""
        return self.name if self.language in ("zh", "tw", "ja") else self.name.split(" ")[0]

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def mailbox(self) -> str:
        return self.address.partition("@")[0]


HARBOUR = "calderfell.example"
TRADING = "yunxi-trade.example"
_COMPANIES = {HARBOUR: "Calderfell Harbour Ltd", TRADING: "云汐远航贸易有限公司"}

_HARBOUR_STAFF = (
    ("Margaret Ashdown", "Finance Director"),
    ("Dorian Pell", "Accounts Payable"),
    ("Ingrid Solheim", "Operations Manager"),
    ("Tomasz Wrona", "Crane Supervisor"),
    ("Priya Raman", "Legal Counsel"),
    ("Callum Breck", "Harbour Master"),
    ("Owen Farthing", "Procurement"),
    ("Beatriz Salgado", "Customer Service"),
    ("Kofi Mensah", "IT Support"),
    ("Rosalind Okafor", "Human Resources"),
    ("Declan Hurley", "Safety Officer"),
    ("Leila Hartmann", "Sales"),
)
_TRADING_STAFF = (
    ("沈如岚", "shen.rulan", "会计主管"),
    ("顾维桢", "gu.weizhen", "财务总监"),
    ("黎晓舟", "li.xiaozhou", "出纳"),
    ("陆建平", "lu.jianping", "总经理"),
    ("方梓萱", "fang.zixuan", "外贸业务员"),
    ("唐海峰", "tang.haifeng", "采购经理"),
    ("宋雨桐", "song.yutong", "客户经理"),
    ("江一鸣", "jiang.yiming", "物流主管"),
    ("叶淑芬", "ye.shufen", "人事经理"),
    ("谭志远", "tan.zhiyuan", "信息技术"),
    ("白露", "bai.lu", "质检员"),
    ("曹文博", "cao.wenbo", "法务"),
)
_FIRST = [
    "Aldo",
    "Brigid",
    "Cyril",
    "Dagny",
    "Elspeth",
    "Fergus",
    "Greta",
    "Hollis",
    "Imogen",
    "Jarek",
    "Kirsten",
    "Lorcan",
    "Marit",
    "Nadia",
    "Orla",
]
_LAST_A = [
    "Ald",
    "Brant",
    "Crow",
    "Dun",
    "Elm",
    "Farn",
    "Gar",
    "Hol",
    "Kirk",
    "Lang",
    "Mar",
    "North",
    "Pen",
    "Quar",
    "Ros",
    "Stan",
    "Thorn",
    "Ves",
    "Wex",
    "Yar",
]
_LAST_B = [
    "bury",
    "dale",
    "ford",
    "gate",
    "ham",
    "lock",
    "mere",
    "ridge",
    "stead",
    "thwaite",
    "well",
    "wick",
    "wood",
    "worth",
    "by",
]
_FIRMS_A = [
    "alder",
    "brook",
    "cobalt",
    "delta",
    "ember",
    "fjord",
    "garnet",
    "heron",
    "indigo",
    "juniper",
    "kelp",
    "linden",
    "maple",
    "nimbus",
]
_FIRMS_B = [
    "freight",
    "foods",
    "lines",
    "metals",
    "paper",
    "parts",
    "steel",
    "textiles",
    "timber",
    "tools",
    "trading",
    "yards",
]
_ZH_LAST = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_ZH_FIRST = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉兰"
_TW = (("林志玲", "lin"), ("陳冠宇", "chen"), ("黃雅婷", "huang"))
_JA = (("佐藤健", "sato"), ("鈴木恵子", "suzuki"), ("田中宏", "tanaka"))

NEWSLETTERS = (
    Person("Quayside Weekly", "news@quayside-weekly.example", "en"),
    Person("Freight Barometer", "bulletin@freight-barometer.example", "en"),
    Person("外贸早知道", "daily@waimao-news.example", "zh"),
    Person("Office Supplies Direct", "offers@office-direct.example", "en"),
)
MACHINES = (
    Person("Ticket System", f"no-reply@tickets.{HARBOUR}", "en"),
    Person("Gate Control", f"noreply@gates.{HARBOUR}", "en"),
    Person("办公系统", f"no-reply@oa.{TRADING}", "zh"),
    Person("Statement Service", "do-not-reply@bank-of-skerry.example", "en"),
)
LISTS = (
    Person("Dockhands", "dockhands@lists.calderfell.example", "en"),
    Person("外贸交流", "waimao@lists.yunxi-trade.example", "zh"),
)


def staff(domain: str) -> tuple[Person, ...]:
    """Return the people of one of the two companies; the same for every seed."""
    company = _COMPANIES[domain]
    if domain == HARBOUR:
        return tuple(
            Person(name, f"{name.lower().replace(' ', '.')}@{domain}", "en", title, company)
            for name, title in _HARBOUR_STAFF
        )
    return tuple(
        Person(name, f"{box}@{domain}", "zh", title, company) for name, box, title in _TRADING_STAFF
    )


def customers(chance: Chance, count: int) -> tuple[Person, ...]:
    """Return so many outsiders, and three each from Taiwan and Japan."""
    found = [_customer(chance, number) for number in range(count)]
    found += (Person(name, f"{box}@kaohsiung-lines.example", "tw") for name, box in _TW)
    found += (Person(name, f"{box}@minato-parts.example", "ja") for name, box in _JA)
    return tuple(found)


def _customer(chance: Chance, number: int) -> Person:
    firm = f"{_pick(_FIRMS_A, chance)}-{_pick(_FIRMS_B, chance)}"
    if number % 3 == 2:
        name = _pick(_ZH_LAST, chance) + _pick(_ZH_FIRST, chance) + _pick(_ZH_FIRST, chance)
        return Person(name, f"u{number}@{firm}.example", "zh")
    last = _pick(_LAST_A, chance) + _pick(_LAST_B, chance)
    first = _pick(_FIRST, chance)
    return Person(f"{first} {last}", f"{first}.{last}{number}@{firm}.example".lower(), "en")


def _pick(pool: list[str] | str, chance: Chance) -> str:
    return pool[int(len(pool) * chance())]

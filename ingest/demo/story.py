"""The planted story of the demo: an invoice fraud told in nine mails, and a bulletin.

Its telling words occur in no template, so the generator can count what a search must find.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.ingest.demo.files import File, pdf
from holdfast.ingest.demo.people import HARBOUR, TRADING, Person, staff

BULLETINS = 12
"""Near-duplicates: the same text with one number that changes."""

_SUPPLIER = Person("Tidewrack Pilotage", "accounts@tidewrack.example", "en")
_INVOICE = pdf(
    "TW-4471.pdf",
    (
        "Tidewrack Pilotage",
        "Invoice TW-4471",
        "Mooring survey, berth seven, three days: GBP 9,800.00",
        "Seabed sonar lot nineteen: GBP 9,950.00",
        "Payable within 7 days to Gallowspan Trust, account 0071-4471",
    ),
)


@dataclass(frozen=True, slots=True)
class StoryMail:
    """One planted mail."""

    at: float
    """When, as a fraction of the whole time."""
    sender: Person
    to: tuple[Person, ...]
    subject: str
    body: str
    charset: str = "utf-8"
    answers: int = -1
    """Index of the story mail that it replies to; -1 for none."""
    files: tuple[File, ...] = ()

    def says(self, words: str) -> bool:
        """Tell whether the words occur in what a search sees, in this order, case folded."""
        people = " ".join(f"{person.name} {person.address}" for person in (self.sender, *self.to))
        files = " ".join(
            f"{file.name} {file.content.decode('ascii', 'ignore')}" for file in self.files
        )
        whole = f"{self.subject}\n{self.body}\n{people}\n{files}".casefold()
        return words.casefold() in " ".join(whole.split())


def story_mails() -> tuple[StoryMail, ...]:
    """Return the story in the order of time; the same for every seed."""
    harbour = {person.mailbox: person for person in staff(HARBOUR)}
    trading = {person.mailbox: person for person in staff(TRADING)}
    dorian, margaret = harbour["dorian.pell"], harbour["margaret.ashdown"]
    ingrid, shen = harbour["ingrid.solheim"], trading["shen.rulan"]
    li, gu = trading["li.xiaozhou"], trading["gu.weizhen"]
    return (
        StoryMail(
            0.31, _SUPPLIER, (dorian,), "Invoice TW-4471 from Tidewrack Pilotage",
            "Dear Dorian,\n\nplease find attached invoice TW-4471 for the mooring survey of berth "
            "seven.\nAs agreed, it has two lines, each below ten thousand.\n\nTidewrack Pilotage\n",
            files=(_INVOICE,),
        ),
        StoryMail(
            0.315, dorian, (_SUPPLIER,), "Re: Invoice TW-4471 from Tidewrack Pilotage",
            "Thanks. Keep every Tidewrack invoice under ten thousand, then nobody countersigns.\n"
            "I will push TW-4471 through on Friday, when Margaret is away.\n\nD.\n", answers=0,
        ),
        StoryMail(
            0.33, dorian, (shen,), "Your share",
            "Dear Ms Shen,\n\nTidewrack has been paid. Please book your half as consulting with\n"
            "the two contracts we spoke about: one for the file, one for us.\n\nDorian\n",
        ),
        StoryMail(
            0.335, shen, (li,), "一笔咨询费的处理",
            "晓舟：\n\n这笔钱走阴阳合同，发票TW-4471按咨询费入账，不要进审批系统。\n"
            "对方是Tidewrack，有人问起就说是港口的测量费。\n\n沈如岚\n", "gb2312",
        ),
        StoryMail(
            0.34, li, (shen,), "回复：一笔咨询费的处理",
            "沈姐：\n\n阴阳合同的事我有点担心，这不就是虚开发票吗？能不能先问一下顾总？\n\n黎晓舟\n\n"
            "在 2024年7月15日 09:12，沈如岚 <shen.rulan@yunxi-trade.example> 写道：\n"
            "> 这笔钱走阴阳合同，发票TW-4471按咨询费入账，不要进审批系统。\n", "gb18030", answers=3,
        ),
        StoryMail(
            0.52, ingrid, (margaret,), "A survey that nobody has seen",
            "Margaret,\n\nwe have paid Tidewrack for surveys of berth seven since spring.\n"
            "There is no berth seven, and their launch never left the slip. Could you look?\n\n"
            "Ingrid\n",
        ),
        StoryMail(
            0.53, margaret, (dorian,), "Fwd: A survey that nobody has seen",
            "Dorian, who is Tidewrack Pilotage, and who approved TW-4471?\n\nMargaret\n\n"
            "-----Original Message-----\nFrom: Ingrid Solheim\nTo: Margaret Ashdown\n"
            "Subject: A survey that nobody has seen\n\n"
            "There is no berth seven, and their launch never left the slip.\n", answers=5,
        ),
        StoryMail(
            0.532, dorian, (_SUPPLIER,), "They are asking",
            "Delete everything. They are asking about Tidewrack and about TW-4471.\n"
            "Send the rest to the account in Valletta, not to the old one.\n",
        ),
        StoryMail(
            0.61, li, (gu,), "举报：虚开发票",
            "顾总：\n\n我要举报一件事。沈如岚和Calderfell的Dorian Pell用阴阳合同虚开发票，\n"
            "供应商叫Tidewrack，钱最后转到了Valletta的账户。\n\n黎晓舟\n", "gb2312",
        ),
    )  # fmt: skip


QUERIES = (
    ("Tidewrack", "en", "The invented supplier: English and Chinese mails, and one PDF."),
    ('"TW-4471"', "en", "Its invoice number."),
    ("阴阳合同", "zh", "Double contracts: the Chinese side of the fraud."),
    ("虚开发票", "zh", "False invoicing: the word that the cashier uses."),
    ('"launch never left"', "en", "The witness, and the mail that forwards her."),
    ("Valletta", "en", "Where the money went."),
    ("Gallowspan", "en", "The bank, which only the attached PDF names."),
)
"""Query in the product's language, language of the words, what it is about."""


def bulletin(number: int) -> tuple[str, str]:
    """Return subject and body of one of the bulletins that repeat almost the same text."""
    return (
        f"Tonnage bulletin {number + 1}",
        "Good morning,\n\nthis is the tonnage bulletin. All basins are open, all cranes are in "
        f"service.\nTonnage handled since the last one: {18_240 + 37 * number} tonnes.\n"
        "There is nothing else to report.\n\nHarbour Office\n",
    )


BULLETIN_QUERY = ('"tonnage bulletin"', "en", "Twelve near-duplicates, which differ in one number.")

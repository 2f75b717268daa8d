"""The words by which WhatsApp's text exports say what a line is, in the languages that phones have.

Only lines that the program wrote itself are judged by them: those without a sender, those with its
invisible mark, and texts that are nothing but such a phrase.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from holdfast.core.kinds import Role

MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_ANY_MARK = re.compile(f"[{MARKS}]")


def _listed(words: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in words.split("|"))


FORENOON = _listed(
    "am|a.m.|a.m|vorm.|上午|凌晨|早上|清晨|午前|오전|पूर्वाह्न|ص|π.μ.|öö|pg|sa|ق.ظ.|fm|dop.|de."
)
AFTERNOON = _listed(
    "pm|p.m.|p.m|nachm.|下午|晚上|傍晚|午後|오후|अपराह्न|م|μ.μ.|ös|ptg|ch|ب.ظ.|em|odp.|du."
)
NOON, MIDNIGHT = ("中午",), ("半夜", "午夜")
FILLERS = _listed("klo|kl.|kl|um|à|às|alle|ore|at|в|о|pukul|lúc|jam|los|godz.|г.|ч.|uhr")
EAST_ASIAN = re.compile(r"[年上凌早清午下晚傍中半오]")
"""Of day times in languages that write the year first, wherever they write it."""

_DELETED = frozenset(
    _listed(
        "this message was deleted|you deleted this message|diese nachricht wurde gelöscht|"
        "du hast diese nachricht gelöscht|se eliminó este mensaje|eliminaste este mensaje|"
        "este mensaje fue eliminado|ce message a été supprimé|vous avez supprimé ce message|"
        "questo messaggio è stato eliminato|hai eliminato questo messaggio|"
        "esta mensagem foi apagada|"
        "você apagou esta mensagem|esta mensagem foi eliminada|dit bericht is verwijderd|"
        "u hebt dit bericht verwijderd|je hebt dit bericht verwijderd|данное сообщение удалено|"
        "вы удалили данное сообщение|bu mesaj silindi|bu mesajı sildiniz|"
        "ta wiadomość została usunięta|此消息已删除|您已删除此消息|你已删除此消息|你删除了此消息|"
        "您删除了此消息|此訊息已刪除|您已刪除此訊息|你已刪除此訊息|您刪除了此訊息|你刪除了這則訊息|"
        "このメッセージは削除されました|このメッセージを削除しました|삭제된 메시지입니다|"
        "이 메시지를 삭제했습니다|pesan ini telah dihapus|anda menghapus pesan ini|"
        "تم حذف هذه الرسالة|لقد حذفت هذه الرسالة|यह मैसेज हटाया गया|यह संदेश हटाया गया|"
        "tämä viesti poistettiin|detta meddelande raderades"
    )
)
_DELETED_BY = (
    "this message was deleted by admin",
    "管理员",
    "diese nachricht wurde von einem admin",
)
_EDITED = re.compile(
    r"\s*<[^<>\n]{0,60}(?:edit|bearbeit|modifi|bewerkt|редакт|измен|düzenle|edytow|redigera|muokat"
    r"|编辑|編輯|編集|수정|تعديل)[^<>\n]{0,40}>\s*\Z",
    re.IGNORECASE,
)
_OMITTED_ANDROID = re.compile(r"<[^<>:：\n]{3,60}>")
_OMITTED_IOS = re.compile(
    r"[^\n]{1,40}(?:omitted|weggelassen|ausgeschlossen|omitid[oa]s?|omise?s?|absente?s?|omess[oaie]"
    r"|ocultad[oa]s?|oculta|weggelaten|已略去|已忽略|已省略|省略|未包含|생략됨|제외됨|utelämnad|utelatt"
    r"|jätettiin pois|пропущен[оаы]?|опущен[оаы]?|dahil edilmedi)",
    re.IGNORECASE,
)
_ATTACHED_IOS = re.compile(r"<[^<>:：\n]{1,40}[:：]\s{0,3}([^<>\n/\\]{1,200}\.\w{1,8})>")
_ATTACHED_ANDROID = re.compile(r"([^\n/\\]{1,200}?\.\w{1,8}) \(([^()\n]{3,40})\)")
_OWN_NAMES = re.compile(r"(?:IMG|VID|AUD|PTT|DOC|STK)-\d{8}-WA\d{4,}\.\w{1,8}")
_ATTACHED_WORDS = frozenset(
    _listed(
        "file attached|datei angehängt|archivo adjunto|fichier joint|file allegato|arquivo anexado|"
        "ficheiro anexado|bestand bijgevoegd|файл добавлен|dosya ekli|plik załączony|bifogad fil|"
        "文件附件|附件文件|附加文件|檔案附件|附件|ファイル添付|파일 첨부됨|"
        "file terlampir|الملف مرفق|"
        "फ़ाइल अटैच की गई|liitetty tiedosto"
    )
)
_CALL = re.compile(
    r"(?:(?:missed|silenced) )?(?:group )?(?:voice|video) call|verpasster? (?:sprach|video)anruf"
    r"|(?:sprach|video)anruf|(?:vídeo)?llamada|appel (?:vocal|vidéo)|chiamata|videochiamata"
    r"|chamada de|(?:未接)?(?:群组|群組)?(?:语音|視訊|视频|視像|語音)(?:通话|通話|来电|來電)"
    r"|不在着信|부재중|пропущенный|oproep|gemiste",
    re.IGNORECASE,
)
_POLL = re.compile(
    r"(?:POLL|UMFRAGE|ENCUESTA|SONDAGE|SONDAGGIO|ENQUETE|PEILING|ОПРОС|ANKET|投票|アンケート|투표)[:：]",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"end-to-end|ende-zu-ende|extremo a extremo|bout en bout|crittograf|criptograf|сквозн"
    r"|端到端|端對端|エンドツーエンド|종단간|uçtan uca|päästä päähän",
    re.IGNORECASE,
)
_VERBS = re.compile(
    r"changed the |changed this group|created group|created this group|pinned a message"
    r"|hat den Betreff|hat die Gruppe|cambió el asunto|creó el grupo|a créé le groupe"
    r"|创建了群组|更改了|建立了群組|更改|變更了"
)
_CAME_OR_WENT: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(pattern))
    for role, pattern in (
        (Role.JOINED, r"(?P<by>[^\n]{1,200}?) added (?P<who>[^\n]{1,1000})"),
        (Role.JOINED, r"(?P<who>[^\n]{1,200}?) joined (?:using|from|via) [^\n]{1,200}"),
        (Role.JOINED, r"(?P<who>[^\n]{1,1000}?) (?:was|were) added"),
        (Role.LEFT, r"(?P<by>[^\n]{1,200}?) removed (?P<who>[^\n]{1,1000})"),
        (Role.LEFT, r"(?P<who>[^\n]{1,1000}?) (?:was|were) removed"),
        (Role.LEFT, r"(?P<who>[^\n]{1,200}?) left"),
        (Role.JOINED, r"(?P<by>[^\n]{1,200}?) hat (?P<who>[^\n]{1,1000}) hinzugefügt"),
        (Role.LEFT, r"(?P<by>[^\n]{1,200}?) hat (?P<who>[^\n]{1,1000}) entfernt"),
        (Role.LEFT, r"(?P<who>[^\n]{1,200}?) hat die Gruppe verlassen"),
        (Role.JOINED, r"(?P<by>[^\n]{1,200}?) (?:añadió|agregó) a (?P<who>[^\n]{1,1000})"),
        (Role.LEFT, r"(?P<by>[^\n]{1,200}?) eliminó a (?P<who>[^\n]{1,1000})"),
        (Role.LEFT, r"(?P<who>[^\n]{1,200}?) salió del grupo"),
        (Role.JOINED, r"(?P<who>[^\n]{1,200}?)(?:使用|通过|透過)[^\n]{1,50}加入[^\n]{0,50}"),
        (Role.JOINED, r"(?P<by>[^\n]{1,200}?)已?(?:添加|新增|加入)了? ?(?P<who>[^\n]{1,1000})"),
        (Role.LEFT, r"(?P<by>[^\n]{1,200}?)已?(?:移除|移出)了? ?(?P<who>[^\n]{1,1000})"),
        (Role.LEFT, r"(?P<who>[^\n]{1,200}?)已?(?:退出|离开|離開)[^\n]{0,10}"),
    )
)
EXPORTER = frozenset(("you", "du", "tú", "vous", "tu", "você", "你", "您"))
"""How an export calls its owner in what the program notes."""
_AND = re.compile(r", | and | und | y |、|和")


@dataclass(frozen=True, slots=True)
class CameOrWent:
    """Who came into a group or left it, and by whom."""

    role: Role
    by: str
    who: tuple[str, ...]


def unmarked(text: str) -> str:
    """Return a text without the invisible marks of direction."""
    return _ANY_MARK.sub("", text) if not text.isascii() else text


def is_marked(text: str) -> bool:
    """Tell whether the program wrote a text itself, as iOS marks it."""
    return text.startswith("\u200e")


def is_deleted(text: str) -> bool:
    """Tell whether a text stands where a message was."""
    said = unmarked(text).strip().rstrip(".。").casefold()
    return said in _DELETED or (len(said) <= 80 and said.startswith(_DELETED_BY))


def without_edited(text: str) -> tuple[str, bool]:
    """Return a text without the note that it was edited, and whether there was one."""
    found = _EDITED.search(text, max(len(text) - 120, 0))
    return (text[: found.start()], True) if found else (text, False)


def is_omitted(text: str) -> bool:
    """Tell whether a text stands where a file was left out."""
    said = unmarked(text).strip()
    if _OMITTED_ANDROID.fullmatch(said):
        return True
    return is_marked(text) and _OMITTED_IOS.fullmatch(said.rstrip(".。")) is not None


def attached_file(text: str) -> str:
    """Return the name of the file that a message carries; empty for none."""
    for line in text.split("\n", 50)[:50]:
        said = unmarked(line).strip()
        found = _ATTACHED_IOS.search(said) if "<" in said[:2000] else None
        if found is not None and "\u200e" in line:
            return found[1].strip()
        found = _ATTACHED_ANDROID.fullmatch(said[:300])
        if found is not None and (
            _OWN_NAMES.fullmatch(found[1]) or found[2].casefold() in _ATTACHED_WORDS
        ):
            return found[1]
    return ""


def is_call(text: str) -> bool:
    """Tell whether a line of the program notes a call."""
    said = unmarked(text).strip()
    return len(said) <= 100 and _CALL.match(said) is not None


def is_poll(text: str) -> bool:
    """Tell whether a message is a poll; its options follow, a line each."""
    said = unmarked(text[:40]).lstrip()
    return "\n" in text and _POLL.match(said) is not None


def is_notice(text: str) -> bool:
    """Tell whether a line is the notice about encryption that a chat begins with."""
    return _NOTICE.search(text, 0, 500) is not None


def has_event_verb(name: str) -> bool:
    """Tell whether what stands before a colon is no name, but the beginning of an event."""
    return _VERBS.search(name) is not None


def came_or_went(text: str) -> CameOrWent | None:
    """Return who came or went, as far as the language is known."""
    said = unmarked(text).strip().rstrip(".。")
    for role, pattern in _CAME_OR_WENT:
        found = pattern.fullmatch(said)
        if found is not None:
            named = found.groupdict()
            who = tuple(one.strip() for one in _AND.split(named["who"]) if one.strip())
            return CameOrWent(role, (named.get("by") or "").strip(), who)
    return None

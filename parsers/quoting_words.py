"""The words by which mail programs of many languages introduce quotes; must hold tables alone.

Taken from the strings that the programs write: Outlook, Outlook on the web, Apple Mail, Gmail,
Thunderbird, Yahoo, Foxmail and QQ Mail, NetEase, Alimail, Coremail.
"""

from __future__ import annotations


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split("|"))


def _each(words: str) -> frozenset[str]:
    return frozenset(_listed(words))


HEADER_KINDS: dict[str, str] = {
    name: kind
    for kind, names in (
        (
            "from",
            "from|von|de|van|från|fra|da|od|от|від|発信者|差出人|发件人|發件人|寄件者|寄件人|"
            "보낸사람|lähettäjä|kimden|"
            "gönderen|feladó|expéditeur|remitente|mittente|avsändare|από|from/发件人",
        ),
        (
            "date",
            "sent|date|sent at|gesendet|gesendet am|datum|envoyé|envoyé le|enviado|enviado el|"
            "enviada em|enviado em|fecha|data|verzonden|skickat|sendt|dato|inviato|wysłano|"
            "отправлено|дата|надіслано|发送时间|发送日期|發送時間|傳送時間|傳送日期|寄件日期|"
            "日期|时间|時間|"
            "送信日時|日付|보낸날짜|날짜|lähetetty|päivämäärä|gönderildi|tarih|odesláno|elküldve|"
            "datum/uhrzeit|date/日期",
        ),
        (
            "to",
            "to|an|à|para|aan|till|til|a|do|komu|кому|收件人|收件者|宛先|받는사람|"
            "vastaanottaja|kime|címzett|"
            "destinataire|destinatario|ontvanger|alıcı|προς",
        ),
        (
            "cc",
            "cc|copy|kopie|copie|kopia|kopi|копия|копія|抄送|副本|参照|참조|kopio|bilgi|"
            "másolatot kap",
        ),
        (
            "subject",
            "subject|betreff|objet|asunto|assunto|onderwerp|ämne|emne|oggetto|temat|тема|主题|"
            "主題|主旨|"
            "件名|제목|aihe|konu|předmět|tárgy|θέμα",
        ),
    )
    for name in names.split("|")
}
"""Field name in lower case, spaces removed where CJK, to what it stands for."""

VERB_ENDINGS = _listed(
    "wrote|writes|schrieb|schreef|geschreven|écrit|escribió|escreveu|scritto|skrev|kirjoitti|napisał|"
    "napisał(a)|"
    "napisała|napsal|napsal(a)|napísal|написал|написал(а)|написала|пишет|пише|написав|yazdı|"
    "yazmış|"
    "írta|a scris|έγραψε|đã viết|menulis|כתב|كتب|写道|寫道|来信|來信|のメッセージ|書きました|"
    "のメール|님이 작성|작성"
)
"""What stands right before the colon of an attribution line."""

VERBS_WITH_NAME = _listed(
    " schrieb | skrev | schreef | wrote | napsal | napsal(a) | napisał | ezt írta | följande"
)
"""What stands in an attribution line whose name and address follow the verb."""

STARTERS = _listed(
    "On |Am |Le |El |Em |Op |Den |Il |Dne |Dnia |W dniu |At |På |Pada |Vào |Ons |Man |Tir |Tor |"
    "Fre |Lør |Søn |On, |在|于|於|Il giorno |Il g. |A |La |Den, |ב-|В |fre |tor |ons "
)
"""How an attribution begins whose end is on the next line or the one after."""

DIVIDER_TEXTS = _each(
    "original message|original appointment|original|original email|original mail|reply message|"
    "forwarded message|forwarded mail|forward message|ursprüngliche nachricht|"
    "ursprungliche nachricht|original-nachricht|originalnachricht|urspr. nachricht|"
    "weitergeleitete nachricht|message d'origine|message d’origine|message original|"
    "message initial|"
    "message transféré|message transmis|mensaje original|mensaje reenviado|mensagem original|"
    "mensagem encaminhada|messaggio originale|messaggio inoltrato|oorspronkelijk bericht|"
    "doorgestuurd bericht|ursprungligt meddelande|vidarebefordrat meddelande|"
    "oprindelig meddelelse|original meddelelse|videresendt meddelelse|opprinnelig melding|"
    "videresendt melding|alkuperäinen viesti|välitetty viesti|исходное сообщение|"
    "пересылаемое сообщение|пересланное сообщение|wiadomość oryginalna|oryginalna wiadomość|"
    "treść przekazanej wiadomości|původní zpráva|přeposlaná zpráva|orijinal mesaj|özgün ileti|"
    "yönlendirilen ileti|原始邮件|原始邮件信息|原始信息|原邮件信息|原邮件|邮件原件|原始郵件|"
    "原始訊息|回复的原邮件|回复的邮件|回复的邮件信息|转发的邮件|转发的邮件信息|"
    "转发邮件信息|转发邮件|轉寄的郵件|轉寄郵件|转发信息|元のメッセージ|転送メッセージ|"
    "original message/原始邮件|원본 메시지|전달된 메시지"
)
"""What stands between the dashes of a divider."""

DIVIDER_LINES = _each(
    "begin forwarded message:|anfang der weitergeleiteten nachricht:|"
    "début du message transféré :|début du message réexpédié :|inicio del mensaje reenviado:|"
    "início da mensagem encaminhada:|inizio messaggio inoltrato:|begin doorgestuurd bericht:|"
    "vidarebefordrat brev:|начало переадресованного сообщения:|开始转发的邮件：|"
    "开始转发的邮件:|下面是被转发的邮件：|"
    "下面是被转发的邮件:|開始轉寄郵件：|以下は転送されたメッセージです:|전달된 메시지 시작:"
)
"""Dividers without dashes."""

DEVICE_STARTS = _listed(
    "sent from my |sent from mail for |sent from yahoo |sent from outlook|sent from proton|"
    "sent from samsung|sent via |sent with |get outlook for |gesendet mit |gesendet von |"
    "von meinem |envoyé de mon |envoyé depuis |envoyé à partir de |obtenir outlook |"
    "enviado desde |"
    "enviado do meu |enviado de mi |inviato da |inviato dal mio |verzonden vanaf |"
    "verstuurd vanaf |"
    "skickat från |sendt fra |lähetetty |wysłane z |отправлено с |отправлено из |发自我的|发自|"
    "發自我的|發自|从我的|從我的|获取 outlook|由 outlook|iphoneから送信|ipadから送信|나의 iphone|"
    "iphone에서 보냄"
)
"""How a line begins, in lower case, that a phone or an app adds."""

CLOSINGS = _each(
    "祝好|此致|敬礼|此致敬礼|祝商祺|顺祝商祺|顺颂商祺|祝工作顺利|祝您工作愉快|祝顺利|敬上|謹啟|"
    "敬具|"
    "best regards|kind regards|warm regards|regards|best|best wishes|sincerely|yours sincerely|"
    "yours faithfully|many thanks and best regards|mit freundlichen grüßen|freundliche grüße|"
    "viele grüße|mfg|cordialement|bien cordialement|saludos|saludos cordiales|un saludo|"
    "atenciosamente|cordiali saluti|distinti saluti|med vänlig hälsning|med venlig hilsen|mvh|"
    "met vriendelijke groet|pozdrawiam|с уважением"
)
"""Whole lines, punctuation at the end removed, in lower case, after which a name may follow."""

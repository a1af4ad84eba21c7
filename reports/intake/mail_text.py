"""What of a mail is its writer's own: without quotes, signature, greetings and disclaimers, and without markup. Pure.

Cutting is done by words that mail programs and habits share, in English and German above all. When in doubt a line
stays, and a mail never becomes empty by it: then it is kept as it came, without its quote signs.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from reports.intake.contract import MAX_TEXT_CHARS, composed, without_forbidden

MOST_CHARS: Final = 16 * MAX_TEXT_CHARS  # what is read of a mail: its beginning, with what is cut away
MOST_CLOSING_LINES: Final = 8  # a greeting is followed by a name, a post, a telephone; more is text

_QUOTE: Final = re.compile(r"^\s*>")
# The line with which mail programs introduce what they quote; it may be folded into two.
_ATTRIBUTION: Final = re.compile(
    r"^\s*(?:On\b.{6,200}\bwrote|Am\b.{6,200}\bschrieb\b.{0,100}|Le\b.{6,200}\ba écrit|El\b.{6,200}\bescribió"
    r"|Il\b.{6,200}\bha scritto|Op\b.{6,200}\bschreef\b.{0,100})\s?:\s*$",
    re.IGNORECASE,
)
# From here on everything is another mail.
_OTHER_MAIL: Final = re.compile(
    r"^\s*(?:-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original)\s*-{2,}"
    r"|_{20,})\s*$",
    re.IGNORECASE,
)
_HEADER_OF_OTHER: Final = re.compile(r"^\s*\*?(?:From|Von|De|Da)\s?:\*?\s.*\S", re.IGNORECASE)
_SECOND_HEADER: Final = re.compile(
    r"^\s*\*?(?:Sent|Gesendet|Date|Datum|To|An|Envoyé|Enviado|Inviato)\s?:", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(r"^-- ?$|^—$")
_SENT_FROM: Final = re.compile(
    r"^\s*(?:sent from my\b|sent from outlook\b|sent with\b|get outlook for\b|(?:von|gesendet von) meinem\b"
    r"|(?:gesendet mit|diese nachricht wurde von)\b|envoyé de mon\b|enviado desde mi\b).{0,80}$",
    re.IGNORECASE,
)
_CLOSING: Final = re.compile(
    r"^\s*(?:(?:kind|best|warm|many|with kind|with best)?\s*(?:regards|wishes)|yours (?:sincerely|faithfully|truly)"
    r"|sincerely|cheers|thanks|many thanks|thank you|thanks in advance"
    r"|(?:mit )?(?:freundliche[nr]?|beste[nr]?|herzliche[nr]?|viele[nr]?|liebe[nr]?|schöne[nr]?)"
    r" gr(?:ü|ue)(?:ß|ss)en?|vielen dank|danke|danke im voraus|mfg|lg|vg|cordialement|saludos|un saludo)\s*[,.!]?\s*$",
    re.IGNORECASE,
)
_DISCLAIMER: Final = re.compile(
    r"^\W*(?:confidentiality notice|disclaimer\b"
    r"|(?:this|the information (?:contained )?in this) (?:e-?mail|message|communication)\b"
    r".{0,200}\b(?:confidential|privileged|intended)|diese e-?mail\b.{0,200}\bvertraulich"
    r"|(?:der inhalt dieser|die in dieser) e-?mail\b|please consider the environment"
    r"|ce (?:message|courriel)\b.{0,200}\bconfidentiel"
    r"|virus-free\.|virenfrei\.)",
    re.IGNORECASE | re.DOTALL,
)
_REPLY_MARK: Final = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|wg|antw|sv|tr|rv)(?:\[\d+\])?\s*:\s*|\[[^\]]{1,60}\]\s*)+", re.IGNORECASE
)
# A subject that only says that there is a problem says nothing that the mail does not.
_SAYS_NOTHING: Final = frozenset(
    {
        "", "problem", "problems", "a problem", "issue", "help", "question", "urgent", "support", "report", "hello",
        "hi", "no subject", "(no subject)", "none", "test", "probleme", "hilfe", "frage", "anfrage", "dringend",
        "meldung", "hallo", "kein betreff", "(kein betreff)", "ohne betreff",
    }
)  # fmt: skip


def own_text(body: str, *, subject: str = "") -> str:
    """Return what the writer of a mail says, its subject first where that says something; at most MAX_TEXT_CHARS.

    Cost: O(length).
    """
    body = body[:MOST_CHARS]
    body = without_forbidden(body.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [composed(line).rstrip() for line in body.split("\n")]
    kept = _without_ending(_without_quotes(lines))
    text = "\n".join(kept).strip()
    if not text:  # all of it is quoted, as in a mail that is passed on
        text = "\n".join(_QUOTE.sub("", line).lstrip("> ") for line in lines).strip()
    title = own_subject(subject)
    if title and not text.casefold().startswith(title.casefold()):
        text = f"{title}\n{text}".strip()
    return text[:MAX_TEXT_CHARS].rstrip()


def own_subject(subject: str) -> str:
    """Return a subject without the marks of replies and lists; "" where it says nothing.

    >>> own_subject("Re: [mail] AW: Login fails"), own_subject("Problem!")
    ('Login fails', '')
    """
    title = " ".join(composed(without_forbidden(subject)).split())
    title = _REPLY_MARK.sub("", title)
    return "" if title.strip(" .!?-:").casefold() in _SAYS_NOTHING else title


def text_of_html(markup: str) -> str:
    """Return the words of a mail's HTML, a line for each block; what is quoted in it, or not shown, is left out.

    Cost: O(length).
    """
    words: list[str] = []
    simple = _simplified(markup)
    for unseen in (_UNSEEN | {"blockquote"}, _UNSEEN):  # where all of it is quoted, that
        reader = _Words(unseen)
        reader.feed(simple)
        reader.close()
        words = reader.words
        if "".join(words).strip():
            break
    lines = (" ".join(line.split()) for line in "".join(words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _without_quotes(lines: list[str]) -> list[str]:
    """Return the lines without those that are quoted, and what introduces them."""
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _OTHER_MAIL.match(line) or _begins_other_mail(lines, at):
            break
        n_lines = _n_of_attribution(lines, at)
        if n_lines:
            following = next((each for each in lines[at + n_lines :] if each.strip()), "")
            if not _QUOTE.match(following):
                break  # quoted without signs: all that follows
            at += n_lines
            continue
        if not _QUOTE.match(line):
            kept.append(line)
        at += 1
    return kept


def _n_of_attribution(lines: list[str], at: int) -> int:
    """Return how many lines the introduction of a quote takes here: none, one or two."""
    if _ATTRIBUTION.match(lines[at]):
        return 1
    folded = " ".join(lines[at : at + 2])
    return 2 if at + 1 < len(lines) and lines[at + 1].strip() and _ATTRIBUTION.match(folded) else 0


def _begins_other_mail(lines: list[str], at: int) -> bool:
    """Tell whether a mail's headers stand here, as Outlook quotes them."""
    return bool(_HEADER_OF_OTHER.match(lines[at])) and any(
        _SECOND_HEADER.match(each) for each in lines[at + 1 : at + 4]
    )


def _without_ending(lines: list[str]) -> list[str]:
    """Return the lines up to the signature, the greeting or the disclaimer; these never come first."""
    begun = False
    written = [at for at, line in enumerate(lines) if line.strip()]
    last_lines = written[-1 - MOST_CLOSING_LINES :][0] if written else 0
    for at, line in enumerate(lines):
        if begun and (_SIGNATURE.match(line) or _SENT_FROM.match(line) or (at >= last_lines and _CLOSING.match(line))):
            return lines[:at]
        if begun and not lines[at - 1].strip() and _DISCLAIMER.match("\n".join(lines[at : at + 4])):
            return lines[:at]
        begun = begun or bool(line.strip())
    return lines


# A tag, a declaration, a tag that is cut off at the end, or a sign that begins none of them.
_TAG: Final = re.compile(
    r"""<(?:(/?[a-zA-Z][a-zA-Z0-9:-]*+)((?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+|[^<>]*+)>"""
    r"|[!?][^<>]*+>|[a-zA-Z/!?][^<>]*+\Z|)"
)


def _simplified(markup: str) -> str:
    """Return markup without comments and declarations, and with nothing in its tags but what tells of a quote.

    The standard parser's time grows with the square of tags, comments and quotes that are opened and not closed: a mail
    of half a megabyte took it half an hour.
    """
    kept: list[str] = []
    at = 0
    while (start := markup.find("<!--", at)) >= 0:
        kept.append(markup[at:start])
        end = markup.find("-->", start + 4)
        at = end + 3 if end >= 0 else len(markup)
    kept.append(markup[at:])
    return _TAG.sub(_plain_tag, "".join(kept))


def _plain_tag(match: re.Match[str]) -> str:
    name, attributes = match.group(1), match.group(2)
    if name is None:
        return "&lt;" if match.group(0) == "<" else ""
    return f'<{name} class="gmail_quote">' if "gmail_quote" in attributes else f"<{name}>"


_UNSEEN: Final = frozenset({"script", "style", "head", "title"})


class _Words(HTMLParser):
    """Gathers what is shown."""

    _BLOCKS: Final = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol", "hr"})
    _EMPTY: Final = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "wbr", "area", "base"})

    def __init__(self, unseen: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._kinds = unseen
        self.words: list[str] = []
        self._unseen = ""  # the element within which nothing counts
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._unseen = ""  # a head need not be closed
        elif self._unseen:
            self._depth += tag == self._unseen
        elif tag in self._kinds or (self._quotes(tag) and "gmail_quote" in (dict(attrs).get("class") or "")):
            self._unseen, self._depth = tag, 1
        elif tag in self._BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            self._depth -= tag == self._unseen
            if not self._depth:
                self._unseen = ""
        elif tag in self._BLOCKS:
            self.words.append("\n")

    def _quotes(self, tag: str) -> bool:
        return "blockquote" in self._kinds and tag not in self._EMPTY

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(re.sub(r"\s+", " ", data))

"""Text and addresses as calendars can hold them, whatever somebody wrote."""

import re
from urllib.parse import quote

from eventcal.kit.values import STRAY_PERCENT

# Every character that some reader takes for the end of a line.
_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_UNSAYABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Nearly every text is of these alone: all that neither of the above changes.
_PLAIN = re.compile("[\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def clean(text: str) -> str:
    r"""Return the text with \n for line breaks of every kind, a space for a tab, and U+FFFD for what is no text.

    What remains is Unicode that XML 1.0, JSON in UTF-8 and RFC 5545's TEXT can all hold.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def uri(text: str) -> str:
    """Return the address in the characters that RFC 3986 has; all others percent-encoded, line breaks too."""
    if "%" in text:
        text = STRAY_PERCENT.sub("%25", text)
    return quote(text, safe="%:/?#[]@!$&'()*+,;=-._~", errors="replace")

"""Sanitising of user-supplied texts and URLs for calendar formats."""

import re
from urllib.parse import quote

from eventcal.kit.validators import STRAY_PERCENT

# All characters that at least one parser treats as a line break.
_LINE_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_INVALID_CHARACTERS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Almost all texts match this pattern and need no replacements.
_CLEAN_TEXT = re.compile("[\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def replace_controls(text: str) -> str:
    r"""Replace line breaks with \n, tabs with spaces, and characters that XML or RFC 5545 forbids with U+FFFD."""
    if _CLEAN_TEXT.fullmatch(text):
        return text
    text = _LINE_BREAKS.sub("\n", text).replace("\t", " ")
    return _INVALID_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)


def percent_encode_url(text: str) -> str:
    """Percent-encode every character of the URL that RFC 3986 does not allow."""
    return quote(STRAY_PERCENT.sub("%25", text), safe="%:/?#[]@!$&'()*+,;=-._~", errors="replace")

"""Gene names that a spreadsheet converted to dates.

Excel reads SEPT2 as the second of September and writes `2-Sep`; the name is lost
(Zeeberg et al. 2004, 10.1186/1471-2105-5-80; Ziemann et al. 2016, 10.1186/s13059-016-1044-7;
Abeysooriya et al. 2021, 10.1371/journal.pcbi.1008984).
"""

from __future__ import annotations

import datetime
import re

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

# The letters before the number in names that Excel reads as a date of that month.
_STEMS = {"MAR": ("MARCH", "MARC", "MAR"), "SEP": ("SEPT", "SEP")}

#: Months as Excel writes them in German, French, Spanish, Portuguese, Italian and Dutch.
_FOREIGN = {
    "JAN": ("JANV", "ENE", "GEN"),
    "FEB": ("FEV", "F\u00c9V", "FEVR", "F\u00c9VR"),
    "MAR": ("MRZ", "M\u00c4R", "M\u00c4RZ", "MARS", "MRT"),
    "APR": ("AVR", "ABR"),
    "MAY": ("MAI", "MEI", "MAG"),
    "JUN": ("JUIN", "GIU"),
    "JUL": ("JUIL", "LUG"),
    "AUG": ("AOUT", "AO\u00dbT", "AGO"),
    "SEP": ("SEPT", "SET"),
    "OCT": ("OKT", "OUT", "OTT"),
    "DEC": ("D\u00c9C", "DEZ", "DIC"),
}
_MONTH_OF = {
    **{month: month for month in MONTHS},
    **{name: month for month, names in _FOREIGN.items() for name in names},
}

_ENGLISH = f"(?P<month>{'|'.join(MONTHS)}|SEPT)"
_MONTH = f"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:\d{4}|\d{2})"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_DAY}(?:[-/ ]|\. ?){_MONTH}\.?(?:[-/ ]{_YEAR})?",  # 2-Sep, 02-Sep-2016, 2. Sep
        rf"{_ENGLISH}[-/ ]{_DAY}",  # Sep-02
        rf"{_DAY}\.(?P<number>0?[1-9]|1[0-2])\.(?:19|20)\d\d",  # 02.09.2022, always day first
        # ISO, as pandas and databases write what Excel stored.
        rf"(?:19|20)\d\d[-/](?P<number>0[1-9]|1[0-2])[-/]{_DAY}(?:[ T]00:00:00(?:\.0+)?)?",
    )
)

# The serial numbers of 1990-01-01 to 2059-12-31, the years in which such sheets were made.
_EPOCH = datetime.date(1899, 12, 30)
_SERIALS = range(32874, 58440)

#: A quick test, for a column of text, for what `parse` may recognize.
LIKELY = r"^[0-9A-Z]{1,4}[-/. ] ?[0-9A-Z\u00c4\u00c9\u00db]{1,5}\.?(?:[-/. ]?[0-9:T. ]+)?$"


def parse(key: str) -> tuple[str, int] | None:
    """Return the month and day of an upper-case `key` that is a date, or None.

    Examples
    --------
    >>> parse("2-SEP"), parse("1. MRZ"), parse("2022-03-01"), parse("TP53")
    (('SEP', 2), ('MAR', 1), ('MAR', 1), None)
    """
    for form in _FORMS:
        if found := form.fullmatch(key):
            parts = found.groupdict()
            if "number" in parts:
                return MONTHS[int(parts["number"]) - 1], int(parts["day"])
            return _MONTH_OF[parts["month"]], int(parts["day"])
    return None


def is_date(text: str) -> bool:
    """Whether a text, in any case, is a date as a spreadsheet writes it.

    Examples
    --------
    >>> is_date("2. Sep"), is_date("9-sept"), is_date("2-SEP 3-SEP"), is_date("TP53")
    (True, True, False, False)
    """
    return parse(text.upper()) is not None


def parse_serial(key: str) -> tuple[str, int] | None:
    """Return the month and day of a `key` that is Excel's serial number of a date, or None.

    Examples
    --------
    >>> parse_serial("44621"), parse_serial("7157")
    (('MAR', 1), None)
    """
    if not (key.isdecimal() and int(key) in _SERIALS):
        return None
    date = _EPOCH + datetime.timedelta(days=int(key))
    return MONTHS[date.month - 1], date.day


def names(month: str, day: int) -> tuple[str, ...]:
    """Return the names that Excel converts to that date.

    Examples
    --------
    >>> names("MAR", 1)
    ('MARCH1', 'MARC1', 'MAR1')
    """
    return tuple(f"{stem}{day}" for stem in _STEMS.get(month, (month,)))

"""The numbers by which people, pupils and employers are known: shape, check character, birth date, age.

Nothing here looks anything up: an unknown or withdrawn area code never makes a number invalid
(`schemas.codes.region` knows which are). No message and no `repr` contains the number: both end in logs.
The `parse_` functions take the text as a clerk typed it and raise `IdentifierError`, nothing else.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Final, Literal

import msgspec

IdentifierCode = Literal["bad_code", "bad_checksum", "bad_date"]
IdKind = Literal["resident", "residence_permit", "permanent_residence"]
Sex = Literal["male", "female"]
StudentNumberKind = Literal["national", "temporary", "unusable"]

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100


class IdentifierError(ValueError):
    """A text that is not the identifier it should be.

    `code` is the row error of the upload report: `bad_code` (shape), `bad_checksum` or `bad_date`.
    The message says what is wrong in words and never quotes the value.
    """

    def __init__(self, code: IdentifierCode, message: str) -> None:
        super().__init__(code, message)
        self.code: IdentifierCode = code
        self.message = message

    def __str__(self) -> str:
        return self.message


# --- spelling -----------------------------------------------------------------------------------------------

# Marks that people or programs put around or inside numbers and that no Unicode category gathers:
# apostrophes (a spreadsheet's way of saying "text"), primes, the minus sign, the hyphen bullet, the strokes
# an input method offers as a dash, the blank braille cell.
_DROPPED_CATEGORIES: Final = frozenset(("Cf", "Pd", "Zs", "Zl", "Zp"))
_MARKS: Final = frozenset("'‘’‚‛`´＇ʹʼˈ′‵−⁃˗─━ーｰ⠀")


class _Dropped(dict[int, str | None]):
    """A translation table that decides about a character when it first meets it, then remembers."""

    def __missing__(self, point: int) -> str | None:
        char = chr(point)
        drop = char in _MARKS or char.isspace() or unicodedata.category(char) in _DROPPED_CATEGORIES
        result = self[point] = None if drop else char
        return result


_DROPPED: Final = _Dropped()


def normalise(text: str) -> str:
    """Return `text` as an identifier is compared: NFKC, no blanks, dashes or apostrophes, upper case.

    Blanks include no-break and ideographic spaces, zero-width characters and the byte order mark.
    Any text is accepted.
    """
    if text.isascii() and text.isalnum():
        return text.upper()
    # Twice: some marks are only recognisable before NFKC takes them apart, others only after it.
    plain = unicodedata.normalize("NFKC", text.translate(_DROPPED))
    return plain.translate(_DROPPED).upper()


# --- GB 11643 -----------------------------------------------------------------------------------------------

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# The sum runs over ASCII bytes, each 48 too large; starting from this constant takes the surplus back.
_SURPLUS: Final = -48 * sum(_WEIGHTS)
_CHECKS: Final = "10X98765432"
_FIRST_17: Final = re.compile(r"[0-9]{17}")
_ID_18: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_ID_15_FOREIGN: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_PERMIT_PREFIXES: Final = frozenset(("81", "82", "83"))


class ResidentId(msgspec.Struct, frozen=True):
    """A person's number on a document issued in mainland China.

    `value` is normalised: 18 characters, or 15 on a foreigner's permanent-residence card issued before
    December 2023. `kind` follows from the number: `residence_permit` for people from Hong Kong, Macao and
    Taiwan (81, 82, 83), `permanent_residence` for foreigners. `area` is the first six characters; on the
    15-character card the four digits of the issuing place. It is not checked and may be withdrawn or unknown.
    """

    value: str
    kind: IdKind
    birth_date: date
    sex: Sex
    area: str

    def __repr__(self) -> str:
        return f"ResidentId(kind={self.kind!r}, value=***)"

    __str__ = __repr__


def resident_id_check(first17: str) -> str:
    """Return the check character, `0` to `9` or `X`, of the first 17 digits of an id.

    Source: GB 11643-1999, ISO 7064 MOD 11-2. Raises `IdentifierError` (`bad_code`) unless
    given exactly 17 ASCII digits.
    """
    if not _FIRST_17.fullmatch(first17):
        raise IdentifierError("bad_code", "a check character is computed from 17 digits")
    return _check_character(first17.encode())


def parse_resident_id(text: str, *, today: date | None = None) -> ResidentId:
    """Read a resident id, a residence permit or a permanent-residence card number.

    The check character is tested before the date; both decide, the area does not. `today` matters only to the
    old foreigners' card, whose birth year has two digits: 20yy unless that would lie after `today`
    (default: the machine's date). First-generation ids of 15 digits are no longer valid and are `bad_code`.
    Raises `IdentifierError`: `bad_code`, `bad_checksum` or `bad_date`.
    """
    value = normalise(text)
    if _ID_18.fullmatch(value):
        return _parse_18(value)
    if _ID_15_FOREIGN.fullmatch(value):
        return _parse_foreign_15(value, today or date.today())  # noqa: DTZ011 - a calendar day, not an instant
    raise IdentifierError("bad_code", "an id number has 17 digits and a digit or X")


def _parse_18(value: str) -> ResidentId:
    if _check_character(value.encode()) != value[17]:
        raise IdentifierError("bad_checksum", "the last character of the id number does not fit the others")
    sex: Sex = "male" if value[16] in "13579" else "female"
    return ResidentId(value, _kind(value), _birth_date(value[6:14]), sex, value[:6])


def _check_character(ascii_digits: bytes) -> str:
    # map stops at the shorter argument, so the eighteenth character, if given, takes no part.
    return _CHECKS[sum(map(mul, _WEIGHTS, ascii_digits), _SURPLUS) % 11]


def _kind(value: str) -> IdKind:
    if value[0] == "9":
        # Card of 2023: 9, two digits of the issuing province, three of the nationality, then as on an id.
        return "permanent_residence"
    return "residence_permit" if value[:2] in _PERMIT_PREFIXES else "resident"


@lru_cache(maxsize=1 << 16)
def _birth_date(digits: str) -> date:
    """Eight digits to a day; the same few thousand birthdays come back again and again."""
    year = int(digits[:4])
    try:
        day = date(year, int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise IdentifierError("bad_date", "the id number contains no day of the calendar") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise IdentifierError("bad_date", "the birth year in the id number is out of range")
    return day


# --- the foreigners' card before December 2023 --------------------------------------------------------------

_ICAO_WEIGHTS: Final = (7, 3, 1) * 5


def _parse_foreign_15(value: str, today: date) -> ResidentId:
    """Three letters of nationality, four digits of issuing place, yymmdd, one digit (odd: male), check digit.

    The check digit is that of machine-readable travel documents (ICAO Doc 9303 part 3, 4.9: weights 7, 3, 1,
    letters count from A = 10) over the fourteen characters before it.
    """
    total = sum(map(mul, _ICAO_WEIGHTS, (int(char, 36) for char in value[:14])))
    if total % 10 != int(value[14]):
        raise IdentifierError("bad_checksum", "the last digit of the card number does not fit the others")
    sex: Sex = "male" if value[13] in "13579" else "female"
    return ResidentId(value, "permanent_residence", _two_digit_year(value[7:13], today), sex, value[3:7])


def _two_digit_year(digits: str, today: date) -> date:
    # A yymmdd that is a day in 19yy is one in 20yy as well (2000 was a leap year): this refuses no real day.
    recent = _birth_date("20" + digits)
    return recent if recent <= today else _birth_date("19" + digits)


# --- student numbers ----------------------------------------------------------------------------------------

_STUDENT_NUMBER: Final = re.compile(r"[GLJ][0-9A-Z]{10,20}")
_STUDENT_KINDS: Final[dict[str, StudentNumberKind]] = {"G": "national", "L": "temporary", "J": "unusable"}


class StudentNumber(msgspec.Struct, frozen=True):
    """A pupil's number (学籍号): G `national`, L `temporary` (looks like an id, is none), J `unusable`."""

    value: str
    kind: StudentNumberKind

    def __repr__(self) -> str:
        return f"StudentNumber(kind={self.kind!r}, value=***)"

    __str__ = __repr__


def parse_student_number(text: str) -> StudentNumber:
    """Read a student number (《中小学生学籍管理办法》: one pupil, one number, made from the id).

    Only the letter and the alphabet are tested. The id inside may later be corrected while the student number
    stays, so its checksum proves nothing; a number nobody registered is found by looking it up.
    Raises `IdentifierError` (`bad_code`).
    """
    value = normalise(text)
    if not _STUDENT_NUMBER.fullmatch(value):
        raise IdentifierError("bad_code", "a student number is G, L or J and 10 to 20 letters or digits")
    return StudentNumber(value, _STUDENT_KINDS[value[0]])


# --- GB 32100 -----------------------------------------------------------------------------------------------

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC: Final = re.compile(f"[{_USCC_ALPHABET}]{{18}}")
_USCC_VALUE: Final = {char: number for number, char in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS: Final = tuple(3**place % 31 for place in range(17))


class Uscc(msgspec.Struct, frozen=True):
    """A unified social credit code; a last character that does not fit (`checksum_ok` False) is a warning."""

    value: str
    checksum_ok: bool

    def __repr__(self) -> str:
        # A sole trader's code can lead to a person, and a person's id can be typed into this field.
        return f"Uscc(checksum_ok={self.checksum_ok}, value=***)"

    __str__ = __repr__


def parse_uscc(text: str) -> Uscc:
    """Read an employer's unified social credit code (GB 32100-2015), rural collectives (N…) included.

    Some codes issued early carry a wrong check character and are nevertheless in force, hence `checksum_ok`.
    Raises `IdentifierError` (`bad_code`) for another length or alphabet (I, O, S, V and Z are not used).
    """
    value = normalise(text)
    if not _USCC.fullmatch(value):
        raise IdentifierError(
            "bad_code", "a social credit code has 18 digits or letters other than I O S V Z"
        )
    total = sum(map(mul, _USCC_WEIGHTS, map(_USCC_VALUE.__getitem__, value)))
    return Uscc(value, _USCC_ALPHABET[-total % 31] == value[17])


# --- age ----------------------------------------------------------------------------------------------------


def age_on(birth: date, day: date) -> int:
    """Return the full years of age (周岁) on the calendar day `day`; negative before birth.

    A year of age is complete on the birthday itself, as in school entry and labour law. (Criminal law counts
    from the day after; that reading is not used here.) The Civil Code art. 202 ends a period of years on the
    corresponding day or, where the month has none, on its last day: a child of 29 February completes a year
    on 28 February of a common year. The sixteenth birthday of such a child falls in a leap year in any case
    (2084 births apart), so the choice never shortens the protection against child labour.
    """
    years = day.year - birth.year
    reached = (day.month, day.day) >= (birth.month, birth.day) or (
        (birth.month, birth.day) == (2, 29) and (day.month, day.day) == (2, 28) and not _is_leap(day.year)
    )
    return years if reached else years - 1


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

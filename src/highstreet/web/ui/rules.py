"""How values are written for people, in zh and en. Pure: language and "now" are arguments.

`lang` is a language code; anything that starts with "zh" is Chinese and the rest is English.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

MINUS = "\u2212"
MOST_YUAN = Decimal(100_000)
EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# (units of the variant in one priced unit, its name in zh, its name in en)
PRICED_PER = {
    "g": (100, "100 g", "100 g"),
    "kg": (1, "kg", "kg"),
    "ml": (100, "100 ml", "100 ml"),
    "l": (1, "L", "L"),
    "piece": (1, "件", "pc"),
    "slice": (1, "片", "slice"),
    "m": (1, "米", "m"),
}


def is_chinese(lang: str | None) -> bool:
    return (lang or "").lower().startswith("zh")


def money(fen: int, currency: str = "CNY") -> str:
    """Fen as `¥1,234.50`, negative with a true minus; points (PTS) without decimals."""
    sign = MINUS if fen < 0 else ""
    if currency == "PTS":
        return f"{sign}{abs(fen):,}"
    symbol = "¥" if currency == "CNY" else f"{currency} "
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{symbol}{yuan:,}.{rest:02d}"


def yuan(fen: int) -> str:
    """Fen as they are typed: 1290 -> 12.90."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str) -> int | None:
    """Yuan as typed -> fen; None for what is no amount between 0.01 and 100,000 with at most two decimals."""
    try:
        value = Decimal(text.replace("¥", "").replace("，", ".").strip())
    except InvalidOperation:
        return None
    if not value.is_finite() or not Decimal("0.01") <= value <= MOST_YUAN or value != round(value, 2):
        return None
    return int(value * 100)


def unit_price(fen: int, quantity: int, unit: str, lang: str | None = None) -> str:
    """`¥2.63/100 g` for 2,500 fen of 950 g; empty when one unit is all there is or nothing can be said."""
    if quantity <= 0 or unit not in PRICED_PER:
        return ""
    size, zh, en = PRICED_PER[unit]
    if quantity == size:
        return ""
    # Half up, in integers.
    each = (2 * fen * size + quantity) // (2 * quantity)
    return f"{money(each)}/{zh if is_chinese(lang) else en}"


def clock_time(local: datetime) -> str:
    return f"{local.hour:02d}:{local.minute:02d}"


def day(local: date, today: date, lang: str | None = None) -> str:
    """Today, tomorrow, or the date; the year only when it is another one."""
    zh = is_chinese(lang)
    if local == today:
        return "今天" if zh else "today"
    if local == today + timedelta(days=1):
        return "明天" if zh else "tomorrow"
    if local == today - timedelta(days=1):
        return "昨天" if zh else "yesterday"
    other_year = local.year != today.year
    if zh:
        return (f"{local.year} 年 " if other_year else "") + f"{local.month} 月 {local.day} 日"
    return f"{local.day} {EN_MONTHS[local.month - 1]}" + (f" {local.year}" if other_year else "")


def by_time(local: datetime, now: datetime, lang: str | None = None) -> str:
    """The promise as UX.md writes it: 今天 18:30前 / by 18:30; with its day when that is not today."""
    when = clock_time(local)
    name = day(local.date(), now.date(), lang)
    if is_chinese(lang):
        return f"{name} {when}前"
    if local.date() == now.date():
        return f"by {when}"
    is_named = name in ("tomorrow", "yesterday")
    return f"by {when} {name}" if is_named else f"by {when} on {name}"


def day_time(local: datetime, now: datetime, lang: str | None = None) -> str:
    """`18:30` today, otherwise with the day before it: 明天 09:00 / tomorrow 09:00."""
    if local.date() == now.date():
        return clock_time(local)
    return f"{day(local.date(), now.date(), lang)} {clock_time(local)}"


def distance(metres: float, lang: str | None = None) -> str:
    """`350 m` up to 950 m in steps of 10, then `1.2 km`."""
    zh = is_chinese(lang)
    if metres < 950:
        near = round(max(10.0, metres) / 10) * 10
        return f"{near} 米" if zh else f"{near} m"
    kilometres = f"{metres / 1000:.1f}"
    return f"{kilometres} 公里" if zh else f"{kilometres} km"


def minutes(value: float, lang: str | None = None) -> str:
    """Whole minutes, `1 h 20 min` from an hour on; anything below one is "under 1 min"."""
    zh = is_chinese(lang)
    if not value > 0.5:
        return "不到 1 分钟" if zh else "under 1 min"
    whole = round(value)
    if whole < 60:
        return f"{whole} 分钟" if zh else f"{whole} min"
    hours, rest = divmod(whole, 60)
    if zh:
        return f"{hours} 小时" + (f" {rest} 分钟" if rest else "")
    return f"{hours} h" + (f" {rest} min" if rest else "")

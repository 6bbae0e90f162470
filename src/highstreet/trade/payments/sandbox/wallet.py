"""The phone: one page that asks to pay or to leave it. No script; 360 px wide is enough."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import urlsplit

from .store import Row

_STYLE = """
*{box-sizing:border-box}body{margin:0;background:#ededed;color:#191919;
font:16px/1.5 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC",sans-serif}
main{max-width:420px;margin:0 auto;padding:24px 16px}
section{background:#fff;border-radius:12px;padding:24px 20px;text-align:center}
h1{font-size:1rem;font-weight:500;margin:0 0 4px}
.sum{font-size:2.5rem;font-weight:600;margin:16px 0 4px;font-variant-numeric:tabular-nums}
.what{color:#555;margin:0 0 24px;overflow-wrap:anywhere}
button,.go{display:block;width:100%;min-height:48px;margin-top:12px;border:0;border-radius:8px;
font:inherit;font-weight:600;text-align:center;text-decoration:none;line-height:48px;cursor:pointer}
.pay,.go{background:#067a3e;color:#fff}.leave{background:#f2f2f2;color:#191919}
:focus-visible{outline:3px solid #1259c3;outline-offset:2px}
footer{color:#555;font-size:.8125rem;text-align:center;margin-top:20px}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_NOTES = {
    "SUCCESS": ("支付成功", "Paid"),
    "REFUND": ("已支付，部分或全部已退款", "Paid, and refunded in part or in full"),
    "CLOSED": ("订单已关闭或已过期，不能支付", "This order is closed or expired and cannot be paid"),
    "CANCELLED": ("您已取消，未扣款", "Cancelled. Nothing was charged"),
    "NOTHING": ("没有这笔订单", "There is no such order"),
}


def safe_return_url(wanted: str, shop_origin: str) -> str:
    """`wanted` when it is a path of this host or within `shop_origin` (scheme://host[:port]), else empty."""
    if not wanted or len(wanted) > 2000 or any(ord(sign) <= 32 or sign == "\\" for sign in wanted):
        return ""
    if wanted.startswith("/"):
        return "" if wanted.startswith("//") else wanted
    try:
        parts = urlsplit(wanted)
        within = parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" == shop_origin
    except ValueError:
        return ""
    return wanted if within else ""


def ask_page(order: Row, merchant: str, return_url: str) -> str:
    """The question, with two buttons that post back to this address."""
    target = f"/wallet/{escape(order['prepay_id'])}"
    hidden = f'<input type="hidden" name="return_url" value="{escape(return_url)}">' if return_url else ""
    return _page(
        "确认支付 / Pay",
        f"""{_summary(order, merchant)}
<form method="post" action="{target}">{hidden}
<button class="pay" name="answer" value="pay">确认支付 / Pay</button>
<button class="leave" name="answer" value="cancel">取消 / Cancel</button></form>""",
    )


def note_page(note: str, order: Row | None, merchant: str, return_url: str) -> str:
    """What became of it (`note` is a key of `_NOTES`), and the way back."""
    chinese, english = _NOTES[note]
    back = f'<a class="go" href="{escape(return_url)}">返回商家 / Back to the shop</a>' if return_url else ""
    summary = _summary(order, merchant) if order is not None else ""
    return _page(f"{chinese} / {english}", f'{summary}<p role="status">{chinese}<br>{english}</p>{back}')


def _summary(order: Row, merchant: str) -> str:
    yuan, fen = divmod(order["amount"], 100)
    return (
        f'<h1>{escape(merchant)}</h1><p class="sum">¥{yuan}.{fen:02d}</p>'
        f'<p class="what">{escape(order["description"])}</p>'
    )


def _page(title: str, inner: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><section>{inner}</section>"
        "<footer>沙箱：不会真的扣款<br>Sandbox: no real money moves</footer></main></body></html>"
    )

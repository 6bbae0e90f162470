"""Who we are to WeChat Pay, and whose word we take; read from one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PRODUCTION = "https://api.mch.weixin.qq.com"
_TEXTS = (
    "appid",
    "mchid",
    "api_v3_key",
    "merchant_private_key_pem",
    "merchant_serial",
    "base_url",
    "notify_url",
)


@dataclass(frozen=True)
class WechatConfig:
    """One merchant at one provider root.

    `api_v3_key` is 32 ASCII bytes (AES-256). `platform_certificates` maps the `Wechatpay-Serial` exactly as
    it is sent (certificate serial in upper-case hex, or `PUB_KEY_ID_...`) to the PEM of a certificate or of
    a public key; a serial that is not in it is never looked up elsewhere. Secrets stay out of `repr`.
    """

    appid: str
    mchid: str
    api_v3_key: str = field(repr=False)
    merchant_private_key_pem: str = field(repr=False)
    merchant_serial: str
    platform_certificates: dict[str, str] = field(repr=False)
    base_url: str = PRODUCTION
    notify_url: str = ""

    def __post_init__(self) -> None:
        for name in _TEXTS:
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ValueError(f"{name} must be a text that is not empty")
        if len(self.api_v3_key.encode()) != 32:
            raise ValueError("api_v3_key must be 32 bytes")
        if not self.platform_certificates:
            raise ValueError("platform_certificates must name at least one serial")
        if not self.base_url.startswith(("https://", "http://")) or self.base_url.endswith("/"):
            raise ValueError("base_url must be an http(s) root without a slash at its end")

    @classmethod
    def load(cls, path: Path | str) -> WechatConfig:
        """Read the JSON object of exactly these fields. Raises OSError, or ValueError naming the field."""
        raw: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(raw, dict) or not isinstance(raw.get("platform_certificates"), dict):
            raise ValueError("the file must hold a JSON object with platform_certificates")
        unknown = set(raw) - {*_TEXTS, "platform_certificates"}
        missing = {*_TEXTS, "platform_certificates"} - set(raw) - {"base_url"}
        if unknown or missing:
            raise ValueError(f"unknown fields {sorted(unknown)}, missing fields {sorted(missing)}")
        return cls(**raw)

    def dump(self) -> str:
        """The text that `load` reads. It holds secrets."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

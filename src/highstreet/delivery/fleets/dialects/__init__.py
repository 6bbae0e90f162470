"""The protocols that we speak."""

from ..providers import Dialect, register
from ..rules import MEITUAN, WECHAT
from .meituan import Meituan
from .wechat import Wechat

register(
    WECHAT,
    Dialect(
        (
            "appid",
            "app_secret",
            "delivery_id",
            "shopid",
            "shop_secret",
            "openid",
            "token",
            "aes_key",
        ),
        "https://api.weixin.qq.com",
        Wechat,
    ),
)
register(MEITUAN, Dialect(("appkey", "secret", "service_code"), "https://peisongopen.meituan.com/api", Meituan))

"""What staff read of hired fleets: their names, what they ask for, what came of what they told."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from .words import DELIVERY, Words

FLEETS: Words = {"wechat": gettext_lazy("WeChat instant delivery"), "meituan": gettext_lazy("Meituan delivery")}
# What fleets call what they gave us; their own documents are in Chinese.
FLEET_SECRETS: Words = {
    "appid": gettext_lazy("AppID of the mini-program"),
    "app_secret": gettext_lazy("AppSecret of the mini-program"),
    "delivery_id": gettext_lazy("Fleet's code (delivery_id)"),
    "shopid": gettext_lazy("Our number at the fleet (shopid)"),
    "shop_secret": gettext_lazy("The fleet's AppSecret"),
    "openid": gettext_lazy("OpenID that gets the fleet's notices"),
    "token": gettext_lazy("Token of the message push"),
    "aes_key": gettext_lazy("EncodingAESKey of the message push"),
    "appkey": gettext_lazy("AppKey"),
    "secret": gettext_lazy("Secret"),
    "service_code": gettext_lazy("Service code of the contract"),
}
FLEET_ALERTS: Words = {
    "bag_out": gettext_lazy("The fleet gave up with the bag in its hands"),
    "written_off": gettext_lazy("A bag was never seen again and is written off"),
    "own_couriers": gettext_lazy("No fleet brings it: our own couriers do"),
    "nobody_brings": gettext_lazy("Nobody brings it: the order is cancelled and refunded"),
    "not_ended": gettext_lazy("Nobody brings it, and the order could not be cancelled"),
    "not_packed": gettext_lazy("The fleet's courier has a bag that the store has not packed"),
    "given_up": gettext_lazy("The fleet took too long and was called off"),
    "not_called_off": gettext_lazy("The fleet may come all the same"),
    "came_after_all": gettext_lazy("The fleet has what we called off"),
    "code_unknown": gettext_lazy("The fleet said a code that we do not know"),
    "order_unknown": gettext_lazy("The fleet speaks of an order that we did not give it"),
}
FLEET_FACTS: Words = {
    "order": gettext_lazy("Order"),
    "reason": gettext_lazy("Reason"),
    "refusal": gettext_lazy("Answer"),
    "code": gettext_lazy("Code"),
    "told": gettext_lazy("State"),
}
FLEET_REASONS: Words = {
    **DELIVERY,
    "fleet": gettext_lazy("the fleet cancelled it"),
    "by_us": gettext_lazy("cancelled from our side at the fleet"),
    "courier": gettext_lazy("the courier cancelled it"),
    "store": gettext_lazy("the courier cancelled it because of the store"),
    "no_courier": gettext_lazy("the fleet had no courier"),
    "force_majeure": gettext_lazy("weather or closed roads"),
    "untaken": gettext_lazy("no courier took it in 15 minutes"),
    "silent": gettext_lazy("nothing was heard for 20 minutes"),
    "unreachable": gettext_lazy("the fleet did not answer"),
    "secrets": gettext_lazy("its secrets cannot be read: type them in anew"),
    "unknown there": gettext_lazy("the fleet does not know the order"),
    "lost": gettext_lazy("three hours late and not delivered"),
    "not_back": gettext_lazy("not brought back in two hours"),
    "late": gettext_lazy("an hour late and not picked up"),
}
FLEET_OUTCOMES: Words = {
    "": gettext_lazy("waits"),
    "moved": gettext_lazy("the delivery got on"),
    "same": gettext_lazy("was there already"),
    "repeated": gettext_lazy("a repetition"),
    "late": gettext_lazy("came late, moves nothing"),
    "behind": gettext_lazy("waits for the store to pack it"),
    "ended": gettext_lazy("the delivery had ended"),
    "over": gettext_lazy("it was over already"),
    "lost": gettext_lazy("goes another way"),
    "dropped": gettext_lazy("the bag is out"),
    "stopped": gettext_lazy("called off"),
    "code unknown": gettext_lazy("an unknown code"),
    "unknown": gettext_lazy("not an order of ours"),
}

"""The console's words for what the platform records: states, accounts, journals, roles. Unknown codes stay codes."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy, pgettext_lazy

from highstreet.people.staff import policy

Words = Mapping[str, str | LazyText]

ORDER: Words = {
    "pending": gettext_lazy("To be paid"),
    "confirmed": gettext_lazy("In work"),
    "completed": gettext_lazy("Completed"),
    "cancelled": gettext_lazy("Cancelled"),
    "expired": gettext_lazy("Not paid in time"),
}
ORDER_TONE = {"pending": "warn", "confirmed": "info", "completed": "ok", "cancelled": "bad", "expired": ""}
PAYMENT: Words = {
    "unpaid": gettext_lazy("Unpaid"),
    "authorised": gettext_lazy("Authorised"),
    "partially_paid": gettext_lazy("Partly paid"),
    "paid": gettext_lazy("Paid"),
    "partially_refunded": gettext_lazy("Partly refunded"),
    "refunded": gettext_lazy("Refunded"),
    "overpaid": gettext_lazy("Overpaid"),
    "created": gettext_lazy("Waiting for the payment"),
    "captured": gettext_lazy("Paid"),
    "closed": gettext_lazy("Closed unpaid"),
    "failed": gettext_lazy("Failed"),
}
PAYMENT_TONE = {
    "paid": "ok",
    "captured": "ok",
    "unpaid": "warn",
    "created": "warn",
    "overpaid": "bad",
    "failed": "bad",
    "partially_refunded": "info",
    "refunded": "info",
    "partially_paid": "warn",
}
REFUND: Words = {
    "requested": gettext_lazy("Asked for"),
    "sent": gettext_lazy("Under way"),
    "succeeded": pgettext_lazy("console", "Arrived"),
    "failed": gettext_lazy("Failed"),
}
REFUND_TONE = {"requested": "warn", "sent": "info", "succeeded": "ok", "failed": "bad"}
FULFILMENT: Words = {
    "pending": gettext_lazy("New in the store"),
    "accepted": gettext_lazy("Accepted by the store"),
    "rejected": gettext_lazy("Rejected by the store"),
    "picking": gettext_lazy("Being picked"),
    "packed": gettext_lazy("Packed"),
    "ready": pgettext_lazy("console", "Ready"),
    "handed_over": gettext_lazy("Handed to the courier"),
    "in_transit": gettext_lazy("On the way"),
    "delivered": gettext_lazy("With the customer"),
    "failed": gettext_lazy("Nobody took it"),
    "returning": gettext_lazy("On the way back"),
    "returned": gettext_lazy("Back in the store"),
    "cancelled": gettext_lazy("Cancelled"),
}
DELIVERY: Words = {
    "waiting": gettext_lazy("Waiting for a courier"),
    "assigned": gettext_lazy("Offered to a courier"),
    "accepted": gettext_lazy("A courier took it"),
    "at_store": gettext_lazy("Courier at the store"),
    "picked_up": gettext_lazy("Courier has it"),
    "at_door": gettext_lazy("Courier at the door"),
    "delivered": gettext_lazy("Delivered"),
    "failed": gettext_lazy("Could not be delivered"),
    "returned": gettext_lazy("Brought back"),
    "cancelled": gettext_lazy("Delivery cancelled"),
}
PROMISE: Words = {
    "open": gettext_lazy("Running"),
    "kept": gettext_lazy("Kept"),
    "broken": gettext_lazy("Broken"),
    "void": gettext_lazy("No longer counts"),
}
PROMISE_TONE = {"open": "info", "kept": "ok", "broken": "bad", "void": ""}
MODES: Words = {"delivery": gettext_lazy("Delivery"), "pickup": gettext_lazy("Pickup")}
METHODS: Words = {
    "wechat": gettext_lazy("WeChat Pay"),
    "at_pickup": gettext_lazy("Pay at pickup"),
    "at_door": gettext_lazy("Cash at the door"),
}
SUBSTITUTION: Words = {
    "best": gettext_lazy("Best match"),
    "ask": gettext_lazy("Ask first"),
    "refund": pgettext_lazy("console", "Refund"),
}
ACCOUNTS: Words = {
    "provider_wechat": gettext_lazy("At WeChat Pay"),
    "store_cash": gettext_lazy("Cash in the tills"),
    "customer_funds": gettext_lazy("Customers' money for open orders"),
    "goods_revenue": gettext_lazy("Revenue from goods"),
    "delivery_revenue": gettext_lazy("Revenue from delivery"),
    "refunds_payable": gettext_lazy("Refunds still to arrive"),
    "promise_compensation": gettext_lazy("Paid for broken promises"),
    "points_issued": gettext_lazy("Points given"),
    "points": gettext_lazy("Points held"),
    "courier_pay": gettext_lazy("Couriers' pay"),
    "courier_payable": gettext_lazy("Owed to the courier"),
    "fleet_fees": gettext_lazy("Hired fleets' fees"),
    "fleet_payable": gettext_lazy("Owed to the fleet"),
    "courier_cash": gettext_lazy("Cash in the courier's hand"),
}
JOURNALS: Words = {
    "payment_captured": gettext_lazy("Payment came in"),
    "refund_settled": gettext_lazy("Refund arrived"),
    "order_completed": gettext_lazy("Order completed"),
    "refund": gettext_lazy("Refund promised"),
    "compensation": gettext_lazy("Late order made good"),
    "courier_pay": gettext_lazy("Courier earned"),
    "cash_handed_in": gettext_lazy("Courier handed cash in"),
    "courier_shift_pay": gettext_lazy("Guarantee or bonus of a shift"),
    "fleet_fee": gettext_lazy("Fleet's fee"),
}
MOVES: Words = {
    "receipt": gettext_lazy("Came in"),
    "sale": gettext_lazy("Sold"),
    "adjust": gettext_lazy("Put right"),
    "damage": gettext_lazy("Damaged"),
    "count": gettext_lazy("Counted"),
    "return": gettext_lazy("Came back"),
}
REASONS: Words = {
    "customer": gettext_lazy("the customer's wish"),
    "support": gettext_lazy("by support"),
    "store": gettext_lazy("by the store"),
    "late": gettext_lazy("late"),
    "damaged": gettext_lazy("damaged"),
    "missing": gettext_lazy("missing"),
    "quality": gettext_lazy("poor quality"),
    "wrong_item": gettext_lazy("wrong item"),
    "substitute": gettext_lazy("a cheaper substitute"),
    "short": gettext_lazy("short on the shelf"),
    "out_of_stock": gettext_lazy("sold out"),
    "no_store": gettext_lazy("no store could do it"),
    "no_courier": gettext_lazy("nobody could bring it"),
    "expired": gettext_lazy("not paid in time"),
    "paid_twice": gettext_lazy("paid twice"),
    "returned": gettext_lazy("brought back"),
    "not_packed": gettext_lazy("never packed"),
    "not_collected": gettext_lazy("not collected"),
    "cancelled": gettext_lazy("cancelled"),
    "no_capacity": gettext_lazy("no courier free"),
    "closed": gettext_lazy("store closed"),
    "too_busy": gettext_lazy("store too busy"),
    "closing": gettext_lazy("store closing"),
    "equipment": gettext_lazy("something broke"),
    "no_answer": gettext_lazy("the store did not answer"),
    "other": gettext_lazy("another reason"),
    "stuck": gettext_lazy("the courier does not get on"),
    "asked": gettext_lazy("the courier asked for it"),
    "too_big": gettext_lazy("too big for this courier"),
    "together": gettext_lazy("goes with another order"),
}
POLICIES: Words = {
    "timely": gettext_lazy("Timely: the whole city at once, lateness and couriers' time weighed"),
    "nearest": gettext_lazy("Nearest: the next free courier"),
    "matching": gettext_lazy("Matching: every five minutes, no bundles"),
    "reyes": gettext_lazy("Rolling horizon (Reyes and others 2018)"),
    "by_hand": gettext_lazy("By hand"),
}
ROLES: Words = policy.ROLE_WORDS
PERMISSIONS: Words = {row.code: row.says for row in policy.CATALOGUE}
ACTORS: Words = {
    "system": gettext_lazy("Highstreet itself"),
    "guest": gettext_lazy("a guest"),
    "customer": gettext_lazy("the customer"),
    "staff": gettext_lazy("staff"),
    "courier": gettext_lazy("a courier"),
    "partner": gettext_lazy("an API key"),
}
EVENTS: Words = {
    "order.paid": gettext_lazy("A payment came in"),
    "order.confirmed": gettext_lazy("The store has the order"),
    "order.completed": gettext_lazy("Delivered or collected"),
    "order.cancelled": gettext_lazy("The order was cancelled"),
    "order.expired": gettext_lazy("Nobody paid in time"),
    "delivery.assigned": gettext_lazy("A courier has it"),
    "delivery.moved": gettext_lazy("The delivery got on"),
    "refund.settled": gettext_lazy("A refund arrived"),
    "refund.failed": gettext_lazy("A refund did not arrive"),
    "promise.kept": gettext_lazy("It was in time"),
    "promise.broken": gettext_lazy("It was late"),
}
HOOK_OFF: Words = {
    "person": gettext_lazy("switched off"),
    "gone": gettext_lazy("off: the address said it is gone (410)"),
    "failing": gettext_lazy("off: it failed for five days"),
}
HOOK_ERRORS: Words = {
    "timeout": gettext_lazy("no answer in time"),
    "connection": gettext_lazy("no connection"),
    "tls": gettext_lazy("bad certificate"),
    "protocol": gettext_lazy("no HTTP answer"),
    "unknown_host": gettext_lazy("no such name"),
    "address": gettext_lazy("a private address: not called"),
    "scheme": gettext_lazy("not https: not called"),
    "port": gettext_lazy("a barred port: not called"),
    "url": gettext_lazy("a bad address: not called"),
    "secret": gettext_lazy("the secret cannot be read: make a new one"),
}
SENDING: Words = {
    "waiting": gettext_lazy("waiting"),
    "sent": gettext_lazy("arrived"),
    "failed": gettext_lazy("given up"),
}
ALERTS: Words = {
    "payment_amount": gettext_lazy("A payment of another amount"),
    "payment_refused": gettext_lazy("The provider refused a payment"),
    "close_refused": gettext_lazy("The provider would not close a payment"),
    "callback_unknown": gettext_lazy("An unknown message from the provider"),
    "refund_refused": gettext_lazy("The provider refused a refund"),
    "refund_failed": gettext_lazy("A refund did not arrive"),
}
INCIDENTS: Words = {
    "nobody_home": gettext_lazy("Nobody home"),
    "not_paid": gettext_lazy("Not paid at the door"),
    "damaged": gettext_lazy("Damaged"),
    "cannot_go_on": gettext_lazy("Courier cannot go on"),
    "lost": gettext_lazy("Courier vanished with it"),
    "refused": gettext_lazy("The customer did not take it"),
    "called_back": gettext_lazy("Called back on the way"),
    "fleet": gettext_lazy("The fleet gave it up"),
}
STOCK_REASONS: Words = {
    "demo": gettext_lazy("first filling"),
    "count": gettext_lazy("counted again"),
    "damaged": gettext_lazy("damaged"),
    "expired": gettext_lazy("past its date"),
    "missing": gettext_lazy("missing"),
    "found": gettext_lazy("found"),
    "delivery": gettext_lazy("goods came in"),
    "other": gettext_lazy("another reason"),
}
# What the audit's checks say (kernel.audit.add), each of them.
SAYS: Words = {
    "a courier is at one door at a time": gettext_lazy("a courier is at one door at a time"),
    "a courier's shifts do not overlap": gettext_lazy("a courier's shifts do not overlap"),
    "a fulfilment is where its history ends": gettext_lazy("a fulfilment is where its history ends"),
    "a judged promise says what its times say": gettext_lazy("a judged promise says what its times say"),
    "a packed fulfilment claims no units any more": gettext_lazy("a packed fulfilment claims no units any more"),
    "a paid order has accepted payments of what it costs": gettext_lazy(
        "a paid order has accepted payments of what it costs"
    ),
    "a payment is where its history ends": gettext_lazy("a payment is where its history ends"),
    "a pickup code is redeemed exactly when its order is collected": gettext_lazy(
        "a pickup code is redeemed exactly when its order is collected"
    ),
    "a state's history is a path": gettext_lazy("a state's history is a path"),
    "a substitute stands for units that are short": gettext_lazy("a substitute stands for units that are short"),
    "an ended order keeps none of the customer's money unbooked": gettext_lazy(
        "an ended order keeps none of the customer's money unbooked"
    ),
    "an order is what was quoted": gettext_lazy("an order is what was quoted"),
    "an order is where its history ends": gettext_lazy("an order is where its history ends"),
    "an order's status is what its fulfilment says": gettext_lazy("an order's status is what its fulfilment says"),
    "an order's total is its lines and its fee": gettext_lazy("an order's total is its lines and its fee"),
    "captured is at most what was asked, refunded at most what was captured": gettext_lazy(
        "captured is at most what was asked, refunded at most what was captured"
    ),
    "a courier's cash in hand is what was taken at doors less what was handed in, never below 0": gettext_lazy(
        "a courier's cash in hand is what was taken at doors less what was handed in, never below 0"
    ),
    "each hand-in is booked once, out of the courier's hand into the till": gettext_lazy(
        "each hand-in is booked once, out of the courier's hand into the till"
    ),
    "what is paid on handing over was paid when it was handed over, and nothing of it before": gettext_lazy(
        "what is paid on handing over was paid when it was handed over, and nothing of it before"
    ),
    "each capture is booked once, to the fen": gettext_lazy("each capture is booked once, to the fen"),
    "a shift's pay is what its rule says of its minutes and orders": gettext_lazy(
        "a shift's pay is what its rule says of its minutes and orders"
    ),
    "each shift was paid what it says, once, and earned what its orders were paid": gettext_lazy(
        "each shift was paid what it says, once, and earned what its orders were paid"
    ),
    "no courier has two planned shifts at once": gettext_lazy("no courier has two planned shifts at once"),
    "nobody on a break has an order to bring": gettext_lazy("nobody on a break has an order to bring"),
    "nothing is paid for a shift that is not written down": gettext_lazy(
        "nothing is paid for a shift that is not written down"
    ),
    "each fleet is owed what its orders say, once": gettext_lazy("each fleet is owed what its orders say, once"),
    "each delivery's courier was paid what it says, once": gettext_lazy(
        "each delivery's courier was paid what it says, once"
    ),
    "each settled refund is booked once, to the fen": gettext_lazy("each settled refund is booked once, to the fen"),
    "every balance is the sum of its postings": gettext_lazy("every balance is the sum of its postings"),
    "every event is handled": gettext_lazy("every event is handled"),
    "no webhook that is due waits unattended": gettext_lazy("no webhook that is due waits unattended"),
    "every journal sums to 0 in each currency": gettext_lazy("every journal sums to 0 in each currency"),
    "a flash sale's shares hold what their level says": gettext_lazy(
        "a flash sale's shares hold what their level says"
    ),
    "an order at a fleet is where its history ends": gettext_lazy("an order at a fleet is where its history ends"),
    "no delivery waits for a fleet that does not have it": gettext_lazy(
        "no delivery waits for a fleet that does not have it"
    ),
    "no call to a fleet that is due waits unattended": gettext_lazy("no call to a fleet that is due waits unattended"),
    "no courier has more packages than the bag holds": gettext_lazy("no courier has more packages than the bag holds"),
    "no hold is older than its expiry + 60 s": gettext_lazy("no hold is older than its expiry + 60 s"),
    "no order waits for a store's answer half an hour past its time": gettext_lazy(
        "no order waits for a store's answer half an hour past its time"
    ),
    "no order waits to be packed two and a half hours past its promise": gettext_lazy(
        "no order waits to be packed two and a half hours past its promise"
    ),
    "no order waits for a payment past its expiry + 60 s": gettext_lazy(
        "no order waits for a payment past its expiry + 60 s"
    ),
    "no quarter of an hour is promised beyond its couriers": gettext_lazy(
        "no quarter of an hour is promised beyond its couriers"
    ),
    "nobody's position is kept off shift": gettext_lazy("nobody's position is kept off shift"),
    "on_hand - held - allocated >= 0": gettext_lazy("on_hand - held - allocated >= 0"),
    "on_hand is the sum of its moves": gettext_lazy("on_hand is the sum of its moves"),
    "nothing is booked as captured but a captured payment": gettext_lazy(
        "nothing is booked as captured but a captured payment"
    ),
    "nothing is booked as settled but a settled refund": gettext_lazy(
        "nothing is booked as settled but a settled refund"
    ),
    "nothing packed waits for a courier, nor failed for its way back, for ever": gettext_lazy(
        "nothing packed waits for a courier, nor failed for its way back, for ever"
    ),
    "what a payment gives back is the sum of its refunds": gettext_lazy(
        "what a payment gives back is the sum of its refunds"
    ),
    "what an order gives back is the sum of its refunds": gettext_lazy(
        "what an order gives back is the sum of its refunds"
    ),
    "what an order has been paid is what its payments captured, in its currency": gettext_lazy(
        "what an order has been paid is what its payments captured, in its currency"
    ),
    "what has left the store is in a courier's bag": gettext_lazy("what has left the store is in a courier's bag"),
    "what is held is the sum of the live holds": gettext_lazy("what is held is the sum of the live holds"),
    "what is packed is picked or short, and nobody is still asked": gettext_lazy(
        "what is packed is picked or short, and nobody is still asked"
    ),
    "what is prepaid is not packed unpaid": gettext_lazy("what is prepaid is not packed unpaid"),
    "what is taken is the sum of the confirmed holds": gettext_lazy("what is taken is the sum of the confirmed holds"),
    "whoever has packages is on shift": gettext_lazy("whoever has packages is on shift"),
}
INVARIANTS: Words = {
    "I1": gettext_lazy("Every journal sums to zero"),
    "I2": gettext_lazy("Balances are the sums of their postings"),
    "I3": gettext_lazy("Stock is the sum of its moves, never below zero"),
    "I4": gettext_lazy("What is held has a live hold, and not for ever"),
    "I5": gettext_lazy("An order's total is the sum of its parts"),
    "I6": gettext_lazy("No more is captured than asked, no more refunded than captured"),
    "I7": gettext_lazy("No offer is used more often than allowed"),
    "I8": gettext_lazy("Nobody does two jobs at once"),
    "I9": gettext_lazy("Every state was reached by an allowed path"),
    "I10": gettext_lazy("Every event is handled, with one effect"),
    "I11": gettext_lazy("What is paid has a payment of that amount"),
}

ROSTER: Words = {
    "draft": pgettext_lazy("roster", "draft"),
    "open": pgettext_lazy("roster", "open"),
    "taken": pgettext_lazy("roster", "taken"),
    "offered": pgettext_lazy("roster", "offered to others"),
}


def of(words: Words, code: str) -> str:
    """The words for a code; the code itself where there are none."""
    return str(words.get(code, code))


def actor(name: str) -> str:
    """ "staff:0192…" -> "staff": what kind of person did it. Who exactly is for the audit trail."""
    return of(ACTORS, name.partition(":")[0])

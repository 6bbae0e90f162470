from __future__ import annotations

from datetime import timedelta

import pytest

from highstreet.kernel import clock, ids
from highstreet.kernel.models import Hold
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.supply.inventory.models import StockMove
from highstreet.trade.fulfilment import actions, reads

from . import support
from .support import assert_clean, line, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> support.Shop:
    return support.shop()


def refusal(work: object, **kwargs: object) -> Refused:
    with pytest.raises(Refused) as caught:
        work(**kwargs)  # type: ignore[operator]
    return caught.value


def test_an_order_of_lines_is_scans_and_one_tap(place: support.Shop) -> None:
    row, staff = support.order(place), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    first = actions.scan(actor=staff, fulfilment_id=row.pk, code=place.variants["broccoli"].barcode)
    assert (first.picked, first.quantity, first.done) == (1, 2, False)
    actions.scan(actor=staff, fulfilment_id=row.pk, code="sku-2")
    last = actions.scan(actor=staff, fulfilment_id=row.pk, code=place.variants["milk"].barcode)
    assert last.done
    actions.pack(actor=staff, fulfilment_id=row.pk)
    row.refresh_from_db()
    assert row.status == "ready" and row.ready_at is not None
    assert place.stock("broccoli") == (8, 0, 0)
    assert place.stock("milk") == (9, 0, 0)
    moves = StockMove.objects.filter(kind="sale")
    assert {(move.delta, move.cause, move.actor) for move in moves} == {
        (-2, row.order_id, f"system:{staff.user_id}"),
        (-1, row.order_id, f"system:{staff.user_id}"),
    }
    assert [event["mode"] for event in told("FulfilmentReady")] == ["delivery"]
    assert_clean()


def test_a_wrong_item_is_refused_in_words_that_name_both(place: support.Shop) -> None:
    row, staff = support.order(place, {"broccoli": 1, "toast": 1}), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    wrong = refusal(actions.scan, actor=staff, fulfilment_id=row.pk, code=place.variants["milk"].barcode)
    assert wrong.words == "Wrong item: scanned milk 950 ml, need A2-01 broccoli 300 g"
    unknown = refusal(actions.scan, actor=staff, fulfilment_id=row.pk, code="6901234567892")
    assert unknown.reason.code == "unknown_code" and "A2-01 broccoli" in unknown.words
    assert line(row, place, "broccoli").picked == line(row, place, "toast").picked == 0
    assert_clean()


def test_one_too_many_is_refused(place: support.Shop) -> None:
    row, staff = support.order(place), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    code = place.variants["milk"].barcode
    actions.scan(actor=staff, fulfilment_id=row.pk, code=code)
    again = refusal(actions.scan, actor=staff, fulfilment_id=row.pk, code=code)
    assert again.reason.code == "already_picked" and "milk" in again.words
    more = refusal(actions.scan, actor=staff, fulfilment_id=row.pk, code="SKU-2", units=3)
    assert more.reason.code == "already_picked"
    for units in (0, -1, 100):
        assert (
            refusal(actions.scan, actor=staff, fulfilment_id=row.pk, code="SKU-2", units=units).reason.code == "invalid"
        )
    assert line(row, place, "milk").picked == 1 and line(row, place, "broccoli").picked == 0


def test_scanning_needs_an_accepted_order_of_the_own_store(place: support.Shop) -> None:
    row, other = support.order(place), support.shop("other")
    assert refusal(actions.scan, actor=place.staff(), fulfilment_id=row.pk, code="SKU-2").reason.code == "wrong_state"
    for action in (actions.accept, actions.start_picking, actions.pack, actions.hand_over):
        assert refusal(action, actor=other.staff(), fulfilment_id=row.pk).reason.code == "not_found"
        assert refusal(action, actor=NOBODY, fulfilment_id=row.pk).reason.code == "not_signed_in"
    item = line(row, place, "milk")
    assert refusal(actions.mark_short, actor=other.staff(), line_id=item.pk, units=1).reason.code == "not_found"
    assert refusal(actions.cancel, actor=place.staff(), fulfilment_id=row.pk).reason.code == "forbidden"


def test_nothing_is_packed_before_all_is_picked(place: support.Shop) -> None:
    row, staff = support.order(place), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    early = refusal(actions.pack, actor=staff, fulfilment_id=row.pk)
    assert early.words == "3 still to pick, first A2-01 broccoli 300 g"
    row.refresh_from_db()
    assert row.status == "accepted" and place.stock("milk") == (10, 0, 1)


def test_short_units_go_free_and_their_money_back(place: support.Shop) -> None:
    row, staff = support.order(place, substitution="refund", collect_due=3000), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    item = line(row, place, "broccoli")
    assert refusal(actions.mark_short, actor=staff, line_id=item.pk, units=3).reason.code == "too_many_units"
    assert refusal(actions.mark_short, actor=staff, line_id=item.pk, units=0).reason.code == "invalid"
    actions.mark_short(actor=staff, line_id=item.pk, units=1)
    assert (
        refusal(
            actions.propose_substitute, actor=staff, line_id=item.pk, variant_id=place.variants["toast"].pk, units=1
        ).reason.code
        == "no_substitutes"
    )
    support.pick_all(row, staff)
    actions.pack(actor=staff, fulfilment_id=row.pk)
    assert place.stock("broccoli") == (9, 0, 0)
    assert [event["units"] for event in told("LineShort")] == [1]
    row.refresh_from_db()
    assert row.collect_due == 3000 - 600
    assert_clean()


def test_all_short_cancels_and_frees_everything(place: support.Shop) -> None:
    row, staff = support.order(place), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    actions.mark_short(actor=staff, line_id=line(row, place, "broccoli").pk, units=2)
    actions.mark_short(actor=staff, line_id=line(row, place, "milk").pk, units=1)
    row.refresh_from_db()
    assert row.status == "cancelled"
    assert [event["reason"] for event in told("FulfilmentCancelled")] == ["nothing_left"]
    assert place.stock("broccoli") == (10, 0, 0)
    assert not Hold.objects.filter(group=row.group, state__in=["held", "confirmed"]).exists()
    assert_clean()


def test_the_best_match_goes_in_at_once(place: support.Shop) -> None:
    row, staff = support.order(place, {"toast": 2}), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    item = line(row, place, "toast")
    other = place.variants["wholemeal"].pk
    assert (
        refusal(
            actions.propose_substitute, actor=staff, line_id=item.pk, variant_id=item.variant_id, units=1
        ).reason.code
        == "not_a_substitute"
    )
    assert (
        refusal(actions.propose_substitute, actor=staff, line_id=item.pk, variant_id=ids.new_id(), units=1).reason.code
        == "not_a_substitute"
    )
    assert actions.propose_substitute(actor=staff, line_id=item.pk, variant_id=other, units=2) == "agreed"
    assert place.stock("wholemeal") == (8, 0, 0)
    assert [(event["units"], event["price_below"]) for event in told("LineSubstituted")] == [(2, 100)]
    assert (
        refusal(actions.propose_substitute, actor=staff, line_id=item.pk, variant_id=other, units=1).reason.code
        == "already_substituted"
    )
    actions.pack(actor=staff, fulfilment_id=row.pk)
    assert place.stock("toast") == (10, 0, 0)
    assert told("LineShort") == []
    assert_clean()


def test_a_substitute_that_others_hold_is_refused(place: support.Shop) -> None:
    support.order(place, {"wholemeal": 10})
    row, staff = support.order(place, {"toast": 1}), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    item = line(row, place, "toast")
    refused = refusal(
        actions.propose_substitute, actor=staff, line_id=item.pk, variant_id=place.variants["wholemeal"].pk, units=1
    )
    assert refused.reason.code == "not_enough_stock"
    item.refresh_from_db()
    assert (item.short, item.substitute_state) == (0, "")
    assert_clean()


@pytest.mark.parametrize("agreed", [True, False])
def test_the_shopper_answers(place: support.Shop, agreed: bool) -> None:
    row, staff = support.order(place, {"toast": 1, "milk": 1}, substitution="ask"), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    item = line(row, place, "toast")
    asked = actions.propose_substitute(actor=staff, line_id=item.pk, variant_id=place.variants["wholemeal"].pk, units=1)
    assert asked == "asked" and len(told("SubstituteAsked")) == 1 and told("LineShort") == []
    actions.scan(actor=staff, fulfilment_id=row.pk, code="SKU-1")
    waiting = refusal(actions.pack, actor=staff, fulfilment_id=row.pk)
    assert waiting.reason.code == "not_answered" and "toast" in waiting.words
    actions.answer_substitute(actor=THE_SYSTEM, line_id=item.pk, agreed=agreed)
    assert (
        refusal(actions.answer_substitute, actor=THE_SYSTEM, line_id=item.pk, agreed=not agreed).reason.code
        == "not_asked"
    )
    actions.pack(actor=staff, fulfilment_id=row.pk)
    assert place.stock("wholemeal")[0] == (9 if agreed else 10)
    assert len(told("LineShort")) == (0 if agreed else 1)
    assert len(told("LineSubstituted")) == (1 if agreed else 0)
    assert_clean()


def test_silence_is_a_no_after_the_retailers_minutes(place: support.Shop) -> None:
    row, staff = support.order(place, {"toast": 1, "milk": 1}, substitution="ask"), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    item = line(row, place, "toast")
    actions.propose_substitute(actor=staff, line_id=item.pk, variant_id=place.variants["wholemeal"].pk, units=1)
    assert actions.lapse_unanswered(actor=THE_SYSTEM) == 0
    assert reads.detail(staff, row.pk).lines[0].answer_by is not None
    with clock.advanced(timedelta(minutes=2, seconds=1)):
        assert actions.lapse_unanswered(actor=THE_SYSTEM) == 1
        assert actions.lapse_unanswered(actor=THE_SYSTEM) == 0
    assert len(told("LineShort")) == 1 and place.stock("wholemeal") == (10, 0, 0)
    assert_clean()


def test_a_lone_line_unanswered_cancels(place: support.Shop) -> None:
    row, staff = support.order(place, {"toast": 1}, substitution="ask"), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    actions.propose_substitute(
        actor=staff, line_id=line(row, place, "toast").pk, variant_id=place.variants["wholemeal"].pk, units=1
    )
    with clock.advanced(timedelta(minutes=3)):
        actions.pack(actor=staff, fulfilment_id=row.pk)
    row.refresh_from_db()
    assert row.status == "cancelled"
    assert place.stock("wholemeal") == (10, 0, 0) and place.stock("toast") == (10, 0, 0)
    assert_clean()


def test_rejected_with_a_reason_keeps_the_holds_for_the_order(place: support.Shop) -> None:
    row, staff = support.order(place), place.staff()
    assert refusal(actions.reject, actor=staff, fulfilment_id=row.pk, reason="lazy").reason.code == "bad_reason"
    actions.reject(actor=staff, fulfilment_id=row.pk, reason="too_busy")
    assert [event["reason"] for event in told("FulfilmentRejected")] == ["too_busy"]
    assert place.stock("milk") == (10, 0, 1)
    assert_clean()

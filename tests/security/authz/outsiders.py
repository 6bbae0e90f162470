"""What partners and hired fleets keep on a plot."""

from __future__ import annotations

from highstreet.delivery.dispatch.models import Replay
from highstreet.delivery.fleets.models import Fleet, FleetAlert, FleetEvent
from highstreet.delivery.fleets.sealing import seal as seal_fleet
from highstreet.growth.partners.models import ApiKey, Endpoint, Message, Sending
from highstreet.growth.partners.sealing import seal
from highstreet.kernel import clock, ids

from .plots import PLOTS, Plot


def partners(plot: Plot) -> None:
    """A key and a webhook with a log, of the plot's organisation."""
    at = clock.now()
    key = ApiKey.objects.create(
        organisation=plot.organisation,
        name=plot.mark("key"),
        prefix=f"hsk_{plot.name}",
        digest=f"kanari-digest-{plot.name}".ljust(64, "0"),
        scopes=["console.read"],
        stores=None,
        made_by="test",
        created_at=at,
    )
    hook = Endpoint.objects.create(
        organisation=plot.organisation,
        url=f"https://example.com/{plot.mark('hook')}",
        events=["order.paid"],
        secret=seal(f"kanari-sealed-{plot.name}"),
        created_at=at,
        changed_at=at,
    )
    message = Message.objects.create(
        organisation=plot.organisation,
        event=1000 + PLOTS.index(plot.name),
        type="order.paid",
        entity=ids.new_id(),
        body=plot.mark("message"),
        at=at,
    )
    sending = Sending.objects.create(
        endpoint=hook,
        message=message,
        event=message.event,
        entity=message.entity,
        status="sent",
        next_at=at,
        created_at=at,
    )
    replay = Replay.objects.create(
        city=plot.scene.city, day=at.date(), policy="timely", failure="replay_empty", asked_at=at, finished_at=at
    )
    plot.values["replay"] = ids.public("rpl", replay.pk)
    plot.secrets["webhook_secret"] = f"kanari-sealed-{plot.name}"
    plot.secrets["webhook_sealed"] = hook.secret
    plot.values |= {
        "api_key": ids.public("key", key.pk),
        "webhook": ids.public("whk", hook.pk),
        "message": ids.public("evt", message.pk),
        "sending": ids.public("snd", sending.pk),
    }


def fleets(plot: Plot) -> None:
    """A fleet of the plot's organisation that has told something, and an alert about it."""
    at = clock.now()
    fleet = Fleet.objects.create(
        organisation=plot.organisation,
        provider="meituan",
        name=plot.mark("fleet"),
        secrets=seal_fleet(dict.fromkeys(("appkey", "secret", "service_code"), f"kanari-fleet-{plot.name}")),
        created_at=at,
        changed_at=at,
    )
    FleetEvent.objects.create(
        fleet=fleet,
        event_id=plot.name,
        number=plot.mark("fleetnumber"),
        code="20",
        resource={},
        received_at=at,
        applied_at=at,
        outcome="unknown",
    )
    alert = FleetAlert.objects.create(
        fleet=fleet, kind="order_unknown", subject=plot.mark("fleetnumber"), facts={}, at=at
    )
    plot.secrets["fleet_secret"] = f"kanari-fleet-{plot.name}"
    plot.values |= {"fleet": ids.public("flt", fleet.pk), "fleet_alert": ids.public("fla", alert.pk)}

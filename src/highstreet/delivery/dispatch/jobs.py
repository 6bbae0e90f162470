"""Jobs of dispatch: run a replay."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from . import replaying


@app.task(name="dispatch.replay", lock="dispatch.replay")
def replay(replay_id: str) -> None:
    replaying.run(UUID(replay_id))

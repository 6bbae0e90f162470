"""`highstreet dispatch bench` and `generate`, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from highstreet.cli import main


def test_the_commands_make_compare_and_refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = str(tmp_path / "days")
    assert main(["dispatch", "generate", days, "--days", "1", "--orders", "40", "--shops", "5", "--couriers", "9"]) == 0
    few = ["--policy", "timely", "--policy", "nearest", "--workers", "1"]
    assert main(["dispatch", "bench", days, *few, "--logs", str(tmp_path / "logs")]) == 0
    said = capsys.readouterr().out
    assert "| timely |" in said and "1 days, 0 violations" in said
    assert (tmp_path / "logs" / "timely" / "city-1-day-1.csv").exists()
    assert main(["dispatch", "bench", str(tmp_path / "nothing")]) == 2
    assert main(["dispatch", "bench", days, "--only", "nothing"]) == 2

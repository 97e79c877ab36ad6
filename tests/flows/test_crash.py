"""Nothing is lost when workers, senders, the web process and the simulators are killed in the middle of their work."""

import pytest

from diaodu.app.proof import run_round


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_every_order_is_completed_and_all_is_whole_after_five_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAODU_LOG_LEVEL", "warning")
    found = run_round(20260302, orders=20, kills=5)
    assert found.unfinished == []
    assert found.violations == []
    assert (found.orders, found.kills) == (20, 5)

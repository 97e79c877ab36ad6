"""Statement 27: whichever process is killed at whatever moment, orders that are being changed come to their end."""

import pytest

from diaodu.app.proof import run_round


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_27_orders_that_change_under_kill_minus_9_are_completed_or_cancelled_and_all_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DIAODU_LOG_LEVEL", "warning")
    found = run_round(20260427, orders=12, kills=5, changes=6)
    assert found.unfinished == []
    assert found.violations == []
    assert found.kills == 5
    assert 12 - 6 <= found.orders <= 12

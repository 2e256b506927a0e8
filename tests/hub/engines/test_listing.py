"""Lists and details of containers as rows."""

from __future__ import annotations

import pytest
from hypothesis import given

from hub.engines import listing
from hub.engines.listing import Brief, Size
from hub.engines.reports import ContainerRow
from tests.hub.engines.recorded import BRIEF, EXITED, EXITED_DETAIL, ID, RUNNING_DETAIL, changed
from tests.hub.engines.test_values import JSON
from wire.limits import ENGINE_CONTAINERS


def brief(answer: dict[str, object] = BRIEF) -> Brief:
    (one,), _ = listing.briefs([answer])
    return one


def test_a_running_container() -> None:
    row = listing.row(brief(), listing.detail(RUNNING_DETAIL), Size(2, 5000, 7.0))
    assert row == ContainerRow(
        id=ID,
        name="shop-1",
        image="shop:3",
        state="running",
        status="Up 3 seconds (healthy)",
        health="healthy",
        created_at=pytest.approx(1795421167.3445256),
        started_at=pytest.approx(1795421167.8684144),
        finished_at=None,
        exit_code=None,
        oom_killed=False,
        restart_count=0,
        pid=15333,
        labels={"com.docker.compose.service": "shop"},
        addresses=("172.17.0.2", "10.0.0.7", "fd00::7"),
        cpu_limit=0.5,
        rootfs_rw_bytes=2,
        rootfs_bytes=5000,
        sized_at=7.0,
    )


def test_an_exited_container() -> None:
    row = listing.row(brief(EXITED), listing.detail(EXITED_DETAIL), None)
    assert (row.state, row.exit_code, row.oom_killed, row.restart_count, row.pid) == ("exited", 137, True, 2, None)
    assert (row.cpu_limit, row.rootfs_rw_bytes, row.sized_at) == (0.5, None, None)


def test_without_details_the_row_stands_with_unknowns() -> None:
    row = listing.row(brief(), None, None)
    assert (row.name, row.health, row.created_at) == ("shop-1", "healthy", 1795421167.0)
    assert (row.pid, row.started_at, row.oom_killed, row.exit_code) == (None, None, None, None)


def test_a_container_never_started_has_no_exit_code() -> None:
    state = {"Status": "created", "Running": False, "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z"}
    assert listing.detail(changed(RUNNING_DETAIL, "State", to=state)).exit_code is None


def test_quota_and_period_make_a_limit() -> None:
    config = {"NanoCpus": 0, "CpuQuota": 150000, "CpuPeriod": 0}
    assert listing.detail(changed(RUNNING_DETAIL, "HostConfig", to=config)).cpu_limit == 1.5


@pytest.mark.parametrize("names", [None, [], ["/a/b"], ["/" + "x" * 500], ["/\x1b[2J"], [5]])
def test_a_name_that_is_none_is_replaced_by_the_id(names: object) -> None:
    assert brief(changed(BRIEF, "Names", to=names)).name == ID[:12]


@pytest.mark.parametrize("identity", [None, "", ID[:12], ID.upper(), ID + "\n", "../../x"])
def test_an_entry_without_a_proper_id_is_counted_not_shown(identity: object) -> None:
    assert listing.briefs([changed(BRIEF, "Id", to=identity), BRIEF]) == ([brief()], 1)


def test_a_list_beyond_the_bound_is_cut_and_counted() -> None:
    kept, left_out = listing.briefs([BRIEF] * (ENGINE_CONTAINERS + 3))
    assert (len(kept), left_out) == (ENGINE_CONTAINERS, 3)


def test_an_unheard_of_state_is_unknown() -> None:
    assert brief(changed(BRIEF, "State", to="levitating")).state == "unknown"


@pytest.mark.parametrize(
    ("status", "same"),
    [("Up 9 minutes (healthy)", True), ("Up 3 seconds (unhealthy)", False), ("Up 3 seconds (health: starting)", False)],
)
def test_the_key_ignores_the_passing_of_time_but_not_health(status: str, same: bool) -> None:
    assert (listing.brief_key(brief()) == listing.brief_key(brief(changed(BRIEF, "Status", to=status)))) == same


def test_the_key_changes_with_the_exit_code() -> None:
    other = brief(changed(EXITED, "Status", to="Exited (0) 2 minutes ago"))
    older = brief(changed(EXITED, "Status", to="Exited (137) 3 hours ago"))
    assert listing.brief_key(other) != listing.brief_key(brief(EXITED)) == listing.brief_key(older)


def test_sizes_of_a_sized_list() -> None:
    sized = listing.sizes([{**BRIEF, "SizeRw": 7, "SizeRootFs": 900}, {"Id": "x"}, None], 5.0)
    assert sized == {ID: Size(7, 900, 5.0)}


@given(JSON)
def test_a_lying_engine_yields_rows_or_nothing(junk: object) -> None:
    for answer in (junk, [junk], *([changed(BRIEF, key, to=junk)] for key in BRIEF)):
        for one in listing.briefs(answer)[0]:
            for detail in (junk, *(changed(EXITED_DETAIL, key, to=junk) for key in EXITED_DETAIL)):
                row = listing.row(one, listing.detail(detail), None)
                assert row.id == ID
                assert row.state in {*listing.STATES, "unknown"}
    listing.sizes(junk, 0.0)

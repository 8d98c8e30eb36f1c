"""A list is read once for all processes, kept while the vendor fails, and forgotten in the end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.fake_vendor import failure, success
from harness.pick_lists import JONATHAN, RUBY
from harness.waiting import until
from renderline.catalogue import ListUnavailable, Refresher
from renderline.catalogue.runner import RECENT, CatalogueRunner
from renderline.studio import StudioFault

KEY = "renderline:catalogue:main:models"


def ids(snapshot):
    return [row["id"] for row in snapshot.rows]


def test_a_list_is_read_once_and_then_comes_from_redis(refresher, lists, new_store):
    assert ids(refresher.current("main", "models")) == ["M000045058"]
    assert ids(refresher.current("main", "models")) == ["M000045058"]
    another_process = Refresher(new_store(), refresher.clients)
    found = another_process.current("main", "models")
    assert found.by_id["M000045058"]["clothes"] == [{"id": "BG00002320", "label": {"en": "Navy suit"}}]
    assert lists.asked() == 1


def test_only_documented_fields_are_kept(refresher, redis):
    refresher.current("main", "models")
    assert "not kept" not in str(redis.hgetall(KEY))


def test_it_is_read_anew_when_its_lifetime_is_over_or_somebody_asks(refresher, lists, now):
    refresher.current("main", "models")
    lists.rows["/model"] = [RUBY]
    now[0] += 3599
    assert ids(refresher.current("main", "models")) == ["M000045058"]
    assert ids(refresher.current("main", "models", anew=True)) == ["M000004017"]
    lists.rows["/model"] = [JONATHAN]
    now[0] += 3600
    assert ids(refresher.current("main", "models")) == ["M000045058"]


def test_one_process_reads_it_while_the_others_wait_for_that(refresher, lists, new_store):
    asked, go_on = threading.Event(), threading.Event()

    def slow(call):
        asked.set()
        assert go_on.wait(20)
        return success([JONATHAN])

    lists.rows["/model"] = slow
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(refresher.current, "main", "models")
        assert asked.wait(20)
        rest = [pool.submit(Refresher(new_store(), refresher.clients).current, "main", "models") for _ in range(7)]
        go_on.set()
        assert [ids(one.result(20)) for one in (first, *rest)] == [["M000045058"]] * 8
    assert lists.asked() == 1


def test_one_that_comes_late_to_the_lease_does_not_read_it_again(refresher, lists):
    """It had found no list; by the time the lease was free, another process had written one."""
    refresher.current("main", "models")
    assert not refresher.refresh("main", "models", since=float("-inf"))
    assert lists.asked() == 1


def test_a_failed_refresh_keeps_the_old_list_and_says_why(refresher, lists, now):
    refresher.current("main", "models")
    lists.rows["/model"] = lambda call: failure(500, "E1", "the list is broken")
    now[0] += 7200
    found = refresher.current("main", "models")
    assert ids(found) == ["M000045058"]
    assert found.age(now[0]) == 7200
    assert "the list is broken" in found.error
    lists.rows["/model"] = [RUBY]
    found = refresher.current("main", "models")
    assert (ids(found), found.error) == (["M000004017"], None)


def test_without_an_old_list_the_fault_is_raised(refresher, lists):
    lists.rows["/model"] = lambda call: failure(500, "E1", "the list is broken")
    with pytest.raises(StudioFault, match="the list is broken"):
        refresher.current("main", "models")


def test_it_is_forgotten_a_day_after_it_was_read_last(refresher, redis):
    refresher.current("main", "models")
    assert 23 * 3600 < redis.ttl(KEY) <= 24 * 3600 + 1


def test_a_list_that_is_too_long_is_cut_and_says_so(refresher, lists, monkeypatch):
    lists.rows["/model"] = [{"id": f"M{number:06}", "label": "x" * 100} for number in range(100)]
    monkeypatch.setattr("renderline.catalogue.store.MOST_BYTES", 5000)
    found = refresher.current("main", "models")
    assert 10 < len(found.rows) < 50
    assert not found.complete


@pytest.mark.parametrize(
    "rows", [[{"label": "no id"}, 7, None, {"id": None}, {"id": {}}, {"id": True}, {"id": " "}], {"models": []}, []]
)
def test_rows_without_an_id_are_left_out(refresher, lists, rows):
    lists.rows["/model"] = rows
    assert refresher.current("main", "models").rows == []


def test_texts_of_the_vendor_are_cleaned_and_bounded(refresher, lists):
    odd = {"id": 7, "label": {"en": "x" * 9000, "ko": ["list"]}, "clothes": [{"id": "C"}, "x", {"id": "C"}]}
    lists.rows["/model"] = [odd, {"id": "7", "label": "twice"}, {"id": "S", "label": "half \ud800"}]
    first, second = refresher.current("main", "models").rows
    assert (first["id"], len(first["label"]["en"]), first["label"]["ko"], first["clothes"]) == (
        "7",
        1000,
        None,
        [{"id": "C"}],
    )
    assert second["label"].startswith("half ")


@pytest.mark.parametrize("broken", ["a text", {"at": "x"}, {"at": "1", "rows": "{"}, {"at": "1", "rows": "7"}])
def test_what_is_no_list_in_redis_is_none(refresher, redis, broken):
    if isinstance(broken, str):
        redis.set(KEY, broken)
    else:
        redis.hset(KEY, mapping=broken)
    assert refresher.store.read("main", "models") is None
    assert ids(refresher.current("main", "models")) == ["M000045058"]


def test_a_process_without_the_credentials_asks_the_workers(refresher, runner, new_store):
    elsewhere = Refresher(new_store(), {})
    with pytest.raises(ListUnavailable, match="no worker has read it yet"):
        elsewhere.current("main", "models", patience=0.05)
    runner.start()
    assert ids(elsewhere.current("main", "models", patience=20)) == ["M000045058"]


def test_a_worker_reads_what_is_wanted_and_nothing_twice(refresher, runner, lists, now):
    for _ in range(3):
        refresher.store.want("main", ["models", "workspaces", "of a later version"])
        runner.run("main")
    assert refresher.store.read("main", "workspaces").rows == [{"workspaceId": "W1", "workspaceName": "Team"}]
    assert (lists.asked(), lists.asked("/workspaces")) == (1, 1)
    now[0] += RECENT
    refresher.store.want("main", ["models"])
    runner.start()
    until(lambda: lists.asked() == 2, what="the list read anew")


def test_a_list_that_is_wanted_while_the_last_one_is_done_is_read_at_once(refresher, runner, lists, monkeypatch):
    store = refresher.store
    nothing_left, go_on = threading.Event(), threading.Event()
    take_wanted = store.take_wanted

    def take(account):
        found = take_wanted(account)
        if found is None:
            nothing_left.set()
            assert go_on.wait(20)
        return found

    monkeypatch.setattr(store, "take_wanted", take)
    store.want("main", ["models"])
    runner.start_account("main")
    assert nothing_left.wait(20)
    store.want("main", ["workspaces"])
    runner.start_account("main")
    go_on.set()
    until(lambda: lists.asked("/workspaces") == 1, what="the list that was wanted late")


def test_a_worker_leaves_a_list_alone_for_a_while_after_it_failed(refresher, runner, lists, redis):
    lists.rows["/model"] = lambda call: failure(500, "E1", "the list is broken")
    for _ in range(3):
        refresher.store.want("main", ["models"])
        runner.run("main")
    assert lists.asked() == 1
    with pytest.raises(ListUnavailable, match="the list is broken"):
        Refresher(refresher.store, {}).current("main", "models")
    redis.delete(f"{KEY}:failure")
    refresher.store.want("main", ["models"])
    runner.run("main")
    assert lists.asked() == 2


def test_an_outage_is_one_failed_call_of_the_account_however_many_lists_are_wanted(refresher, runner, lists):
    lists.rows["/model"] = lists.rows["/dropdown/workspaces"] = lambda call: failure(503, "", "")
    refresher.store.want("main", ["models", "workspaces"])
    runner.run("main")
    assert lists.asked() + lists.asked("/workspaces") == 1
    assert refresher.store.failure("main", "models")
    assert refresher.store.failure("main", "workspaces")


def test_an_account_without_v3_credentials_has_no_lists(store, worker):
    clients = {"main": type(worker.accounts["main"])("main", None, worker.v2)}
    runner = CatalogueRunner(Refresher(store, clients))
    store.want("main", ["models"])
    runner.run("main")
    assert "has no v3 credentials" in store.failure("main", "models")


def test_a_project_list_holds_no_links(refresher, worker, redis):
    project = worker.v3.create_project({"name": "Hello", "scenes": []}, export=False)
    (row,) = refresher.current("main", "projects").rows
    assert (row["id"], row["name"]) == (project, "Hello")
    assert "download" not in str(redis.hgetall("renderline:catalogue:main:projects"))
